"""What a plan promises: comparators, due times, and when a target is sound."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Fault, Rule
from chassis.periods import CALENDAR, PeriodError, PeriodType, Window, parse_period
from services.indicators.domain import rules
from services.indicators.domain.catalogue import WHOLE_TYPES, ValueType, owner_of, parse_scale


class Comparator(StrEnum):
    """How a figure is held against a target; "trên" (gt) is not "tối thiểu" (gte)."""

    GTE = "gte"
    GT = "gt"
    EQ = "eq"
    LTE = "lte"
    LT = "lt"
    TOP_N = "top_n"
    BY_DATE = "by_date"
    QUALITATIVE = "qualitative"


class Trajectory(StrEnum):
    """What is expected before the due day: nothing, the whole of it at any time, or a straight line."""

    NONE = "none"
    STANDING = "standing"
    LINEAR = "linear"


class DueKind(StrEnum):
    """How a plan words the time of a target; ongoing is "thường xuyên"."""

    YEAR = "year"
    YEAR_RANGE = "year_range"
    QUARTER = "quarter"
    QUARTER_RANGE = "quarter_range"
    MONTH = "month"
    DATE = "date"
    ONGOING = "ongoing"


_PERIOD_TYPES = {
    DueKind.YEAR: PeriodType.YEAR,
    DueKind.YEAR_RANGE: PeriodType.YEAR,
    DueKind.QUARTER: PeriodType.QUARTER,
    DueKind.QUARTER_RANGE: PeriodType.QUARTER,
    DueKind.MONTH: PeriodType.MONTH,
    DueKind.DATE: PeriodType.DAY,
}
_RANGES = frozenset({DueKind.YEAR_RANGE, DueKind.QUARTER_RANGE})
WITHOUT_VALUE = frozenset({Comparator.BY_DATE, Comparator.QUALITATIVE})


class DueError(ValueError):
    """A due time that names no days (a quarter 5, a range that runs backwards)."""


def due_window(kind: DueKind | None, value: str | None, plan_year: int) -> Window:
    """The days in which a target is to be reached; without a stated time, or ongoing, the plan year.

    Implementation time is calendar time, whatever the reporting regime. Raises DueError.
    """
    if kind is None or kind is DueKind.ONGOING:
        if value is not None:
            raise DueError(f"{kind} takes no value")
        return CALENDAR.window(parse_period(str(plan_year)))
    parts = (value or "").split("/")
    if len(parts) != (2 if kind in _RANGES else 1):
        raise DueError(f"{value!r} is not a {kind}")
    windows = [_window(part, _PERIOD_TYPES[kind]) for part in parts]
    if windows[0].starts_on > windows[-1].starts_on:
        raise DueError(f"{value!r} runs backwards")
    return Window(windows[0].starts_on, windows[-1].ends_on)


def _window(code: str, period_type: PeriodType) -> Window:
    try:
        period = parse_period(code)
    except PeriodError as error:
        raise DueError(str(error)) from error
    if period.period_type is not period_type:
        raise DueError(f"{code!r} is not a {period_type}")
    return CALENDAR.window(period)


@dataclass(frozen=True, slots=True)
class PlanLife:
    """How far a plan has come: its status and revision, and the revision its targets were last applied for."""

    status: str
    revision: int
    applied_revision: int | None

    def refusal(self, correction: str | None) -> Rule | None:
        """Why its targets cannot change; None if they can.

        What an issued plan promises changes by an amendment (a newer revision), or as a stated correction.
        """
        if self.status == "closed":
            return rules.TARGETS_PLAN_CLOSED
        is_new = self.applied_revision is None or self.revision > self.applied_revision
        is_free = self.status == "draft" or is_new or correction is not None
        return None if is_free else rules.TARGETS_NEED_AMENDMENT


@dataclass(frozen=True, slots=True)
class Promise:
    """What the rules look at in one target of a plan."""

    key: str
    indicator: str
    sub_population: str
    value_type: ValueType
    comparator: Comparator
    value: Decimal | None = None
    due_kind: DueKind | None = None
    due_value: str | None = None
    trajectory: Trajectory = Trajectory.NONE
    baseline_value: Decimal | None = None
    baseline_on: date | None = None


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan's targets are checked against: its year, the known indicators, and those it may use."""

    year: int
    admin_unit: str
    value_types: dict[str, ValueType] = field(default_factory=dict)
    scales: dict[str, str | None] = field(default_factory=dict)


