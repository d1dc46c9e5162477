"""The verdicts, case by case, edge values first."""

from datetime import date
from decimal import Decimal

import pytest

from chassis.decimals import quotient
from chassis.periods import Period, PeriodType, Window
from services.indicators.domain.catalogue import Direction, ValueType
from services.indicators.domain.evaluation import (
    Achievement,
    Figure,
    Goal,
    NoData,
    Verdict,
    evaluate,
    expected_value,
)
from services.indicators.domain.periods import Due
from services.indicators.domain.targets import Comparator, Trajectory

YEAR = Window(date(2026, 1, 1), date(2026, 12, 31))
Q3 = Window(date(2026, 6, 15), date(2026, 9, 14))
NOVEMBER = date(2026, 11, 22)
NEW_YEAR = date(2027, 1, 1)


def goal(comparator: str = "gte", value: str | None = "80", **changes: object) -> Goal:
    asked = {
        "comparator": Comparator(comparator),
        "value_type": ValueType.PERCENT,
        "direction": Direction.HIGHER,
        "due": YEAR,
        "value": None if value is None else Decimal(value),
        "highest": Decimal(100),
        **changes,
    }
    return Goal(**asked)  # type: ignore[arg-type]


def figure(value: str | None = None, **changes: object) -> Figure:
    known = {
        "window": Q3,
        "period_type": PeriodType.QUARTER,
        "value": None if value is None else Decimal(value),
        **changes,
    }
    return Figure(**known)  # type: ignore[arg-type]


def verdict(asked: Goal, known: Figure | None, on: date = NOVEMBER) -> Achievement:
    return evaluate(asked, known, [], on).achievement


@pytest.mark.parametrize(
    ("comparator", "value", "achievement"),
    [
        ("gte", "79.999999", "on_track"),
        ("gte", "80", "met"),
        ("gte", "80.000001", "exceeded"),
        ("gt", "80", "on_track"),
        ("gt", "80.000001", "exceeded"),
        ("eq", "80", "met"),
        ("eq", "81", "on_track"),
    ],
)
def test_strict_and_inclusive_differ_at_equality(comparator: str, value: str, achievement: str) -> None:
    assert verdict(goal(comparator), figure(value)) == achievement


def test_a_figure_that_falls_short_is_not_met_once_the_due_day_is_over() -> None:
    assert verdict(goal(), figure("79"), date(2026, 12, 31)) is Achievement.ON_TRACK
    assert verdict(goal(), figure("79"), NEW_YEAR) is Achievement.NOT_MET


def test_a_figure_for_the_whole_year_is_final_before_the_calendar_year_ends() -> None:
    whole = figure("79", window=Window(date(2025, 12, 15), date(2026, 12, 14)), period_type=PeriodType.YEAR)
    assert verdict(goal(), whole, date(2026, 12, 20)) is Achievement.NOT_MET


def test_a_target_of_100_percent_is_a_ceiling() -> None:
    above = evaluate(goal(value="100"), figure("104"), [], NOVEMBER)
    assert above == Verdict(Achievement.MET, "gte.ceiling", Decimal("1.000000"))
    assert evaluate(goal(value="100"), figure("99"), [], NOVEMBER).ratio == Decimal("0.990000")


def test_an_index_may_exceed_its_target_below_the_end_of_its_scale() -> None:
    asked = goal(value="0.7", value_type=ValueType.INDEX, highest=Decimal(1))
    assert evaluate(asked, figure("0.84"), [], NOVEMBER) == Verdict(Achievement.EXCEEDED, "gte", Decimal("1.200000"))


def test_a_quotient_is_compared_exactly_and_never_rounded_over_the_threshold() -> None:
    near = figure("80.000000", numerator=Decimal(7_999_999_999), denominator=Decimal(10_000_000_000), per_hundred=True)
    found = evaluate(goal(), near, [], NOVEMBER)
    assert found.achievement is Achievement.ON_TRACK
    assert found.ratio == Decimal("0.999999")


def test_two_thirds_and_halves_are_rounded_half_up_at_six_places() -> None:
    assert quotient(Decimal(2), Decimal(3)) == Decimal("0.666667")
    assert quotient(Decimal("0.0000005"), Decimal(1)) == Decimal("0.000001")
    assert quotient(Decimal("-0.0000005"), Decimal(1)) == Decimal("-0.000001")
    assert quotient(Decimal(1), Decimal(3)) == Decimal("0.333333")


