"""Figures that look odd are kept with a warning: ratios on a scale of 100, jumps from period to period."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from chassis.tabular import Findings
from services.indicators.domain.actuals.judging import tell_jumps
from tests.indicators.frames import (
    WITHDRAWN,
    judged,
    only,
    ratio,
    sentence,
    told,
    verdict,
)


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


def jumps(frame: pl.DataFrame, before: Any) -> Findings:
    """What is told of figures whose last period had this one."""
    key = frame.select("admin_unit_id", "indicator_id", "sub_population_id", period_id="previous_id")
    return tell_jumps(frame, key.with_columns(previous=pl.lit(Decimal(str(before)), pl.Decimal(38, 6))))


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
    found = jumps(judged({"indicator": indicator, "value": number}), before)
    assert [sentence(fault, "en") for fault in found.listed()] == ([text] if is_far else [])


def test_a_jump_is_told_in_words() -> None:
    fault = only(jumps(judged({}), "20.5"))
    assert (fault.row, fault.column, fault.rule.code, fault.value) == (1, "value", "value_jumps", "85.5")
    assert sentence(fault) == "85.5 khác xa kỳ trước (20.5); hãy kiểm tra lại."


def test_a_withdrawal_jumps_nowhere() -> None:
    assert told(jumps(judged(WITHDRAWN), 1)) == []
