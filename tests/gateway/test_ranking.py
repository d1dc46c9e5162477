"""Ranking compares like with like, exactly, and shows what it compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.schema.ranking_root import like_with_like, placed


def figure(unit: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "admin_unit": unit, "regime": "state", "period_type": "quarter", "ends_on": "2026-06-14", "value": value,
        "numerator": None, "denominator": None, "level": None, "rank": None, "done_on": None, **more,
    }  # fmt: skip


def places(rows: list[dict[str, Any]], *, lower: bool = False) -> list[tuple[int, str]]:
    return [(item["place"], item["admin_unit"]) for item in placed(rows, is_lower_better=lower)]


def test_equal_figures_share_a_place_and_the_next_counts_them() -> None:
    rows = [figure("a", Decimal(80)), figure("b", Decimal("90.0")), figure("c", 90), figure("d", Decimal(70))]
    assert places(rows) == [(1, "b"), (1, "c"), (3, "a"), (4, "d")]
    assert places(rows, lower=True) == [(1, "d"), (2, "a"), (3, "b"), (3, "c")]


def test_ratios_are_compared_unrounded() -> None:
    third = figure("a", Decimal("33.333333"), numerator=1, denominator=3)
    less = figure("b", Decimal("33.333333"), numerator=33333333, denominator=100000000)
    assert places([less, third]) == [(1, "a"), (2, "b")]


def test_an_earlier_day_is_better() -> None:
    rows = [figure("a", done_on="2026-04-30"), figure("b", done_on="2026-03-01")]
    assert places(rows) == [(1, "b"), (2, "a")]


def test_levels_and_ranks_count_by_their_number() -> None:
    assert places([figure("a", level=2), figure("b", level=3)]) == [(1, "b"), (2, "a")]
    assert places([figure("a", rank=2), figure("b", rank=3)], lower=True) == [(1, "a"), (2, "b")]


def test_only_one_regime_and_kind_of_period_is_compared() -> None:
    rows = [
        figure("a", 1),
        figure("b", 2),
        figure("c", 3, regime="calendar"),
        figure("a", 9, period_type="year"),
    ]
    assert {(row["admin_unit"], row["value"]) for row in like_with_like(rows)} == {("a", 1), ("b", 2)}


def test_the_latest_figure_of_each_counts() -> None:
    rows = [figure("a", 1, ends_on="2026-03-14"), figure("a", 2), figure("a", 0, ends_on="2025-12-14")]
    assert [row["value"] for row in like_with_like(rows)] == [2]
    assert like_with_like([]) == []
