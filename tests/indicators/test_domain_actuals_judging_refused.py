"""Figures that are refused, each in words: every rule, edge values first."""

from __future__ import annotations

from typing import Any

import pytest

from tests.indicators.frames import (
    WITHDRAWN,
    of,
    only,
    ratio,
    sentence,
    told,
    verdict,
)

# Cells, column, code, value shown, the sentences.
REFUSED: list[tuple[dict[str, Any], str, str, str | None, str, str]] = [
    ({"period": "2027"}, "period", "period_not_begun", "2027",
     "Kỳ 2027 đến 2026-12-15 mới bắt đầu.",
     "Period 2027 does not begin before 2026-12-15."),
    ({"measured_on": "2026-11-23"}, "measured_on", "day_in_future", "2026-11-23",
     "Ngày 2026-11-23 ở tương lai.",
     "2026-11-23 lies in the future."),
    (of("DONE", done_on="2026-11-23"), "done_on", "day_in_future", "2026-11-23",
     "Ngày 2026-11-23 ở tương lai.",
     "2026-11-23 lies in the future."),
    (of("DONE", done_on="2026-09-15"), "done_on", "done_after_period", "2026-09-15",
     "Ngày hoàn thành 2026-09-15 sau khi kỳ kết thúc (2026-09-14).",
     "Done on 2026-09-15, after the period ended (2026-09-14)."),
    ({**WITHDRAWN, "reason": None}, "reason", "reason_missing", None,
     "Rút số liệu phải nêu lý do (reason).",
     "A withdrawal needs its reason."),
    ({**WITHDRAWN, "value": 85.5}, "value", "value_not_allowed", "85.5",
     "Dòng rút số liệu không mang value.",
     "A withdrawal carries no value."),
    ({**WITHDRAWN, "text": "x"}, "text", "value_not_allowed", "x",
     "Dòng rút số liệu không mang text.",
     "A withdrawal carries no text."),
    (ratio(5, None), "denominator", "row_field_missing", None,
     "Thiếu cột denominator.",
     "Column denominator is missing."),
    (ratio(None, 5), "numerator", "row_field_missing", None,
     "Thiếu cột numerator.",
     "Column numerator is missing."),
    (ratio(2, 3, value=66.67), "value", "value_contradicts_ratio", "66.67",
     "Giá trị 66.67 không bằng tử số chia mẫu số (66.666667).",
     "Value 66.67 is not numerator over denominator (66.666667)."),
    ({"value": 100.000001}, "value", "value_above_100", "100.000001",
     "100.000001 % vượt 100 % mà chỉ tiêu này không cho phép.",
     "100.000001 % is above 100 %, which this indicator does not allow."),
]  # fmt: skip


def assert_refused(cells: dict[str, Any], column: str, code: str, value: str | None, vi: str, en: str) -> None:
    """The row has this one fault, in both languages, and the row before it is kept."""
    found = verdict({}, cells)
    fault = only(found.findings)
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (2, column, code, value)
    assert (sentence(fault), sentence(fault, "en")) == (vi, en)
    assert found.frame["row"].to_list() == [1]


@pytest.mark.parametrize(("cells", "column", "code", "value", "vi", "en"), REFUSED)
def test_every_bad_figure_is_refused_in_words(
    cells: dict[str, Any], column: str, code: str, value: str | None, vi: str, en: str
) -> None:
    assert_refused(cells, column, code, value, vi, en)


@pytest.mark.parametrize(
    ("cells", "column", "value", "takes"),
    [
        (of("RATE", level=1), "level", "1", "value | numerator + denominator"),
        (of("LEVEL", value=80), "value", "80", "level"),
        ({"indicator": "COUNT", "text": "x"}, "text", "x", "value"),
        (of("RANK", value=1), "value", "1", "rank"),
        (of("DONE", value=1), "value", "1", "done_on"),
        (of("WORDS", done_on="2026-09-01"), "done_on", "2026-09-01", "text"),
    ],
)
def test_a_figure_stands_in_the_column_of_its_indicator(
    cells: dict[str, Any], column: str, value: str, takes: str
) -> None:
    assert_refused(
        cells, column, "value_kind_mismatch", value,
        f"Chỉ tiêu {cells['indicator']} nhận {takes}, không nhận {column}.",
        f"Indicator {cells['indicator']} takes {takes}, not {column}.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("indicator", "column", "needed"),
    [
        ("RATE", "value", "value | numerator + denominator"),
        ("COUNT", "value", "value"),
        ("LEVEL", "level", "level"),
        ("RANK", "rank", "rank"),
        ("WORDS", "text", "text"),
        ("DONE", "done_on", "done_on"),
    ],
)
def test_a_row_carries_a_figure(indicator: str, column: str, needed: str) -> None:
    assert_refused(
        of(indicator), column, "value_missing", None,
        f"Dòng không có số liệu: cần {needed}.",
        f"The row carries no figure: {needed} is needed.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "column", "value", "scale"),
    [
        ({"value": -0.1}, "value", "-0.1", "0-100"),
        ({"indicator": "OPEN_RATE", "value": -1}, "value", "-1", "0-100"),
        ({"indicator": "INDEX", "value": 100.5}, "value", "100.5", "0-1"),
        ({"indicator": "POINTS", "value": 101}, "value", "101", "0-100"),
        ({"indicator": "COUNT", "value": -1}, "value", "-1", "≥ 0"),
        (of("LEVEL", level=6), "level", "6", "1-5"),
        (of("LEVEL", level=0), "level", "0", "1-5"),
        (of("RANK", rank=0), "rank", "0", "≥ 1"),
        (ratio(-1, 3), "numerator", "-1", "≥ 0"),
        (ratio(-1, 10**9), "numerator", "-1", "≥ 0"),
    ],
)
def test_a_figure_is_on_its_scale(cells: dict[str, Any], column: str, value: str, scale: str) -> None:
    assert_refused(
        cells, column, "value_out_of_scale", value,
        f"{value} nằm ngoài thang đo {scale}.",
        f"{value} is outside the scale {scale}.",
    )  # fmt: skip