@pytest.mark.parametrize(
    ("comparator", "value", "during", "after"),
    [
        ("eq", "0", "on_track", "met"),
        ("eq", "1", "off_track", "not_met"),
        ("lte", "0", "on_track", "met"),
        ("lt", "0", "off_track", "not_met"),
    ],
)
def test_a_limit_can_break_until_its_last_day(comparator: str, value: str, during: str, after: str) -> None:
    asked = goal(comparator, "0", value_type=ValueType.COUNT, direction=Direction.LOWER, highest=None)
    assert verdict(asked, figure(value)) == during
    assert verdict(asked, figure(value), NEW_YEAR) == after
    assert evaluate(asked, figure(value), [], NEW_YEAR).ratio is None


def test_staying_below_a_limit_exceeds_it_in_the_end() -> None:
    asked = goal("lte", "5", value_type=ValueType.COUNT, direction=Direction.LOWER, highest=None)
    assert verdict(asked, figure("3"), NEW_YEAR) is Achievement.EXCEEDED
    assert verdict(asked, figure("5"), NEW_YEAR) is Achievement.MET


@pytest.mark.parametrize(("rank", "achievement"), [("10", "met"), ("3", "met"), ("11", "on_track")])
def test_top_ten_is_the_tenth_place_or_better_and_has_no_ratio(rank: str, achievement: str) -> None:
    asked = goal("top_n", "10", value_type=ValueType.RANK, direction=Direction.LOWER, highest=None)
    assert evaluate(asked, figure(rank), [], NOVEMBER) == Verdict(Achievement(achievement), "top_n")


def test_a_legal_level_is_met_by_that_level_alone() -> None:
    asked = goal("eq", "1", value_type=ValueType.LEVEL, direction=Direction.BOOLEAN, highest=Decimal(5))
    assert evaluate(asked, figure("1"), [], NOVEMBER) == Verdict(Achievement.MET, "eq")
    assert verdict(asked, figure("2"), NEW_YEAR) is Achievement.NOT_MET


def test_a_maturity_level_can_be_exceeded_and_has_no_ratio() -> None:
    asked = goal("gte", "3", value_type=ValueType.LEVEL, highest=Decimal(5))
    assert evaluate(asked, figure("4"), [], NOVEMBER) == Verdict(Achievement.EXCEEDED, "gte")


def test_a_yes_or_no_percent_is_met_without_ratio() -> None:
    asked = goal(value="100", direction=Direction.BOOLEAN)
    assert evaluate(asked, figure("100"), [], NOVEMBER) == Verdict(Achievement.MET, "gte.ceiling")


APRIL = Window(date(2026, 4, 1), date(2026, 4, 30))


@pytest.mark.parametrize(
    ("done_on", "achievement", "days"),
    [
        (date(2026, 3, 1), "met", None),
        (date(2026, 4, 30), "met", None),
        (date(2026, 5, 1), "not_met", 1),
    ],
)
def test_a_milestone_is_judged_by_its_day(done_on: date, achievement: str, days: int | None) -> None:
    asked = goal("by_date", None, value_type=ValueType.MILESTONE, direction=Direction.BOOLEAN, due=APRIL, highest=None)
    found = evaluate(asked, figure(done_on=done_on), [], NOVEMBER)
    assert found == Verdict(Achievement(achievement), "by_date", days_late=days)


@pytest.mark.parametrize(
    ("on", "why", "days"),
    [
        (date(2026, 3, 31), NoData.NOT_DUE, None),
        (date(2026, 4, 1), NoData.DUE, None),
        (date(2026, 4, 30), NoData.DUE, None),
        (date(2026, 5, 1), NoData.LATE, 1),
    ],
)
def test_an_unreported_milestone_says_whether_it_is_late(on: date, why: NoData, days: int | None) -> None:
    asked = goal("by_date", None, value_type=ValueType.MILESTONE, due=APRIL, highest=None)
    assert evaluate(asked, None, [], on) == Verdict(Achievement.NO_DATA, "by_date", no_data=why, days_late=days)


JUNE = Due(Period(PeriodType.HALF_YEAR, 2026, 1), date(2026, 5, 31), date(2026, 6, 10))


@pytest.mark.parametrize(
    ("on", "why", "days"),
    [
        (date(2026, 5, 30), NoData.NOT_DUE, None),
        (date(2026, 5, 31), NoData.DUE, None),
        (date(2026, 6, 10), NoData.DUE, None),
        (date(2026, 6, 11), NoData.LATE, 1),
    ],
)
def test_a_missing_figure_says_why_it_is_missing(on: date, why: NoData, days: int | None) -> None:
    found = evaluate(goal(), None, [JUNE], on)
    assert found == Verdict(Achievement.NO_DATA, "gte", no_data=why, due=JUNE, days_late=days)