def check_targets(promises: Sequence[Promise], plan: PlanFacts) -> list[Fault]:
    """Every fault of a plan's targets: each in itself, keys twice, an indicator promised twice."""
    faults: list[Fault] = []
    keys: set[str] = set()
    measured: set[tuple[str, str]] = set()
    for index, promise in enumerate(promises):
        pointer = f"/targets/{index}"
        faults += check_target(promise, plan, pointer)
        if promise.key in keys:
            faults.append(_fault(rules.KEY_TWICE, pointer, "key", promise.key))
        if (promise.indicator, promise.sub_population) in measured:
            faults.append(_fault(rules.TARGET_TWICE, pointer, "indicator", promise.indicator))
        keys.add(promise.key)
        measured.add((promise.indicator, promise.sub_population))
    return faults


def check_target(promise: Promise, plan: PlanFacts, pointer: str) -> list[Fault]:
    """Every fault of one target in itself."""
    faults = _check_indicator(promise, plan, pointer) + _check_value(promise, plan, pointer)
    try:
        due_window(promise.due_kind, promise.due_value, plan.year)
    except DueError:
        faults.append(_fault(rules.DUE_MALFORMED, pointer, "due", promise.due_value))
    if promise.comparator is Comparator.BY_DATE and promise.due_kind in (None, DueKind.ONGOING):
        faults.append(_fault(rules.DUE_MISSING, pointer, "due", None))
    return faults + _check_line(promise, pointer)


def _check_line(promise: Promise, pointer: str) -> list[Fault]:
    if promise.trajectory is not Trajectory.LINEAR:
        return []
    if None in (promise.baseline_value, promise.baseline_on):
        return [_fault(rules.BASELINE_MISSING, pointer, "trajectory", "linear")]
    if promise.baseline_value == promise.value:
        return [_fault(rules.BASELINE_EQUALS_TARGET, pointer, "baseline_value", promise.baseline_value)]
    return []


def _check_indicator(promise: Promise, plan: PlanFacts, pointer: str) -> list[Fault]:
    measured = plan.value_types.get(promise.indicator)
    if measured is None:
        return [_fault(rules.INDICATOR_UNKNOWN, pointer, "indicator", promise.indicator)]
    if owner_of(promise.indicator) not in ("", plan.admin_unit):
        return [_fault(rules.INDICATOR_OF_ANOTHER_OWNER, pointer, "indicator", promise.indicator)]
    # A plan may promise in words or by a date what the catalogue measures in figures, never the reverse.
    if promise.value_type not in (measured, ValueType.MILESTONE, ValueType.TEXT):
        return [_fault(rules.TARGET_KIND_MISMATCH, pointer, "value_type", promise.value_type.value)]
    return []


_ALLOWED: dict[Comparator, frozenset[ValueType]] = {
    Comparator.TOP_N: frozenset({ValueType.RANK}),
    Comparator.BY_DATE: frozenset({ValueType.MILESTONE}),
    Comparator.QUALITATIVE: frozenset(ValueType),
}
_FIGURES = frozenset({ValueType.PERCENT, ValueType.INDEX, ValueType.COUNT, ValueType.LEVEL, ValueType.AMOUNT})


def _check_value(promise: Promise, plan: PlanFacts, pointer: str) -> list[Fault]:
    if promise.value_type not in _ALLOWED.get(promise.comparator, _FIGURES):
        return [_fault(rules.COMPARATOR_MISMATCH, pointer, "comparator", promise.comparator.value)]
    if promise.comparator in WITHOUT_VALUE:
        return (
            [] if promise.value is None else [_fault(rules.TARGET_VALUE_NOT_ALLOWED, pointer, "value", promise.value)]
        )
    if promise.value is None:
        return [_fault(rules.TARGET_VALUE_MISSING, pointer, "value", None)]
    scale = parse_scale(plan.scales.get(promise.indicator))
    is_whole = promise.value == promise.value.to_integral_value()
    if not scale.holds(promise.value) or (promise.value_type in WHOLE_TYPES and not is_whole):
        return [_fault(rules.VALUE_OUT_OF_SCALE, pointer, "value", promise.value, plan.scales.get(promise.indicator))]
    if promise.comparator is Comparator.GT and promise.value == scale.highest:
        return [_fault(rules.TARGET_UNREACHABLE, pointer, "value", promise.value)]
    return []


def _fault(rule: Rule, pointer: str, column: str, value: object, scale: str | None = None) -> Fault:
    values = {"value": value, "scale": scale or "≥ 0", "suggestion_vi": "", "suggestion_en": ""}
    return Fault(rule, values, pointer=f"{pointer}/{column}", value=value)
