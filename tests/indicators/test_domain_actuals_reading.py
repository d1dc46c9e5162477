"""Cells of posted rows, each by itself: what is read, and what is said of every bad one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chassis.tabular import NumberStyle
from services.indicators.domain.actuals.columns import COLUMNS, DataStatus
from services.indicators.domain.actuals.reading import left_blank
from services.indicators.domain.actuals.titles import TITLES
from tests.indicators.frames import only, read, read_csv, sentence, told


def cell(name: str, *rows: dict[str, Any]) -> list[Any]:
    values = read(*rows)
    assert told(values.findings) == []
    return list(values.frame[name])


def test_a_row_is_read_into_typed_columns() -> None:
    values = read({"measured_on": "2026-09-10", "base_version": 3, "data_status": "official"})
    assert told(values.findings) == []
    (found,) = values.frame.to_dicts()
    assert {name: given for name, given in found.items() if given is not None} == {
        "row": 1,
        "admin_unit": "26491",
        "indicator": "RATE",
        "period": "2026-Q3",
        "value": Decimal("85.500000"),
        "measured_on": date(2026, 9, 10),
        "data_status": "official",
        "action": "set",
        "base_version": 3,
    }
    names = ["row", *(column.name for column in COLUMNS), "value_mark"]
    assert set(values.frame.columns) == {*names} - {"commune"}


def test_the_unit_may_be_called_commune() -> None:
    assert cell("admin_unit", {"admin_unit": None, "commune": "26434"}, {"commune": "26491"}) == ["26434", "26491"]


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("2026", "2026"),
        (2026, "2026"),
        ("2026-A1", "2026"),
        ("2026-S1", "2026-S1"),
        ("2026h2", "2026-S2"),
        ("2026-N", "2026-N"),
        ("2026Q2", "2026-Q2"),
        ("2026q2", "2026-Q2"),
        ("2026-04", "2026-04"),
        ("202604", "2026-04"),
        (202604, "2026-04"),
        ("2026-M04", "2026-04"),
        ("2026W17", "2026-W17"),
        ("20260415", "2026-04-15"),
        ("2026-D105", "2026-04-15"),
        (" 2026-Q2 ", "2026-Q2"),
    ],
)
def test_periods_are_read_in_every_known_spelling(spelling: str | int, code: str) -> None:
    assert cell("period", {"period": spelling}) == [code]


def test_spellings_of_one_period_mix_with_others() -> None:
    rows = [{"period": said} for said in (2026, "2026Q2", "2026-Q2", "202604")]
    assert cell("period", *rows) == ["2026", "2026-Q2", "2026-Q2", "2026-04"]


def test_another_rows_flag_does_not_spoil_a_bare_year() -> None:
    values = read({"period": 2026}, {"period": True})
    assert told(values.findings) == [(2, "period", "text_expected")]
    assert values.frame["period"].to_list() == ["2026", None]


@pytest.mark.parametrize("words", ["Quý III/2026", "2026-Q5", "2026-13", "2026-02-30", "26", "2026.5", "1899"])
def test_what_is_no_period_is_told_with_the_ways_to_write_one(words: str) -> None:
    values = read({"period": words})
    fault = only(values.findings)
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (1, "period", "period_malformed", words)
    ways = "2026, 2026-S1, 2026-N, 2026-Q2, 2026-04 hoặc 2026-04-15."
    assert sentence(fault) == f"Kỳ {words} sai dạng; viết {ways}"
    ways_en = ways.replace("hoặc", "or")
    assert sentence(fault, "en") == f"Period {words} is malformed; write {ways_en}"
    assert values.frame["period"].to_list() == [None]


def test_texts_are_trimmed_and_composed() -> None:
    rows = [{"note": "Đa\u0323i Phu\u031bo\u031b\u0301c"}, {"note": " hai \u00a0 ba "}, {"note": "  "}]
    assert cell("note", *rows) == ["Đại Phước", "hai   ba", None]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("estimated", DataStatus.ESTIMATED),
        ("Ước tính", DataStatus.ESTIMATED),
        ("sơ bộ", DataStatus.PRELIMINARY),
        ("CHÍNH THỨC", DataStatus.OFFICIAL),
    ],
)
def test_statuses_are_read_in_both_languages(said: str, status: DataStatus) -> None:
    assert cell("data_status", {"data_status": said}) == [status.value]


@pytest.mark.parametrize(
    ("said", "action"), [(None, "set"), ("set", "set"), ("ghi", "set"), ("Rút", "withdraw"), ("withdraw", "withdraw")]
)
def test_actions_are_read_in_both_languages(said: str | None, action: str) -> None:
    assert cell("action", {"action": said}) == [action]


BAD_CELLS: list[tuple[dict[str, Any], str, str, str | None]] = [
    ({"admin_unit": None}, "admin_unit", "row_field_missing", None),
    ({"admin_unit": " "}, "admin_unit", "row_field_missing", None),
    ({"admin_unit": 26491}, "admin_unit", "text_expected", "26491"),
    ({"admin_unit": "x" * 101}, "admin_unit", "text_long", "x" * 101),
    ({"commune": "26434"}, "commune", "unit_named_twice", "26434"),
    ({"indicator": " "}, "indicator", "row_field_missing", None),
    ({"indicator": None}, "indicator", "row_field_missing", None),
    ({"period": None}, "period", "cell_missing", None),
    ({"period": True}, "period", "text_expected", "true"),
    ({"period": ["2026"]}, "period", "cell_nested", None),
    ({"value": "85.5"}, "value", "number_expected", "85.5"),
    ({"value": True}, "value", "number_expected", "true"),
    ({"value": [1]}, "value", "cell_nested", None),
    ({"value": 0.0000001}, "value", "number_too_fine", "1e-07"),
    ({"value": 10**14}, "value", "number_too_large", "100000000000000"),
    ({"numerator": 1e300}, "numerator", "number_too_large", "1e+300"),
    ({"level": 1.5}, "level", "whole_number_expected", "1.5"),
    ({"rank": 10**9}, "rank", "number_too_large", "1000000000"),
    ({"rank": "8"}, "rank", "number_expected", "8"),
    ({"base_version": 1.5}, "base_version", "whole_number_expected", "1.5"),
    ({"done_on": "15/04/2026"}, "done_on", "day_expected", "15/04/2026"),
    ({"done_on": "2026-02-30"}, "done_on", "day_expected", "2026-02-30"),
    ({"measured_on": 20260914}, "measured_on", "day_expected", "20260914"),
    ({"measured_on": "0001-01-01"}, "measured_on", "day_expected", "0001-01-01"),
    ({"data_status": "final"}, "data_status", "choice_unknown", "final"),
    ({"action": "delete"}, "action", "choice_unknown", "delete"),
    ({"evidence_url": "file:///etc/passwd"}, "evidence_url", "row_address_expected", "file:///etc/passwd"),
    ({"evidence_url": "https://a b"}, "evidence_url", "row_address_expected", "https://a b"),
    ({"note": "x" * 4001}, "note", "text_long", "x" * 200),
    ({"note": "a\u0000b"}, "note", "text_control_sign", "a\u0000b"),
    ({"note": "\ud800"}, "note", "text_not_unicode", None),
    ({"note": "ThÞ trÊn T©n Lîi"}, "note", "text_old_font", "ThÞ trÊn T©n Lîi"),
    ({"vaule": 1}, "vaule", "field_unknown", None),
]


@pytest.mark.parametrize(("cells", "column", "code", "value"), BAD_CELLS)
def test_every_bad_cell_is_named(cells: dict[str, Any], column: str, code: str, value: str | None) -> None:
    values = read({}, cells)
    fault = only(values.findings)
    assert (fault.row, fault.column, fault.rule.code) == (2, column, code)
    assert fault.value == value


def test_missing_columns_are_named_in_words() -> None:
    unit, indicator = read({"admin_unit": None, "indicator": None}).findings.listed()
    assert sentence(unit) == "Thiếu cột admin_unit."
    assert sentence(indicator, "en") == "Column indicator is missing."


def test_two_units_in_one_row_are_told_in_words() -> None:
    fault = only(read({"commune": "26434"}).findings)
    assert sentence(fault) == "Hai cột admin_unit và commune nêu hai đơn vị khác nhau."
    assert sentence(fault, "en") == "The columns admin_unit and commune name different units."


def test_a_wrong_address_is_told_in_words() -> None:
    fault = only(read({"evidence_url": "ftp://x"}).findings)
    assert sentence(fault) == "Cột evidence_url phải là địa chỉ http(s)."
    assert sentence(fault, "en") == "Column evidence_url must be an http(s) address."


def test_a_plan_row_stands_for_an_indicator() -> None:
    assert told(read({"indicator": None, "plan_row": "III.14"}).findings) == []


def test_a_cell_complained_of_is_not_called_missing_too() -> None:
    assert told(read({"admin_unit": 26491, "indicator": 5}).findings) == [
        (1, "admin_unit", "text_expected"),
        (1, "indicator", "text_expected"),
    ]


def test_samples_are_taken_where_they_may_be() -> None:
    assert told(read({"source": "sample"}).findings) == []
    fault = only(read({"source": "sample"}, {"source": "samples"}, takes_samples=False).findings)
    assert (fault.row, fault.column, fault.value) == (1, "source", "sample")
    assert sentence(fault) == "Hệ thống chính thức không nhận số liệu mẫu (source: sample)."
    assert sentence(fault, "en") == "A production system takes no sample figures (source: sample)."


def test_all_faults_of_all_rows_are_told() -> None:
    values = read({}, 5, {"admin_unit": None, "indicator": None, "period": "x"})
    assert told(values.findings) == [
        (2, None, "row_unreadable"),
        (3, "admin_unit", "row_field_missing"),
        (3, "indicator", "row_field_missing"),
        (3, "period", "period_malformed"),
    ]
    assert values.frame["row"].to_list() == [1, 3]


VIETNAMESE = "Mã xã;Mã chỉ tiêu;Kỳ báo cáo;Giá trị;Tính đến ngày;Trạng thái số liệu;Ghi chú\n"


def test_a_file_with_vietnamese_titles_is_read() -> None:
    values = read_csv(VIETNAMESE + "26491;RATE;2026-Q3;85,75%;14/09/2026;Sơ bộ;lần 2\n26434;RATE;2026;70;;;\n")
    assert told(values.findings) == []
    assert values.frame.select(
        "row", "admin_unit", "value", "value_mark", "measured_on", "data_status", "note"
    ).rows() == [
        (2, "26491", Decimal("85.75"), "percent", date(2026, 9, 14), "preliminary", "lần 2"),
        (3, "26434", Decimal(70), None, None, None, None),
    ]


@pytest.mark.parametrize("title", [title for title in TITLES.aliases if TITLES.aliases[title]])
def test_every_published_title_stands_for_its_column(title: str) -> None:
    column = TITLES.aliases[title]
    base = [name for name in ("admin_unit", "indicator", "period", "value") if name != column]
    header = ";".join([*base, title])
    assert told(read_csv(f"{header}\n").findings) == []
    assert column in TITLES.columns


def test_an_ambiguous_number_is_refused_and_a_declared_style_reads_it() -> None:
    body = "admin_unit;indicator;period;value\n26491;COUNT;2026-Q3;1.670\n"
    fault = only(read_csv(body).findings)
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (2, "value", "number_ambiguous", "1.670")
    assert sentence(fault) == (
        "“1.670” đọc được hai cách: 1670 (kiểu vi) hoặc 1,67 (kiểu en); hãy khai number_style=vi hoặc en."
    )
    assert sentence(fault, "en") == (
        "“1.670” has two readings: 1670 (style vi) or 1.67 (style en); declare number_style=vi or en."
    )
    read_as = {style: read_csv(body, style).frame["value"].to_list() for style in NumberStyle}
    assert read_as == {
        NumberStyle.VI: [Decimal(1670)],
        NumberStyle.EN: [Decimal("1.67")],
        NumberStyle.PLAIN: [Decimal("1.67")],
    }


def test_a_percent_mark_is_for_the_value_alone() -> None:
    values = read_csv("admin_unit;indicator;period;numerator;denominator\n26491;RATE;2026-Q3;70%;100\n")
    assert told(values.findings) == [(2, "numerator", "number_mark_unexpected")]


BLANK = {"value": None}


@pytest.mark.parametrize(
    ("cells", "is_blank"),
    [
        (BLANK, True),
        ({**BLANK, "base_version": 3}, True),
        ({**BLANK, "regime": "state", "sub_population": "học sinh", "plan_row": "III.14"}, True),
        ({**BLANK, "action": "set"}, True),
        ({}, False),
        ({"value": 0}, False),
        ({**BLANK, "text": "x"}, False),
        ({**BLANK, "done_on": "2026-09-01"}, False),
        ({**BLANK, "numerator": 1}, False),
        ({**BLANK, "note": "chưa có số"}, False),
        ({**BLANK, "source": "x"}, False),
        ({**BLANK, "evidence_url": "https://x"}, False),
        ({**BLANK, "reason": "x"}, False),
        ({**BLANK, "measured_on": "2026-09-01"}, False),
        ({**BLANK, "data_status": "official"}, False),
        ({**BLANK, "action": "withdraw"}, False),
        ({**BLANK, "period": "x"}, False),
        ({**BLANK, "note": 5}, False),
        ({"value": "x"}, False),
    ],
)
def test_a_row_is_blank_that_only_names_a_figure(cells: dict[str, Any], *, is_blank: bool) -> None:
    assert left_blank(read({}, cells)).to_list() == ([2] if is_blank else [])