def test_without_a_dated_duty_nothing_can_be_late() -> None:
    found = evaluate(goal(), None, [], NEW_YEAR)
    assert found == Verdict(Achievement.NO_DATA, "gte", no_data=NoData.NO_DATED_DUTY)


@pytest.mark.parametrize("value_type", ["text", "milestone", "percent", "rank"])
def test_words_are_never_computed(value_type: str) -> None:
    asked = goal("qualitative", None, value_type=ValueType(value_type))
    assert verdict(asked, figure("85")) is Achievement.NOT_MEASURABLE
    assert verdict(asked, None) is Achievement.NOT_MEASURABLE


def test_a_standing_target_must_hold_at_any_time() -> None:
    asked = goal(trajectory=Trajectory.STANDING)
    assert evaluate(asked, figure("79"), [], NOVEMBER).achievement is Achievement.OFF_TRACK
    assert evaluate(asked, figure("79"), [], NOVEMBER).rule == "gte.standing"
    assert verdict(asked, figure("80")) is Achievement.MET
    assert verdict(asked, figure("79"), NEW_YEAR) is Achievement.NOT_MET


@pytest.mark.parametrize(
    ("value", "achievement"),
    [("60", "on_track"), ("59.99", "at_risk"), ("52", "at_risk"), ("51.99", "off_track"), ("20", "off_track")],
)
def test_a_line_from_a_baseline_says_what_is_expected_by_now(value: str, achievement: str) -> None:
    asked = goal(
        value="80",
        trajectory=Trajectory.LINEAR,
        baseline_value=Decimal(20),
        baseline_on=date(2026, 1, 1),
        due=Window(date(2026, 1, 1), date(2026, 4, 1)),
    )
    midway = figure(value, window=Window(date(2026, 1, 1), date(2026, 3, 2)))
    found = evaluate(asked, midway, [], date(2026, 3, 10))
    assert (found.achievement, found.expected) == (Achievement(achievement), Decimal("60.000000"))


def test_the_line_ends_at_the_target_and_begins_at_the_baseline() -> None:
    asked = goal(trajectory=Trajectory.LINEAR, baseline_value=Decimal(20), baseline_on=date(2026, 1, 1))
    assert expected_value(asked, date(2025, 6, 1)) == 20
    assert expected_value(asked, date(2027, 6, 1)) == 80
    no_length = goal(trajectory=Trajectory.LINEAR, baseline_value=Decimal(20), baseline_on=date(2026, 12, 31))
    assert expected_value(no_length, date(2026, 12, 31)) == 80


def test_a_line_that_asks_for_nothing_yet_is_on_track() -> None:
    asked = goal(trajectory=Trajectory.LINEAR, baseline_value=Decimal(20), baseline_on=date(2026, 10, 1))
    assert evaluate(asked, figure("20"), [], NOVEMBER).achievement is Achievement.ON_TRACK


@pytest.mark.parametrize(
    ("baseline", "asked", "direction", "value", "achievement"),
    [
        ("20", "80", "higher_is_better", "20", "on_track"),
        ("20", "80", "higher_is_better", "19.999999", "off_track"),
        ("20", "80", "higher_is_better", "0", "off_track"),
        ("20", "5", "lower_is_better", "20", "on_track"),
        ("20", "5", "lower_is_better", "21", "off_track"),
        ("80", "80", "higher_is_better", "79", "off_track"),
        ("5", "5", "lower_is_better", "6", "off_track"),
    ],
)
def test_where_a_line_asks_no_progress_a_figure_must_not_be_worse(
    baseline: str, asked: str, direction: str, value: str, achievement: str
) -> None:
    comparator = "gte" if direction == "higher_is_better" else "top_n"
    line = goal(
        comparator,
        asked,
        direction=Direction(direction),
        value_type=ValueType.COUNT,
        trajectory=Trajectory.LINEAR,
        baseline_value=Decimal(baseline),
        baseline_on=date(2026, 10, 1),
    )
    found = evaluate(line, figure(value), [], NOVEMBER)
    assert (found.achievement, found.expected) == (
        Achievement(achievement),
        Decimal(baseline).quantize(Decimal("0.000001")),
    )


def test_a_zero_target_has_no_ratio() -> None:
    assert evaluate(goal(value="0"), figure("5"), [], NOVEMBER).ratio is None


def test_a_figure_of_another_kind_cannot_be_compared() -> None:
    assert verdict(goal(), figure(done_on=date(2026, 4, 1))) is Achievement.NOT_MEASURABLE
    assert verdict(goal("by_date", None, due=APRIL), figure("5")) is Achievement.NOT_MEASURABLE
