"""How one posted row is read, judged and settled, edge values first."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.indicators.domain.actuals.judging import Judged, Kind, Measured, Span, duplicates, judge, warn
from services.indicators.domain.actuals.reading import Action, DataStatus, Row, read_row, read_rows
from services.indicators.domain.actuals.settling import Outcome, Stored, announced, figure_of, settle
from services.indicators.domain.catalogue import ValueType

TODAY = date(2026, 11, 22)
Q3 = Span("2026-Q3", date(2026, 6, 15), date(2026, 9, 14))
CELLS = {"admin_unit": "26491", "indicator": "RATE", "period": "2026-Q3", "value": Decimal("85.5")}
RATE = Measured("RATE", ValueType.PERCENT, "0-100", allows_above_100=False)
OPEN_RATE = replace(RATE, allows_above_100=True)
INDEX = Measured("INDEX", ValueType.INDEX, "0-1", allows_above_100=False)
COUNT = Measured("COUNT", ValueType.COUNT, None, allows_above_100=False)
LEVEL = Measured("LEVEL", ValueType.LEVEL, "1-5", allows_above_100=False)
RANK = Measured("RANK", ValueType.RANK, None, allows_above_100=False)
DONE = Measured("DONE", ValueType.MILESTONE, None, allows_above_100=False)
WORDS = Measured("WORDS", ValueType.TEXT, None, allows_above_100=False)


def read(**cells: Any) -> Row:
    row, faults = read_row(1, {**CELLS, **cells})
    assert row is not None
    assert faults == []
    return row


def read_faults(**cells: Any) -> list[tuple[str | None, str]]:
    return [(fault.column, fault.rule.code) for fault in read_row(7, {**CELLS, **cells})[1]]


def test_a_row_is_read_with_its_codes_in_the_houses_spelling() -> None:
    row = read(period="2026q3", sub_population=" giáo viên ", commune="26491")
    assert (row.period, row.sub_population, row.value, row.action) == (
        "2026-Q3",
        "giáo viên",
        Decimal("85.5"),
        Action.SET,
    )


def test_a_bare_year_may_be_a_number() -> None:
    assert read(period=2026).period == "2026"


def test_text_in_decomposed_form_is_composed() -> None:
    assert read(note="Đa\u0323i Phu\u031bo\u031b\u0301c").note == "Đại Phước"


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"admin_unit": None}, ("admin_unit", "row_field_missing")),
        ({"admin_unit": 26491}, ("admin_unit", "row_text_expected")),
        ({"indicator": " "}, ("indicator", "row_field_missing")),
        ({"period": "Quý III/2026"}, ("period", "period_malformed")),
        ({"period": "2026-Q5"}, ("period", "period_malformed")),
        ({"value": "85.5"}, ("value", "row_number_expected")),
        ({"value": True}, ("value", "row_number_expected")),
        ({"value": [1]}, ("value", "row_number_expected")),
        ({"value": Decimal("0.0000001")}, ("value", "value_too_precise")),
        ({"value": 10**14}, ("value", "value_too_precise")),
        ({"value": Decimal("1E+999999")}, ("value", "value_too_precise")),
        ({"level": Decimal("1.5")}, ("level", "row_whole_number_expected")),
        ({"rank": -1}, ("rank", "row_whole_number_expected")),
        ({"done_on": "15/04/2026"}, ("done_on", "row_day_expected")),
        ({"done_on": "2026-02-30"}, ("done_on", "row_day_expected")),
        ({"data_status": "final"}, ("data_status", "row_choice_expected")),
        ({"action": "delete"}, ("action", "row_choice_expected")),
        ({"evidence_url": "file:///etc/passwd"}, ("evidence_url", "row_address_expected")),
        ({"note": "x" * 4001}, ("note", "row_text_too_long")),
        ({"vaule": 1}, ("vaule", "row_field_unknown")),
    ],
)
def test_every_bad_cell_is_named(cells: dict[str, Any], fault: tuple[str, str]) -> None:
    assert read_faults(**cells) == [fault]


def test_an_unknown_column_gets_a_suggestion() -> None:
    fault = read_row(1, {**CELLS, "vaule": 1})[1][0]
    assert fault.rule.sentence("en", fault.values) == "There is no column vaule. Did you mean value?"


def test_all_faults_of_all_rows_are_told() -> None:
    rows, faults = read_rows([CELLS, 5, {"period": "x"}])
    assert [row.number for row in rows] == [1, 3]
    assert [(fault.row, fault.column) for fault in faults] == [
        (2, None),
        (3, "admin_unit"),
        (3, "indicator"),
        (3, "period"),
    ]


def judged(measured: Measured = RATE, **cells: Any) -> Judged:
    found, faults = judge(read(**cells), measured, Q3, TODAY)
    assert [fault.rule.code for fault in faults] == []
    assert found is not None
    return found


def judged_faults(measured: Measured = RATE, span: Span = Q3, **cells: Any) -> list[tuple[str | None, str]]:
    return [(fault.column, fault.rule.code) for fault in judge(read(**cells), measured, span, TODAY)[1]]


@pytest.mark.parametrize(
    ("measured", "cells", "fault"),
    [
        (RATE, {"value": Decimal("-0.1")}, ("value", "value_out_of_scale")),
        (RATE, {"value": Decimal("100.000001")}, ("value", "value_above_100")),
        (RATE, {"value": None, "level": 1}, ("level", "value_kind_mismatch")),
        (RATE, {"value": None}, ("value", "value_missing")),
        (RATE, {"value": None, "numerator": 5}, ("denominator", "row_field_missing")),
        (RATE, {"value": None, "denominator": 5}, ("numerator", "row_field_missing")),
        (RATE, {"value": None, "numerator": 5, "denominator": 0}, ("denominator", "denominator_zero")),
        (RATE, {"value": None, "numerator": 6, "denominator": 5}, ("numerator", "numerator_above_denominator")),
        (RATE, {"value": 66, "numerator": 2, "denominator": 3}, ("value", "value_contradicts_ratio")),
        (INDEX, {"value": 70}, ("value", "value_out_of_scale")),
        (COUNT, {"value": Decimal("2.5")}, ("value", "value_not_whole")),
        (COUNT, {"value": -1}, ("value", "value_out_of_scale")),
        (COUNT, {"value": None, "numerator": 1, "denominator": 2}, ("numerator", "value_kind_mismatch")),
        (LEVEL, {"value": None, "level": 6}, ("level", "value_out_of_scale")),
        (LEVEL, {}, ("value", "value_kind_mismatch")),
        (RANK, {"value": None, "rank": 0}, ("rank", "value_out_of_scale")),
        (DONE, {"value": None, "done_on": "2026-09-15"}, ("done_on", "done_after_period")),
        (DONE, {"value": None, "done_on": "2026-11-23"}, ("done_on", "day_in_future")),
        (WORDS, {}, ("value", "value_kind_mismatch")),
        (RATE, {"measured_on": "2026-11-23"}, ("measured_on", "day_in_future")),
        (RATE, {"action": "withdraw", "value": None}, ("reason", "reason_missing")),
        (RATE, {"action": "withdraw", "reason": "nhầm xã"}, ("value", "value_not_allowed")),
    ],
)
def test_every_bad_figure_is_refused(measured: Measured, cells: dict[str, Any], fault: tuple[str, str]) -> None:
    assert fault in judged_faults(measured, **cells)


def test_a_period_that_has_not_begun_has_no_figures() -> None:
    later = Span("2027", date(2026, 12, 15), date(2027, 12, 14))
    assert judged_faults(span=later) == [("period", "period_not_begun")]


def test_70_for_an_index_suggests_the_figure_on_its_scale() -> None:
    fault = judge(read(value=70), INDEX, Q3, TODAY)[1][0]
    assert fault.rule.sentence("vi", fault.values) == "70 nằm ngoài thang đo 0-1. Có phải muốn ghi 0.7?"


@pytest.mark.parametrize(
    ("measured", "cells", "kind", "value"),
    [
        (RATE, {"value": 0}, Kind.VALUE, Decimal(0)),
        (RATE, {"value": 100}, Kind.VALUE, Decimal(100)),
        (OPEN_RATE, {"value": 104}, Kind.VALUE, Decimal(104)),
        (RATE, {"value": None, "numerator": 2, "denominator": 3}, Kind.VALUE, Decimal("66.666667")),
        (RATE, {"value": Decimal("66.666667"), "numerator": 2, "denominator": 3}, Kind.VALUE, Decimal("66.666667")),
        (OPEN_RATE, {"value": None, "numerator": 6, "denominator": 5}, Kind.VALUE, Decimal("120.000000")),
        (INDEX, {"value": None, "numerator": 7, "denominator": 10}, Kind.VALUE, Decimal("0.700000")),
        (LEVEL, {"value": None, "level": 1}, Kind.LEVEL, Decimal(1)),
        (RANK, {"value": None, "rank": 8}, Kind.RANK, Decimal(8)),
        (COUNT, {"value": Decimal("3.0")}, Kind.VALUE, Decimal(3)),
    ],
)
def test_good_figures_are_kept_exactly(measured: Measured, cells: dict[str, Any], kind: Kind, value: Decimal) -> None:
    found = judged(measured, **cells)
    assert (found.kind, found.value) == (kind, value)


def test_words_and_days_are_figures_too() -> None:
    assert judged(WORDS, value=None, text="Theo phân bổ").words == "Theo phân bổ"
    assert judged(DONE, value=None, done_on="2026-09-14").done_on == date(2026, 9, 14)


def test_status_and_day_measured_follow_from_the_period() -> None:
    running = Span("2026", date(2025, 12, 15), date(2026, 12, 14))
    after, _ = judge(read(), RATE, Q3, TODAY)
    before, _ = judge(read(), RATE, running, TODAY)
    assert after is not None
    assert before is not None
    assert (after.data_status, after.measured_on) == (DataStatus.PRELIMINARY, date(2026, 9, 14))
    assert (before.data_status, before.measured_on) == (DataStatus.ESTIMATED, TODAY)
    assert judged(data_status="official").data_status is DataStatus.OFFICIAL


def test_odd_looking_figures_are_kept_with_a_warning() -> None:
    above = judged(OPEN_RATE, value=104)
    ratio = judged(value=Decimal("0.7"))
    assert [fault.rule.code for fault in warn(above, OPEN_RATE)] == ["above_100_allowed"]
    assert [fault.rule.sentence("en", fault.values) for fault in warn(ratio, RATE)] == [
        "0.7 on a scale of 0-100: was 70.0 meant?"
    ]
    assert warn(judged(value=None, numerator=1, denominator=200), RATE) == []
    assert warn(judged(INDEX, value=Decimal("0.7")), INDEX) == []


def numbered(number: int, **cells: Any) -> Judged:
    row, _ = read_row(number, {**CELLS, **cells})
    assert row is not None
    found, _ = judge(row, RATE, Q3, TODAY)
    assert found is not None
    return found


KEYS = dict.fromkeys((1, 2, 3), (1, 1, 1, 0))


def test_identical_rows_collapse() -> None:
    same = [numbered(1), numbered(2, value=Decimal("85.50"), commune="26491"), numbered(3, regime="state")]
    kept, repeats, faults = duplicates(same, KEYS)
    assert ([one.row.number for one in kept], repeats, faults) == ([1], 2, [])


def test_contradicting_rows_are_all_refused() -> None:
    kept, repeats, faults = duplicates([numbered(1), numbered(2), numbered(3, value=86)], KEYS)
    assert (kept, repeats) == ([], 0)
    assert [(fault.row, fault.values["other"]) for fault in faults] == [(1, 3), (2, 1), (3, 1)]


STORED = Stored(
    version=3,
    kind=Kind.VALUE,
    value=Decimal("85.500000"),
    numerator=None,
    denominator=None,
    words=None,
    done_on=None,
    measured_on=date(2026, 9, 14),
    data_status=DataStatus.PRELIMINARY,
    source=None,
    evidence_url=None,
    note=None,
    is_withdrawn=False,
)


@pytest.mark.parametrize(
    ("cells", "stored", "outcome", "code"),
    [
        ({}, None, "created", None),
        ({}, STORED, "unchanged", None),
        ({"measured_on": "2026-09-01"}, STORED, "unchanged", None),
        ({"base_version": 1}, STORED, "unchanged", None),
        ({"value": 86}, STORED, "updated", None),
        ({"note": "đã rà soát"}, STORED, "updated", None),
        ({"value": 86, "base_version": 3}, STORED, "updated", None),
        ({"value": 86, "base_version": 2}, STORED, "stale", "changed_since_template"),
        ({"value": 86, "base_version": 1}, None, "stale", "changed_since_template"),
        ({"base_version": 0}, None, "created", None),
        ({"value": 86, "measured_on": "2026-09-13"}, STORED, "stale", "measured_on_older"),
        ({"value": 86, "measured_on": "2026-09-14"}, STORED, "updated", None),
        ({"value": None, "action": "withdraw", "reason": "nhầm"}, STORED, "updated", None),
        ({"value": None, "action": "withdraw", "reason": "nhầm"}, None, "refused", "nothing_to_withdraw"),
        (
            {"value": None, "action": "withdraw", "reason": "nhầm"},
            replace(STORED, is_withdrawn=True),
            "unchanged",
            None,
        ),
        ({}, replace(STORED, is_withdrawn=True), "updated", None),
    ],
)
def test_a_row_against_what_is_stored(
    cells: dict[str, Any], stored: Stored | None, outcome: str, code: str | None
) -> None:
    found = settle(judged(**cells), stored)
    assert found.outcome == outcome
    assert (found.fault.rule.code if found.fault else None) == code


def test_the_day_measured_never_grows_older_by_itself() -> None:
    later = replace(STORED, measured_on=date(2026, 10, 1))
    assert settle(judged(value=86), later).measured_on == date(2026, 10, 1)
    assert settle(judged(value=86, measured_on="2026-10-02"), later).measured_on == date(2026, 10, 2)
    assert settle(judged(value=86), None).measured_on == date(2026, 9, 14)


def test_versions_count_changes_only() -> None:
    assert settle(judged(), None).version == 1
    assert settle(judged(value=86), STORED).version == 4
    assert settle(judged(), STORED).version == 3
    assert settle(judged(value=86), STORED).outcome is Outcome.UPDATED
    assert settle(judged(value=86), STORED).is_withdrawal is False


def test_a_figure_speaks_in_the_column_of_its_kind() -> None:
    assert figure_of(STORED) == {"value": Decimal("85.5")}
    assert figure_of(judged(LEVEL, value=None, level=1)) == {"level": 1}
    assert figure_of(judged(RANK, value=None, rank=8)) == {"rank": 8}
    assert figure_of(judged(WORDS, value=None, text="x")) == {"text": "x"}
    assert figure_of(judged(DONE, value=None, done_on="2026-09-14")) == {"done_on": date(2026, 9, 14)}
    assert figure_of(judged(value=None, numerator=1, denominator=4)) == {
        "value": Decimal(25),
        "numerator": Decimal(1),
        "denominator": Decimal(4),
    }


def test_a_change_is_announced_with_old_and_new_figure() -> None:
    key = {"indicator": "RATE", "sub_population": None, "regime": "state", "period": "2026-Q3"}
    told = announced(settle(judged(value=86, note="x", evidence_url="https://x"), STORED), key)
    assert told == {
        **key,
        "action": "set",
        "old": {"value": Decimal("85.5"), "data_status": "preliminary", "measured_on": date(2026, 9, 14)},
        "new": {"value": Decimal(86), "data_status": "preliminary", "measured_on": date(2026, 9, 14)},
        "version": 4,
    }
    withdrawn = announced(settle(judged(value=None, action="withdraw", reason="nhầm"), STORED), key)
    assert (withdrawn["action"], withdrawn["new"], withdrawn["version"]) == ("withdraw", None, 4)
    back = announced(settle(judged(), replace(STORED, is_withdrawn=True)), key)
    assert back["old"] is None
