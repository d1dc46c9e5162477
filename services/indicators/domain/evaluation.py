"""Whether a target is reached on a day, by which rule, and how far: pure, exact, never rounded over a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from chassis import decimals
from chassis.periods import PeriodType, Window
from services.indicators.domain.catalogue import Direction, ValueType
from services.indicators.domain.periods import Due
from services.indicators.domain.targets import Comparator, Trajectory

AT_RISK_FROM = Decimal("0.8")


class Achievement(StrEnum):
    """The verdict on a target."""

    EXCEEDED = "exceeded"
    MET = "met"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    NOT_MET = "not_met"
    NO_DATA = "no_data"
    NOT_MEASURABLE = "not_measurable"


class NoData(StrEnum):
    """Why there is no figure: none is owed yet, it is owed now, it is late, or nobody stated a day."""

    NOT_DUE = "not_due"
    DUE = "due"
    LATE = "late"
    NO_DATED_DUTY = "no_dated_duty"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a target asks, as far as the verdict goes. `highest` is the end of the indicator's scale."""

    comparator: Comparator
    value_type: ValueType
    direction: Direction
    due: Window
    value: Decimal | None = None
    highest: Decimal | None = None
    trajectory: Trajectory = Trajectory.NONE
    baseline_value: Decimal | None = None
    baseline_on: date | None = None
    at_risk_from: Decimal = AT_RISK_FROM

    @property
    def is_ceiling(self) -> bool:
        """Whether the target is the end of the scale (100 %), which can be met but never exceeded."""
        return self.value is not None and self.value == self.highest

    @property
    def is_limit(self) -> bool:
        """Whether it forbids more than a number, so that it can break until its last day."""
        lowering = self.comparator in (Comparator.LTE, Comparator.LT)
        return lowering or (self.comparator is Comparator.EQ and self.direction is Direction.LOWER)


