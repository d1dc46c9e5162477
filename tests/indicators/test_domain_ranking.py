"""Ranking compares like with like, exactly, and shows what it compared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from chassis.periods import PeriodType, Window
from services.indicators.domain.catalogue import Direction, ValueType
from services.indicators.domain.evaluation import Figure
from services.indicators.domain.ranking import Entrant, Method, like_with_like, method_of, placed

HIGHEST, LOWEST, EARLIEST = Method.HIGHEST_FIRST, Method.LOWEST_FIRST, Method.EARLIEST_FIRST


def entrant(unit: str, value: Any = None, *, ends_on: str = "2026-06-14", **more: Any) -> Entrant:
    regime = more.pop("regime", "state")
    period_type = more.pop("period_type", PeriodType.QUARTER)
    window = Window(date(2025, 1, 1), date.fromisoformat(ends_on))
    number = None if value is None else Decimal(value)
    return Entrant(unit, regime, Figure(window, period_type, number, **more))


def places(entrants: list[Entrant], method: Method = HIGHEST) -> list[tuple[int, str]]:
    return [(each.place, each.entrant.admin_unit) for each in placed(entrants, method)]


def test_equal_figures_share_a_place_and_the_next_counts_them() -> None:
    four = [entrant("a", 80), entrant("b", "90.0"), entrant("c", 90), entrant("d", 70)]
    assert places(four) == [(1, "b"), (1, "c"), (3, "a"), (4, "d")]
    assert places(four, LOWEST) == [(1, "d"), (2, "a"), (3, "b"), (3, "c")]


def test_ratios_are_compared_unrounded() -> None:
    third = entrant("a", "33.333333", numerator=Decimal(1), denominator=Decimal(3))
    less = entrant("b", "33.333333", numerator=Decimal(33333333), denominator=Decimal(100000000))
    assert places([less, third]) == [(1, "a"), (2, "b")]


def test_a_ratio_and_a_plain_percent_are_compared_in_one_scale() -> None:
    third = entrant("a", "33.333333", numerator=Decimal(1), denominator=Decimal(3), per_hundred=True)
    assert places([third, entrant("b", 33), entrant("c", 34)]) == [(1, "c"), (2, "a"), (3, "b")]


def test_an_earlier_day_is_better() -> None:
    two = [entrant("a", done_on=date(2026, 4, 30)), entrant("b", done_on=date(2026, 3, 1))]
    assert places(two, EARLIEST) == [(1, "b"), (2, "a")]


def test_the_method_follows_the_indicator() -> None:
    assert method_of(ValueType.MILESTONE, Direction.BOOLEAN) is EARLIEST
    assert method_of(ValueType.RANK, Direction.LOWER) is LOWEST
    assert method_of(ValueType.LEVEL, Direction.BOOLEAN) is HIGHEST
    assert method_of(ValueType.PERCENT, Direction.HIGHER) is HIGHEST


def test_only_one_regime_and_kind_of_period_is_compared() -> None:
    four = [
        entrant("a", 1),
        entrant("b", 2),
        entrant("c", 3, regime="calendar"),
        entrant("a", 9, period_type=PeriodType.YEAR),
    ]
    chosen = like_with_like(four, HIGHEST)
    assert {(each.admin_unit, each.figure.value) for each in chosen} == {("a", 1), ("b", 2)}


def test_the_latest_figure_of_each_counts() -> None:
    three = [entrant("a", 1, ends_on="2026-03-14"), entrant("a", 2), entrant("a", 0, ends_on="2025-12-14")]
    assert [each.figure.value for each in like_with_like(three, HIGHEST)] == [2]


def test_what_has_no_number_takes_no_part() -> None:
    assert like_with_like([], HIGHEST) == []
    assert like_with_like([entrant("a"), entrant("b", done_on=date(2026, 3, 1))], HIGHEST) == []
    assert like_with_like([entrant("a", 1)], EARLIEST) == []
