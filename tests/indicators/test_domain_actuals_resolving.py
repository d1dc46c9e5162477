"""What the codes of rows stand for, and every code that stands for nothing, or not for these rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from services.indicators.domain.actuals.resolving import (
    Advice,
    Codes,
    RegimeDefaults,
    named_in,
    ranges_named,
    refuse_codes,
    refuse_strangers,
    resolve,
    strangers,
)
from tests.indicators.frames import codes, only, read, resolved, sentence, told

EVERYWHERE = frozenset({"*"})
PLAN_ROWS = (
    ("26491", "III.14", "2026", "RATE", None),
    ("26491", "III.15", "2026", "RATE", "giáo viên"),
    ("26491", "III.15", "2026", "RATE", "học sinh"),
    ("26491", "III.16", "2026", "RATE", None),
    ("26491", "III.16", "2026", "RATE", "giáo viên"),
    ("26491", "III.17", "2026", "RATE", None),
    ("26491", "III.17", "2026", "COUNT", None),
    ("26434", "III.14", "2026", "COUNT", None),
    ("26491", "III.14", "2025", "COUNT", None),
)
NOBODY = Advice({}, {}, {}, {}, {})


def refused(
    *cells: dict[str, Any], units: frozenset[str] = EVERYWHERE, known: Codes | None = None
) -> list[tuple[int | None, str | None, str]]:
    known = known or codes(*PLAN_ROWS)
    return told(refuse_codes(resolve(read(*cells).frame, known), known, units))


def words(cells: dict[str, Any], *, units: frozenset[str] = EVERYWHERE) -> tuple[str, str]:
    known = codes(*PLAN_ROWS)
    fault = only(refuse_codes(resolve(read(cells).frame, known), known, units))
    return sentence(fault), sentence(fault, "en")


def test_codes_become_integers_and_facts() -> None:
    (found,) = resolved({"sub_population": "học sinh"}).to_dicts()
    names = ("admin_unit_id", "province", "regime", "indicator_id", "kind", "value_type", "scale", "allows_above_100")
    assert [found[name] for name in names] == [1, "75", "state", 1, 1, "percent", "0-100", False]
    names = ("sub_population_id", "period_id", "previous_id", "starts_on", "ends_on", "is_valid")
    assert [found[name] for name in names] == [6, 30, 20, date(2026, 6, 15), date(2026, 9, 14), True]


def test_rows_keep_their_order_and_number() -> None:
    found = resolved({}, {"admin_unit": "26434"}, {"indicator": "COUNT"}, {"sub_population": "giáo viên"})
    assert found.select("row", "admin_unit_id", "indicator_id", "sub_population_id").rows() == [
        (1, 1, 1, 0),
        (2, 2, 1, 0),
        (3, 1, 6, 0),
        (4, 1, 1, 5),
    ]


def test_a_stated_regime_goes_before_the_units_own() -> None:
    assert resolved({"regime": "calendar"}, {})["period_id"].to_list() == [31, 30]


def test_a_sub_population_belongs_to_its_indicator() -> None:
    found = resolved({"indicator": "COUNT", "sub_population": "học sinh"})
    assert found["sub_population_id"].to_list() == [None]
    assert strangers(found) == ([], [], ["học sinh"])


@pytest.mark.parametrize(
    ("unit", "period", "is_valid"),
    [
        ("26491", "2026-Q3", True),
        ("26491", "2025-Q2", False),  # it began on 1 July 2025
        ("14161", "2026-Q3", True),  # it began within the quarter
        ("14161", "2026-Q2", False),
    ],
)
def test_a_unit_is_there_from_its_first_to_its_last_day(unit: str, period: str, *, is_valid: bool) -> None:
    sound = {"admin_unit": "26491", "period": "2026-Q3"}
    found = resolved({"admin_unit": unit, "period": period}, sound)
    assert found["is_valid"].to_list() == [is_valid, True]
    wanted = [] if is_valid else [(1, "admin_unit", "admin_unit_not_valid")]
    assert refused({"admin_unit": unit, "period": period}, sound) == wanted


def test_the_last_day_of_a_unit_is_the_one_before_valid_to() -> None:
    for last, is_valid in ((date(2026, 6, 16), True), (date(2026, 6, 15), False), (date(2026, 9, 15), True)):
        known = codes()
        ended = known.validities.with_columns(valid_to=pl.lit(last, pl.Date))
        assert resolved({}, known=replace(known, validities=ended))["is_valid"].to_list() == [is_valid]


def test_a_unit_without_a_day_is_valid_never() -> None:
    known = codes()
    assert resolved({}, known=replace(known, validities=known.validities.clear()))["is_valid"].to_list() == [False]


def test_a_unit_that_is_not_there_is_told_in_words() -> None:
    assert words({"period": "2025-Q2"}) == (
        "Mã 26491 chưa hoặc không còn hiệu lực trong kỳ 2025-Q2.",
        "Code 26491 is not valid in period 2025-Q2.",
    )


@pytest.mark.parametrize(
    ("units", "codes_refused"),
    [
        ({"*"}, []),
        ({"75", "37"}, []),
        ({"75"}, ["14161"]),
        ({"26491"}, ["26434", "14161", "75"]),
        (set(), ["26491", "26434", "14161", "75"]),
    ],
)
def test_a_sender_writes_for_its_own_units(units: set[str], codes_refused: list[str]) -> None:
    places = ["26491", "26434", "14161", "75"]
    found = refused(*({"admin_unit": unit} for unit in places), units=frozenset(units))
    assert found == [(places.index(unit) + 1, "admin_unit", "unit_not_covered") for unit in codes_refused]


def test_a_unit_not_covered_is_named() -> None:
    told_vi, told_en = words({}, units=frozenset({"26434"}))
    assert "26491" in told_vi
    assert "26491" in told_en


def test_local_indicators_are_for_their_owner() -> None:
    assert refused({"admin_unit": "26434", "indicator": "26434:OWN"}) == []
    assert words({"indicator": "26434:OWN"}) == (
        "Chỉ tiêu 26434:OWN thuộc danh mục khác, không dùng ở đây.",
        "Indicator 26434:OWN belongs to another catalogue and cannot be used here.",
    )


def test_an_unknown_regime_is_told_in_words_and_beside_a_bad_period() -> None:
    assert words({"regime": "lunar"}) == (
        "Không có chế độ báo cáo lunar.",
        "There is no reporting regime lunar.",
    )
    assert refused({"regime": "lunar", "period": "x"}, {"regime": "lunar", "admin_unit": "1"}) == [
        (1, "regime", "regime_unknown"),
        (2, "regime", "regime_unknown"),
    ]


def test_a_unit_without_a_regime_needs_one_stated() -> None:
    known = codes()
    bare = replace(known, units=known.units.with_columns(default_regime=pl.lit(None, pl.String)))
    assert refused({}, {"regime": "state"}, known=bare) == [(1, "regime", "regime_unknown")]


def test_a_period_its_regime_does_not_have_is_told_in_words() -> None:
    assert words({"regime": "calendar", "period": "2026-Q2"}) == (
        "Chế độ calendar không có kỳ 2026-Q2.",
        "Regime calendar has no period 2026-Q2.",
    )


def test_a_plan_row_stands_for_its_indicator_and_sub_population() -> None:
    known = codes(*PLAN_ROWS)
    asked = (
        {"indicator": None, "plan_row": "III.14"},
        {"indicator": None, "plan_row": "III.14", "admin_unit": "26434"},
        {"indicator": None, "plan_row": "III.15", "sub_population": "học sinh"},
        {"indicator": "RATE", "plan_row": "III.14"},
        {"indicator": "COUNT", "plan_row": "III.17"},
        {"indicator": "RATE", "plan_row": "III.16"},
        {},
    )
    found = resolved(*asked, known=known)
    assert found.select("indicator", "sub_population", "indicator_id", "sub_population_id").rows() == [
        ("RATE", None, 1, 0),
        ("COUNT", None, 6, 0),
        ("RATE", "học sinh", 1, 6),
        ("RATE", None, 1, 0),
        ("COUNT", None, 6, 0),
        ("RATE", None, 1, 0),
        ("RATE", None, 1, 0),
    ]
    assert told(refuse_codes(found, known, EVERYWHERE)) == []


@pytest.mark.parametrize(
    ("cells", "vi", "en"),
    [
        (
            {"indicator": None, "plan_row": "IV.1"},
            "Kế hoạch của đơn vị trong năm ấy không có mục IV.1.",
            "The unit's plan of that year has no row IV.1.",
        ),
        (
            {"indicator": None, "plan_row": "III.15", "sub_population": "phụ nữ"},
            "Kế hoạch của đơn vị trong năm ấy không có mục III.15.",
            "The unit's plan of that year has no row III.15.",
        ),
        (
            {"indicator": "COUNT", "plan_row": "III.14"},
            "Mục III.14 của kế hoạch không phải chỉ tiêu COUNT (hoặc nhóm đối tượng ấy).",
            "Plan row III.14 is not indicator COUNT (or not that sub-population).",
        ),
        (
            {"indicator": "RATE", "plan_row": "III.14", "sub_population": "giáo viên"},
            "Mục III.14 của kế hoạch không phải chỉ tiêu RATE (hoặc nhóm đối tượng ấy).",
            "Plan row III.14 is not indicator RATE (or not that sub-population).",
        ),
        (
            {"indicator": None, "plan_row": "III.17"},
            "Mục III.17 ứng với 2 chỉ tiêu; hãy ghi thêm mã chỉ tiêu hoặc nhóm đối tượng.",
            "Plan row III.17 stands for 2 targets; name the indicator or the sub-population too.",
        ),
        (
            {"indicator": "RATE", "plan_row": "III.15"},
            "Mục III.15 ứng với 2 chỉ tiêu; hãy ghi thêm mã chỉ tiêu hoặc nhóm đối tượng.",
            "Plan row III.15 stands for 2 targets; name the indicator or the sub-population too.",
        ),
    ],
)
def test_a_plan_row_that_stands_for_none_or_several_is_told_in_words(cells: dict[str, Any], vi: str, en: str) -> None:
    assert words(cells) == (vi, en)


def test_a_plan_row_is_of_the_year_of_the_period() -> None:
    known = codes(*PLAN_ROWS)
    cells = {"indicator": None, "plan_row": "III.14", "period": "2025-Q2"}
    assert resolved(cells, known=known)["indicator"].to_list() == ["COUNT"]
    assert refused({**cells, "period": "2027"}) == [(1, "plan_row", "plan_row_unknown")]


def test_rows_beside_a_plan_row_are_not_asked_for_one() -> None:
    assert refused({"indicator": None, "plan_row": "III.14"}, {}, {"indicator": "COUNT"}) == []


def test_without_unit_or_period_no_plan_is_looked_into() -> None:
    lost = {"indicator": None, "plan_row": "IV.1"}
    assert refused({**lost, "admin_unit": "1"}, {**lost, "period": "x"}) == []


def test_strangers_are_gathered_once_each() -> None:
    rows = ({"admin_unit": "1"}, {"admin_unit": "1", "indicator": "X"}, {"sub_population": "ai"}, {})
    assert strangers(resolved(*rows)) == (["1"], ["X"], ["ai"])


def test_strangers_are_refused_with_what_may_be_meant() -> None:
    rows = ({"admin_unit": "26492"}, {"indicator": "RAET"}, {"sub_population": "giao vien"})
    advice = Advice({}, {"26492": "26491"}, {}, {"RAET": "RATE"}, {"giao vien": "giáo viên"})
    found = refuse_strangers(resolved(*rows), advice)
    assert told(found) == [
        (1, "admin_unit", "admin_unit_unknown"),
        (2, "indicator", "indicator_unknown"),
        (3, "sub_population", "sub_population_unknown"),
    ]
    assert [sentence(fault) for fault in found.listed()] == [
        "Không có đơn vị hành chính mã 26492. Có phải là 26491?",
        "Danh mục không có chỉ tiêu RAET. Có phải là RATE?",
        "Không kế hoạch nào nêu nhóm đối tượng “giao vien” cho chỉ tiêu này. Có phải là giáo viên?",
    ]
    assert [sentence(fault, "en") for fault in found.listed()] == [
        "There is no administrative unit 26492. Did you mean 26491?",
        "The catalogue has no indicator RAET. Did you mean RATE?",
        "No plan states the sub-population “giao vien” for this indicator. Did you mean giáo viên?",
    ]


def test_names_in_place_of_codes_get_their_codes() -> None:
    rows = ({"admin_unit": "Đại Phước"}, {"indicator": "Tỷ lệ"})
    found = refuse_strangers(resolved(*rows), Advice({"Đại Phước": "26491, 31000"}, {}, {"Tỷ lệ": "RATE"}, {}, {}))
    assert told(found) == [
        (1, "admin_unit", "admin_unit_named_not_coded"),
        (2, "indicator", "indicator_named_not_coded"),
    ]
    assert [sentence(fault) for fault in found.listed()] == [
        "“Đại Phước” là tên; hãy ghi mã đơn vị: 26491, 31000.",
        "“Tỷ lệ” là tên; hãy ghi mã chỉ tiêu RATE.",
    ]
    assert [sentence(fault, "en") for fault in found.listed()] == [
        "“Đại Phước” is a name; write the unit's code: 26491, 31000.",
        "“Tỷ lệ” is a name; write the indicator's code RATE.",
    ]


def test_strangers_without_advice_are_refused_plainly() -> None:
    found = refuse_strangers(resolved({"admin_unit": "1", "indicator": "X"}), NOBODY)
    assert [sentence(fault, "en") for fault in found.listed()] == [
        "There is no administrative unit 1.",
        "The catalogue has no indicator X.",
    ]


def test_what_was_empty_or_bad_is_no_stranger() -> None:
    found = resolve(read({"admin_unit": None, "indicator": 5}).frame, codes())
    assert strangers(found) == ([], [], [])
    assert told(refuse_strangers(found, NOBODY)) == []


def test_the_codes_that_rows_name_are_asked_for_once() -> None:
    rows = ({}, {"indicator": "COUNT", "period": "2026"}, {"sub_population": "học sinh"})
    named = named_in(read(*rows).frame)
    assert (named.admin_units, sorted(named.indicators), named.sub_populations, sorted(named.periods)) == (
        ["26491"],
        ["COUNT", "RATE"],
        ["học sinh"],
        ["2026", "2026-Q3"],
    )
    assert named.has_plan_rows is False
    assert named_in(read({"plan_row": "III.14"}).frame).has_plan_rows is True


def test_the_nearest_default_regime_holds() -> None:
    defaults = RegimeDefaults([("state", ["*"]), ("calendar", ["75"]), ("own", ["26491", "26434"])])
    assert (defaults.of("26491", "75"), defaults.of("25378", "75"), defaults.of("14161", "37")) == (
        "own",
        "calendar",
        "state",
    )
    assert RegimeDefaults([("calendar", ["75"])]).of("14161", "37") is None


def test_the_ranges_of_rows_hold_whatever_is_found_for_them() -> None:
    known = codes(*PLAN_ROWS)
    values = read(
        {},
        {"indicator": "COUNT", "value": 3, "period": "2026-Q2"},
        {"indicator": None, "plan_row": "III.17", "regime": "calendar"},
        {"admin_unit": "26434", "indicator": None, "plan_row": "III.14", "period": "2026"},
        {"admin_unit": "14161", "indicator": "LEVEL", "value": None, "level": 2},
        {"admin_unit": "99998", "indicator": "NONE", "period": "2031"},
    )
    found = resolve(values.frame, known)
    units = ["26491", "26434"]
    ranges = ranges_named(values.frame, known, units)
    theirs = found.filter(pl.col("admin_unit").is_in(units))
    assert ranges["admin_unit_id"] == [1, 2]
    assert sorted(set(theirs["period_id"].drop_nulls())) == [20, 30, 31, 50]
    for name in ("indicator_id", "period_id"):
        assert set(theirs[name].drop_nulls()) <= set(ranges[name])


def test_rows_without_a_regime_span_the_periods_of_their_units_default() -> None:
    known = codes()
    known = replace(known, periods=known.periods.filter(period="2026-Q3"))  # those that the rows name are loaded
    bare, stated = read({}).frame, read({"regime": "calendar"}).frame
    assert ranges_named(bare, known, ["26491"])["period_id"] == [30]
    assert ranges_named(stated, known, ["26491"])["period_id"] == [31]
    calendar = replace(known, units=known.units.with_columns(default_regime=pl.lit("calendar")))
    assert ranges_named(bare, calendar, ["26491"])["period_id"] == [31]
    nobodys = ranges_named(bare, known, [])
    assert (nobodys["admin_unit_id"], nobodys["period_id"]) == ([], [])