@dataclass(frozen=True, slots=True)
class Figure:
    """What was achieved: one number in the indicator's scale, or a day of completion, and the days it covers.

    With numerator and denominator the number is their exact quotient, whatever its stored form.
    """

    window: Window
    period_type: PeriodType
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    done_on: date | None = None
    per_hundred: bool = False

    @property
    def exact(self) -> Fraction | None:
        """The number without any rounding."""
        if self.numerator is not None and self.denominator:
            return Fraction(self.numerator) / Fraction(self.denominator) * (100 if self.per_hundred else 1)
        return None if self.value is None else Fraction(self.value)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict and how it came about: `rule` names comparator and trajectory, `due` the report awaited."""

    achievement: Achievement
    rule: str
    ratio: Decimal | None = None
    no_data: NoData | None = None
    due: Due | None = None
    days_late: int | None = None
    expected: Decimal | None = None


def evaluate(goal: Goal, figure: Figure | None, dues: Sequence[Due], on: date) -> Verdict:
    """The verdict on a target on a day, from the latest figure of that day.

    Ratio is figure over target (0.95 is 95 %), only where more is better. A figure for the whole year is
    final; before the due day a figure that falls short is judged by the trajectory the target states.
    """
    rule = _rule(goal)
    if goal.comparator is Comparator.QUALITATIVE:
        return Verdict(Achievement.NOT_MEASURABLE, rule)
    if figure is None:
        return _without_figure(goal, dues, on, rule)
    if goal.comparator is Comparator.BY_DATE:
        return _by_date(goal, figure, rule)
    exact = figure.exact
    if exact is None or goal.value is None:
        return Verdict(Achievement.NOT_MEASURABLE, rule)
    return _by_number(goal, figure, exact, on, rule)


def _rule(goal: Goal) -> str:
    if goal.is_ceiling:
        return f"{goal.comparator}.ceiling"
    is_plain = goal.trajectory is Trajectory.NONE or goal.comparator in (Comparator.QUALITATIVE, Comparator.BY_DATE)
    return goal.comparator.value if is_plain else f"{goal.comparator}.{goal.trajectory}"


def _without_figure(goal: Goal, dues: Sequence[Due], on: date, rule: str) -> Verdict:
    if goal.comparator is Comparator.BY_DATE:
        return _milestone_without_figure(goal, on, rule)
    if not dues:
        return Verdict(Achievement.NO_DATA, rule, no_data=NoData.NO_DATED_DUTY)
    late = [due for due in dues if due.due_on < on]
    if late:
        days = (on - late[0].due_on).days
        return Verdict(Achievement.NO_DATA, rule, no_data=NoData.LATE, due=late[0], days_late=days)
    why = NoData.DUE if dues[0].opens_on <= on else NoData.NOT_DUE
    return Verdict(Achievement.NO_DATA, rule, no_data=why, due=dues[0])


def _milestone_without_figure(goal: Goal, on: date, rule: str) -> Verdict:
    if on > goal.due.ends_on:
        days = (on - goal.due.ends_on).days
        return Verdict(Achievement.NO_DATA, rule, no_data=NoData.LATE, days_late=days)
    why = NoData.DUE if on in goal.due else NoData.NOT_DUE
    return Verdict(Achievement.NO_DATA, rule, no_data=why)


def _by_date(goal: Goal, figure: Figure, rule: str) -> Verdict:
    if figure.done_on is None:
        return Verdict(Achievement.NOT_MEASURABLE, rule)
    days = (figure.done_on - goal.due.ends_on).days
    if days > 0:
        return Verdict(Achievement.NOT_MET, rule, days_late=days)
    return Verdict(Achievement.MET, rule)


def _by_number(goal: Goal, figure: Figure, exact: Fraction, on: date, rule: str) -> Verdict:
    ratio = achievement_ratio(goal, exact)
    is_over = on > goal.due.ends_on or figure.period_type is PeriodType.YEAR
    if not _reaches(goal, exact):
        return _short(goal, figure, exact, is_over, Verdict(Achievement.NOT_MET, rule, ratio))
    if goal.is_limit and not is_over:
        return Verdict(Achievement.ON_TRACK, rule, ratio)
    return Verdict(Achievement.EXCEEDED if _exceeds(goal, exact) else Achievement.MET, rule, ratio)


def _reaches(goal: Goal, exact: Fraction) -> bool:
    asked = Fraction(goal.value or 0)
    match goal.comparator:
        case Comparator.GTE:
            return exact >= asked
        case Comparator.GT:
            return exact > asked
        case Comparator.LTE | Comparator.TOP_N:
            return exact <= asked
        case Comparator.LT:
            return exact < asked
        case _:
            return exact == asked


def _exceeds(goal: Goal, exact: Fraction) -> bool:
    asked = Fraction(goal.value or 0)
    if goal.is_ceiling or goal.direction is Direction.BOOLEAN:
        return False
    if goal.comparator in (Comparator.GTE, Comparator.GT):
        return exact > asked
    return goal.comparator in (Comparator.LTE, Comparator.LT) and exact < asked


def _short(goal: Goal, figure: Figure, exact: Fraction, is_over: bool, over: Verdict) -> Verdict:
    if is_over:
        return over
    if goal.is_limit or goal.trajectory is Trajectory.STANDING:
        return Verdict(Achievement.OFF_TRACK, over.rule, over.ratio)
    if goal.trajectory is Trajectory.LINEAR:
        return _on_the_line(goal, figure, exact, over)
    return Verdict(Achievement.ON_TRACK, over.rule, over.ratio)


def _on_the_line(goal: Goal, figure: Figure, exact: Fraction, over: Verdict) -> Verdict:
    """A figure against the straight line; where the line asks no progress yet, against the baseline itself.

    A line whose baseline equals its target is refused when the target is applied (`baseline_equals_target`):
    it asks for no progress, and what it means is a standing target.
    """
    expected = expected_value(goal, figure.window.ends_on)
    baseline = Fraction(goal.baseline_value or 0)
    progress = (exact - baseline) / (expected - baseline) if expected != baseline else _held(goal, exact, expected)
    if progress >= 1:
        achievement = Achievement.ON_TRACK
    elif progress >= Fraction(goal.at_risk_from):
        achievement = Achievement.AT_RISK
    else:
        achievement = Achievement.OFF_TRACK
    return Verdict(achievement, over.rule, over.ratio, expected=_six_places(expected))


def _held(goal: Goal, exact: Fraction, expected: Fraction) -> Fraction:
    """1 where a figure is no worse than expected in the target's direction, else 0."""
    gap = (exact - expected) * (-1 if _leads_down(goal) else 1)
    return Fraction(gap >= 0)


def _leads_down(goal: Goal) -> bool:
    asked, baseline = goal.value or 0, goal.baseline_value or 0
    return asked < baseline or (asked == baseline and goal.direction is Direction.LOWER)


def expected_value(goal: Goal, day: date) -> Fraction:
    """Where a straight line from the baseline to the target stands on a day, in the target's unit."""
    baseline, asked = Fraction(goal.baseline_value or 0), Fraction(goal.value or 0)
    begins = goal.baseline_on or goal.due.starts_on
    length = (goal.due.ends_on - begins).days
    passed = min(max((day - begins).days, 0), length)
    return baseline + (asked - baseline) * (Fraction(passed, length) if length else Fraction(1))


def achievement_ratio(goal: Goal, exact: Fraction) -> Decimal | None:
    """Figure over target, as a ratio (0.95 is 95 %), at six places.

    Only where more is better: ranks, levels and limits have a verdict, no ratio. None if the target is
    zero. A ceiling counts 1 at most, and a ratio below 1 is never rounded up to it.
    """
    if goal.direction is not Direction.HIGHER or goal.value_type in (ValueType.LEVEL, ValueType.RANK):
        return None
    if goal.is_limit or not goal.value:
        return None
    ratio = exact / Fraction(goal.value)
    return _six_places(min(ratio, Fraction(1)) if goal.is_ceiling else ratio)


def _six_places(exact: Fraction) -> Decimal:
    rounded = decimals.six_places(exact)
    return decimals.cut_at_six_places(exact) if exact < 1 <= rounded else rounded
