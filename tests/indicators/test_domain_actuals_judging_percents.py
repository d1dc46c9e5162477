"""Percent cells: points on a scale of 100, parts on a scale of 1."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from services.indicators.domain.actuals.judging import Verdict, judge_rows
from services.indicators.domain.actuals.resolving import resolve
from tests.indicators.frames import (
    TODAY,
    codes,
    only,
    read_csv,
    sentence,
    told,
)


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
