"""Rows against their indicators and periods: every rule, edge values first; figures in the form they are stored in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.decimals import quotient
from services.indicators.domain.actuals.columns import Kind
from services.indicators.domain.actuals.judging import Verdict, judge_rows, tell_jumps, without, written
from services.indicators.domain.actuals.resolving import resolve
from tests.indicators.frames import (
    TODAY,
    WITHDRAWN,
    codes,
    judged,
    only,
    read_csv,
    resolved,
    sentence,
    told,
    verdict,
)

OF_NONE: dict[str, Any] = {"value": None}


def ratio(numerator: Any, denominator: Any, **cells: Any) -> dict[str, Any]:
    return {**OF_NONE, "numerator": numerator, "denominator": denominator, **cells}


def of(indicator: str, **cells: Any) -> dict[str, Any]:
    return {**OF_NONE, "indicator": indicator, **cells}


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
    (of("RATE", level=1), "level", "value_kind_mismatch", "1",
     "Chỉ tiêu RATE nhận value | numerator + denominator, không nhận level.",
     "Indicator RATE takes value | numerator + denominator, not level."),
    ({"indicator": "LEVEL", "value": 80}, "value", "value_kind_mismatch", "80",
     "Chỉ tiêu LEVEL nhận level, không nhận value.",
     "Indicator LEVEL takes level, not value."),
    ({"indicator": "COUNT", "text": "x"}, "text", "value_kind_mismatch", "x",
     "Chỉ tiêu COUNT nhận value, không nhận text.",
     "Indicator COUNT takes value, not text."),
    (of("RANK", value=1), "value", "value_kind_mismatch", "1",
     "Chỉ tiêu RANK nhận rank, không nhận value.",
     "Indicator RANK takes rank, not value."),
    (of("DONE", value=1), "value", "value_kind_mismatch", "1",
     "Chỉ tiêu DONE nhận done_on, không nhận value.",
     "Indicator DONE takes done_on, not value."),
    (of("WORDS", done_on="2026-09-01"), "done_on", "value_kind_mismatch", "2026-09-01",
     "Chỉ tiêu WORDS nhận text, không nhận done_on.",
     "Indicator WORDS takes text, not done_on."),
    (of("RATE"), "value", "value_missing", None,
     "Dòng không có số liệu: cần value | numerator + denominator.",
     "The row carries no figure: value | numerator + denominator is needed."),
    (of("COUNT"), "value", "value_missing", None,
     "Dòng không có số liệu: cần value.",
     "The row carries no figure: value is needed."),
    (of("LEVEL"), "level", "value_missing", None,
     "Dòng không có số liệu: cần level.",
     "The row carries no figure: level is needed."),
    (of("RANK"), "rank", "value_missing", None,
     "Dòng không có số liệu: cần rank.",
     "The row carries no figure: rank is needed."),
    (of("WORDS"), "text", "value_missing", None,
     "Dòng không có số liệu: cần text.",
     "The row carries no figure: text is needed."),
    (of("DONE"), "done_on", "value_missing", None,
     "Dòng không có số liệu: cần done_on.",
     "The row carries no figure: done_on is needed."),
    (ratio(5, None), "denominator", "row_field_missing", None,
     "Thiếu cột denominator.",
     "Column denominator is missing."),
    (ratio(None, 5), "numerator", "row_field_missing", None,
     "Thiếu cột numerator.",
     "Column numerator is missing."),
    (ratio(5, 0), "denominator", "denominator_zero", "0",
     "Mẫu số phải lớn hơn 0.",
     "The denominator must be above zero."),
    (ratio(5, -1), "denominator", "denominator_zero", "-1",
     "Mẫu số phải lớn hơn 0.",
     "The denominator must be above zero."),
    (ratio(6, 5.5), "numerator", "numerator_above_denominator", "6",
     "Tử số 6 lớn hơn mẫu số 5.5.",
     "Numerator 6 is above denominator 5.5."),
    (ratio(2, 3, value=66.67), "value", "value_contradicts_ratio", "66.67",
     "Giá trị 66.67 không bằng tử số chia mẫu số (66.666667).",
     "Value 66.67 is not numerator over denominator (66.666667)."),
    ({"value": -0.1}, "value", "value_out_of_scale", "-0.1",
     "-0.1 nằm ngoài thang đo 0-100.",
     "-0.1 is outside the scale 0-100."),
    ({"value": 100.000001}, "value", "value_above_100", "100.000001",
     "100.000001 % vượt 100 % mà chỉ tiêu này không cho phép.",
     "100.000001 % is above 100 %, which this indicator does not allow."),
    ({"indicator": "OPEN_RATE", "value": -1}, "value", "value_out_of_scale", "-1",
     "-1 nằm ngoài thang đo 0-100.",
     "-1 is outside the scale 0-100."),
    ({"indicator": "INDEX", "value": 70}, "value", "value_out_of_scale", "70",
     "70 nằm ngoài thang đo 0-1. Có phải muốn ghi 0.7?",
     "70 is outside the scale 0-1. Was 0.7 meant?"),
    ({"indicator": "INDEX", "value": 1.000001}, "value", "value_out_of_scale", "1.000001",
     "1.000001 nằm ngoài thang đo 0-1. Có phải muốn ghi 0.01?",
     "1.000001 is outside the scale 0-1. Was 0.01 meant?"),
    ({"indicator": "INDEX", "value": 100.5}, "value", "value_out_of_scale", "100.5",
     "100.5 nằm ngoài thang đo 0-1.",
     "100.5 is outside the scale 0-1."),
    ({"indicator": "POINTS", "value": 101}, "value", "value_out_of_scale", "101",
     "101 nằm ngoài thang đo 0-100.",
     "101 is outside the scale 0-100."),
    ({"indicator": "COUNT", "value": 2.5}, "value", "value_not_whole", "2.5",
     "2.5 phải là số nguyên.",
     "2.5 must be a whole number."),
    ({"indicator": "AMOUNT", "value": 0.000001}, "value", "value_not_whole", "0.000001",
     "0.000001 phải là số nguyên.",
     "0.000001 must be a whole number."),
    ({"indicator": "COUNT", "value": -1}, "value", "value_out_of_scale", "-1",
     "-1 nằm ngoài thang đo ≥ 0.",
     "-1 is outside the scale ≥ 0."),
    (of("LEVEL", level=6), "level", "value_out_of_scale", "6",
     "6 nằm ngoài thang đo 1-5.",
     "6 is outside the scale 1-5."),
    (of("LEVEL", level=0), "level", "value_out_of_scale", "0",
     "0 nằm ngoài thang đo 1-5.",
     "0 is outside the scale 1-5."),
    (of("RANK", rank=0), "rank", "value_out_of_scale", "0",
     "0 nằm ngoài thang đo ≥ 1.",
     "0 is outside the scale ≥ 1."),
    (ratio(-1, 3), "numerator", "value_out_of_scale", "-1",
     "-1 nằm ngoài thang đo ≥ 0.",
     "-1 is outside the scale ≥ 0."),
    (ratio(-1, 10**9), "numerator", "value_out_of_scale", "-1",
     "-1 nằm ngoài thang đo ≥ 0.",
     "-1 is outside the scale ≥ 0."),
    (ratio(10**13, 0.1, indicator="OPEN_RATE"), "numerator", "value_too_precise", "10000000000000000",
     "10000000000000000 có quá 6 chữ số thập phân hoặc quá 14 chữ số nguyên.",
     "10000000000000000 has more than 6 decimals or 14 whole digits."),
    (ratio(99999999999999.9, 0.000001, indicator="OPEN_RATE"), "numerator", "value_too_precise",
     "9999999999999990000000",
     "9999999999999990000000 có quá 6 chữ số thập phân hoặc quá 14 chữ số nguyên.",
     "9999999999999990000000 has more than 6 decimals or 14 whole digits."),
    (ratio(9, 5, indicator="INDEX"), "numerator", "numerator_above_denominator", "9",
     "Tử số 9 lớn hơn mẫu số 5.",
     "Numerator 9 is above denominator 5."),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "column", "code", "value", "vi", "en"), REFUSED)
def test_every_bad_figure_is_refused_in_words(
    cells: dict[str, Any], column: str, code: str, value: str | None, vi: str, en: str
) -> None:
    found = verdict({}, cells)
    fault = only(found.findings)
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (2, column, code, value)
    assert (sentence(fault), sentence(fault, "en")) == (vi, en)
    assert found.frame["row"].to_list() == [1]


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


# Cells, kind, the number.
KEPT: list[tuple[dict[str, Any], Kind, str]] = [
    ({"value": 0}, Kind.VALUE, "0"),
    ({"value": 100}, Kind.VALUE, "100"),
    ({"value": 99.999999}, Kind.VALUE, "99.999999"),
    ({"indicator": "OPEN_RATE", "value": 104}, Kind.VALUE, "104"),
    (ratio(2, 3), Kind.VALUE, "66.666667"),
    (ratio(2, 3, value=66.666667), Kind.VALUE, "66.666667"),
    (ratio(0, 3), Kind.VALUE, "0"),
    (ratio(3, 3), Kind.VALUE, "100"),
    (ratio(1, 200000000), Kind.VALUE, "0.000001"),
    (ratio(1, 200000001), Kind.VALUE, "0"),
    (ratio(0.5, 2.5), Kind.VALUE, "20"),
    (ratio(6, 5, indicator="OPEN_RATE"), Kind.VALUE, "120"),
    (ratio(99999999999.9, 0.1, indicator="OPEN_RATE"), Kind.VALUE, "99999999999900"),
    (ratio(7, 10, indicator="INDEX"), Kind.VALUE, "0.7"),
    (ratio(7, 10, indicator="SHARE"), Kind.VALUE, "0.7"),
    (ratio(2, 3, indicator="POINTS"), Kind.VALUE, "66.666667"),
    ({"indicator": "INDEX", "value": 0.7214}, Kind.VALUE, "0.7214"),
    ({"indicator": "INDEX", "value": 1}, Kind.VALUE, "1"),
    ({"indicator": "COUNT", "value": 3.0}, Kind.VALUE, "3"),
    ({"indicator": "AMOUNT", "value": 99999999999999}, Kind.VALUE, "99999999999999"),
    (of("LEVEL", level=1), Kind.LEVEL, "1"),
    (of("LEVEL", level=5), Kind.LEVEL, "5"),
    (of("RANK", rank=1), Kind.RANK, "1"),
    (of("RANK", rank=999999999), Kind.RANK, "999999999"),
]


@pytest.mark.parametrize(("cells", "kind", "number"), KEPT)
def test_good_figures_are_kept_exactly(cells: dict[str, Any], kind: Kind, number: str) -> None:
    frame = judged(cells)
    assert frame.select("kind", "number").rows() == [(kind, Decimal(number))]
    assert frame["number"].dtype == pl.Decimal(38, 6)


def test_words_and_days_are_figures_too() -> None:
    frame = judged(of("WORDS", text="Theo phân bổ"), of("DONE", done_on="2026-09-14"))
    assert frame.select("kind", "number", "words", "done_on").rows() == [
        (Kind.TEXT, None, "Theo phân bổ", None),
        (Kind.DONE_ON, None, None, date(2026, 9, 14)),
    ]


def test_a_ratio_keeps_its_parts_and_what_is_said_beside_it() -> None:
    frame = judged(ratio(2, 3, value=66.666667), {"value": 85.5})
    assert frame.select("number", "numerator", "denominator", "stated").rows() == [
        (Decimal("66.666667"), Decimal(2), Decimal(3), Decimal("66.666667")),
        (Decimal("85.5"), None, None, None),
    ]


DIGITS = st.decimals(min_value=0, max_value=99999999999999, places=6, allow_nan=False)


@settings(max_examples=60)
@given(parts=st.lists(st.tuples(DIGITS, DIGITS.filter(bool)), min_size=1, max_size=30))
def test_ratios_are_rounded_once_and_half_up(parts: list[tuple[Decimal, Decimal]]) -> None:
    pairs = [(min(pair), max(pair)) for pair in parts]
    lines = "\n".join(f"26491;RATE;2026-Q3;{top};{bottom}\n26491;INDEX;2026-Q3;{top};{bottom}" for top, bottom in pairs)
    values = read_csv(f"admin_unit;indicator;period;numerator;denominator\n{lines}\n", None)
    found = judge_rows(resolve(values.frame, codes()), TODAY)
    assert told(values.findings) == told(found.findings) == []
    wanted = [quotient(top * times, bottom) for top, bottom in pairs for times in (100, 1)]
    assert found.frame["number"].to_list() == wanted


def percents(*lines: str) -> Verdict:
    values = read_csv("\n".join(["admin_unit;indicator;period;value;numerator;denominator", *lines]) + "\n")
    assert told(values.findings) == []
    return judge_rows(resolve(values.frame, codes()), TODAY)


def test_a_percent_cell_means_its_points_on_100_and_its_part_on_1() -> None:
    found = percents(
        "26491;RATE;2026-Q3;70%;;",
        "26491;INDEX;2026-Q3;70%;;",
        "26491;INDEX;2026-Q3;70,1234 %;;",
        "26491;INDEX;2026-Q3;0,7;;",
        "26491;POINTS;2026-Q3;70%;;",
        "26491;SHARE;2026-Q3;70%;;",
        "26491;INDEX;2026-Q3;70%;7;10",
        "26491;RATE;2026-Q3;70%;7;10",
    )
    assert told(found.findings) == []
    assert [str(number.normalize()) for number in found.frame["number"]] == [
        "7E+1", "0.7", "0.701234", "0.7", "7E+1", "0.7", "0.7", "7E+1",
    ]  # fmt: skip
    assert found.frame["number"].dtype == pl.Decimal(38, 6)


def test_a_percent_cell_with_more_digits_than_are_kept_is_refused() -> None:
    fine = percents("26491;RATE;2026-Q3;70,123456%;;", "26491;INDEX;2026-Q3;70,12345%;;")
    fault = only(fine.findings)
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (3, "value", "value_too_precise", "70.12345")
    assert sentence(fault) == "70.12345 có quá 6 chữ số thập phân hoặc quá 14 chữ số nguyên."
    assert sentence(fault, "en") == "70.12345 has more than 6 decimals or 14 whole digits."
    assert fine.frame["number"].to_list() == [Decimal("70.123456")]


def test_a_percent_cell_of_a_count_is_refused() -> None:
    fault = only(percents("26491;COUNT;2026-Q3;70%;;").findings)
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (2, "value", "number_mark_unexpected", "70")
    assert sentence(fault) == "Cột value không nhận “%” sau số."
    assert sentence(fault, "en") == "Column value takes no “%” after the number."


def test_status_and_day_measured_follow_from_the_period() -> None:
    running = {"period": "2026"}  # until 14 December
    frame = judged({}, running, {"data_status": "official", "measured_on": "2026-09-01"})
    assert frame.select("data_status", "measured_on", "measured_stated").rows() == [
        (2, date(2026, 9, 14), None),
        (1, TODAY, None),
        (3, date(2026, 9, 1), date(2026, 9, 1)),
    ]


@pytest.mark.parametrize(("today", "status", "day"), [(14, 1, 14), (15, 2, 14), (13, 1, 13)])
def test_a_figure_is_preliminary_from_the_day_after_the_period(today: int, status: int, day: int) -> None:
    frame = judge_rows(resolved({}), date(2026, 9, today)).frame
    assert frame.select("data_status", "measured_on").rows() == [(status, date(2026, 9, day))]


def test_a_period_has_figures_from_its_first_day() -> None:
    assert told(judge_rows(resolved({}), date(2026, 6, 15)).findings) == []
    assert told(judge_rows(resolved({}), date(2026, 6, 14)).findings) == [(1, "period", "period_not_begun")]


def test_a_withdrawal_carries_no_figure() -> None:
    frame = judged(WITHDRAWN)
    assert frame.select("is_withdrawn", "number", "words", "done_on", "reason").rows() == [
        (True, None, None, None, "nhầm xã")
    ]


def test_odd_looking_figures_are_kept_with_a_warning() -> None:
    found = verdict(
        {"indicator": "OPEN_RATE", "value": 104},
        {"value": 0.7},
        {"value": 0.00005},
        {"value": 1},
        {"value": 0},
        ratio(1, 200),
        {"indicator": "INDEX", "value": 0.7},
        {"indicator": "OPEN_RATE", "value": 100},
        {"indicator": "SHARE", "value": 0.7},
    )
    assert told(found.findings) == []
    assert [(fault.row, fault.column, fault.rule.code, fault.value) for fault in found.warnings.listed()] == [
        (1, "value", "above_100_allowed", "104"),
        (2, "value", "looks_like_ratio", "0.7"),
        (3, "value", "looks_like_ratio", "0.00005"),
    ]
    assert [sentence(fault) for fault in found.warnings.listed()] == [
        "104 % vượt 100 %; hãy kiểm tra lại.",
        "0.7 trên thang 0-100: có phải muốn ghi 70?",
        "0.00005 trên thang 0-100: có phải muốn ghi 0.005?",
    ]
    assert [sentence(fault, "en") for fault in found.warnings.listed()] == [
        "104 % is above 100 %; check it.",
        "0.7 on a scale of 0-100: was 70 meant?",
        "0.00005 on a scale of 0-100: was 0.005 meant?",
    ]


def jumps(number: Any, before: Any, indicator: str = "RATE") -> list[str]:
    frame = judged({"indicator": indicator, "value": number})
    key = frame.select("admin_unit_id", "indicator_id", "sub_population_id", period_id="previous_id")
    previous = key.with_columns(previous=pl.lit(Decimal(str(before)), pl.Decimal(38, 6)))
    return [sentence(fault, "en") for fault in tell_jumps(frame, previous).listed()]


@pytest.mark.parametrize(
    ("indicator", "number", "before", "is_far"),
    [
        ("RATE", 85.5, 55.5, False),
        ("RATE", 85.5, 55.499999, True),
        ("RATE", 10, 40, False),
        ("RATE", 10, 40.000001, True),
        ("INDEX", 0.9, 0.6, False),
        ("INDEX", 0.9, 0.599999, True),
        ("POINTS", 85, 55, False),
        ("POINTS", 85, 54, True),
        ("COUNT", 30, 10, False),
        ("COUNT", 31, 10, True),
        ("COUNT", 10, 30, False),
        ("COUNT", 10, 31, True),
        ("COUNT", 0, 31, False),
        ("COUNT", 31, 0, False),
    ],
)
def test_figures_far_from_the_last_periods_are_told(
    indicator: str, number: float, before: float, *, is_far: bool
) -> None:
    text = f"{number:g} is far from the last period ({Decimal(str(before)):f}); check it."
    assert jumps(number, before, indicator) == ([text] if is_far else [])


def test_a_jump_is_told_in_words() -> None:
    frame = judged({}).with_columns(previous_id=pl.lit(20, pl.Int32))
    previous = pl.DataFrame(
        {"admin_unit_id": [1], "indicator_id": [1], "period_id": [20], "sub_population_id": [0], "previous": ["20.5"]}
    ).cast({"previous": pl.Decimal(38, 6)}, strict=True)
    narrow = previous.with_columns(pl.col(name).cast(pl.Int32) for name in previous.columns[:4])
    fault = only(tell_jumps(frame, narrow))
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (1, "value", "value_jumps", "85.5")
    assert sentence(fault) == "85.5 khác xa kỳ trước (20.5); hãy kiểm tra lại."


def test_a_withdrawal_jumps_nowhere() -> None:
    frame = judged(WITHDRAWN)
    key = frame.select("admin_unit_id", "indicator_id", "sub_population_id", period_id="previous_id")
    assert told(tell_jumps(frame, key.with_columns(previous=pl.lit(Decimal(1), pl.Decimal(38, 6))))) == []


@pytest.mark.parametrize(
    ("number", "text"), [("0", "0"), ("100", "100"), ("85.50", "85.5"), ("-0.000001", "-0.000001"), ("1000", "1000")]
)
def test_numbers_are_written_as_json_writes_them(number: str, text: str) -> None:
    frame = pl.DataFrame({"number": [Decimal(number)]}, schema={"number": pl.Decimal(38, 6)})
    assert frame.select(written(pl.col("number"))).item() == text


def test_rows_complained_of_are_left_out() -> None:
    found = resolved({}, {"value": 101}, {"value": 3})
    assert without(found, verdict({}, {"value": 101}).findings)["row"].to_list() == [1, 3]


def test_no_rows_are_no_trouble() -> None:
    found = judge_rows(resolved(), TODAY)
    assert (found.frame.height, found.findings.total, found.warnings.total) == (0, 0, 0)