@pytest.mark.parametrize(("value", "meant"), [("70", "0.7"), ("1.000001", "0.01")])
def test_a_percentage_on_a_scale_of_1_is_told_what_was_meant(value: str, meant: str) -> None:
    assert_refused(
        {"indicator": "INDEX", "value": float(value)}, "value", "value_out_of_scale", value,
        f"{value} nằm ngoài thang đo 0-1. Có phải muốn ghi {meant}?",
        f"{value} is outside the scale 0-1. Was {meant} meant?",
    )  # fmt: skip


@pytest.mark.parametrize(("indicator", "value"), [("COUNT", "2.5"), ("AMOUNT", "0.000001")])
def test_what_is_counted_is_whole(indicator: str, value: str) -> None:
    assert_refused(
        {"indicator": indicator, "value": float(value)}, "value", "value_not_whole", value,
        f"{value} phải là số nguyên.",
        f"{value} must be a whole number.",
    )  # fmt: skip


@pytest.mark.parametrize("denominator", ["0", "-1"])
def test_a_denominator_is_above_zero(denominator: str) -> None:
    assert_refused(
        ratio(5, int(denominator)), "denominator", "denominator_zero", denominator,
        "Mẫu số phải lớn hơn 0.",
        "The denominator must be above zero.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "numerator", "denominator"), [(ratio(6, 5.5), "6", "5.5"), (ratio(9, 5, indicator="INDEX"), "9", "5")]
)
def test_a_part_is_not_above_its_whole(cells: dict[str, Any], numerator: str, denominator: str) -> None:
    assert_refused(
        cells, "numerator", "numerator_above_denominator", numerator,
        f"Tử số {numerator} lớn hơn mẫu số {denominator}.",
        f"Numerator {numerator} is above denominator {denominator}.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("numerator", "denominator", "value"),
    [(10**13, 0.1, "10000000000000000"), (99999999999999.9, 0.000001, "9999999999999990000000")],
)
def test_a_ratio_fits_where_it_is_stored(numerator: float, denominator: float, value: str) -> None:
    assert_refused(
        ratio(numerator, denominator, indicator="OPEN_RATE"), "numerator", "value_too_precise", value,
        f"{value} có quá 6 chữ số thập phân hoặc quá 14 chữ số nguyên.",
        f"{value} has more than 6 decimals or 14 whole digits.",
    )  # fmt: skip


def test_all_that_is_wrong_with_a_row_is_told() -> None:
    found = verdict(
        {"measured_on": "2027-01-01", "level": 1, "rank": 1},
        ratio(6, None, indicator="COUNT", value=1, done_on="2027-01-01"),
        {"period": "2027", "measured_on": "2027-01-01", "value": 101},
    )
    assert told(found.findings) == [
        (1, "measured_on", "day_in_future"),
        (1, "level", "value_kind_mismatch"),
        (1, "rank", "value_kind_mismatch"),
        (2, "numerator", "value_kind_mismatch"),
        (2, "done_on", "value_kind_mismatch"),
        (3, "period", "period_not_begun"),
        (3, "measured_on", "day_in_future"),
        (3, "value", "value_above_100"),
    ]


def test_of_a_withdrawal_only_that_it_carries_something_is_told() -> None:
    rows = [
        {**WITHDRAWN, "reason": None, "value": 101},
        {**WITHDRAWN, "numerator": 6},
        {**WITHDRAWN, "done_on": "2027-01-01"},
    ]
    assert told(verdict(*rows).findings) == [
        (1, "reason", "reason_missing"),
        (1, "value", "value_not_allowed"),
        (2, "numerator", "value_not_allowed"),
        (3, "done_on", "value_not_allowed"),
    ]
