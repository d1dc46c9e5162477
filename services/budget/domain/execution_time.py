"""When a line is carried out: the plan's words, and the days they imply by the calendar.

It is no reporting period: "Quý II/2026" here is April to June, whatever the regime of reports.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chassis.errors import Fault
from chassis.periods import CALENDAR, Period, PeriodError, PeriodType, parse_period
from services.budget.domain.rules import BUDGET_EXECUTION_TIME_INVALID


class ExecutionTimeKind(StrEnum):
    """How the plan states a time."""

    YEAR = "year"
    YEAR_RANGE = "year_range"
    QUARTER = "quarter"
    QUARTER_RANGE = "quarter_range"
    MONTH = "month"
    DATE = "date"
    ONGOING = "ongoing"


_TYPES = {
    ExecutionTimeKind.YEAR: (PeriodType.YEAR, "2026"),
    ExecutionTimeKind.YEAR_RANGE: (PeriodType.YEAR, "2026/2027"),
    ExecutionTimeKind.QUARTER: (PeriodType.QUARTER, "2026-Q2"),
    ExecutionTimeKind.QUARTER_RANGE: (PeriodType.QUARTER, "2026-Q2/2026-Q3"),
    ExecutionTimeKind.MONTH: (PeriodType.MONTH, "2026-04"),
    ExecutionTimeKind.DATE: (PeriodType.DAY, "2026-04-30"),
    ExecutionTimeKind.ONGOING: (PeriodType.YEAR, "2026"),
}


@dataclass(frozen=True, slots=True)
class Days:
    """First and last day, both inclusive; None where the words imply none."""

    starts_on: date | None
    ends_on: date | None

    @property
    def years(self) -> list[int]:
        """The calendar years they touch."""
        return [] if not self.starts_on or not self.ends_on else [*range(self.starts_on.year, self.ends_on.year + 1)]


def implied_days(kind: str | None, value: str | None) -> Days:
    """The days a stated time implies: "2026-Q2/2026-Q3" is 1 April to 30 September 2026.

    "Thường xuyên" (ongoing) is bounded only where a year stands beside it.

    Raises:
        ValueError: the value does not have the form of its kind, or runs backwards.
    """
    if value is None and kind in (None, ExecutionTimeKind.ONGOING):
        return Days(None, None)
    if kind is None:
        raise ValueError(value)
    first, separator, last = (value or "").partition("/")
    begins, ends = _period(kind, first), _period(kind, last or first)
    if bool(separator) != kind.endswith("_range") or (separator and not begins < ends):
        raise ValueError(value)
    return Days(CALENDAR.window(begins).starts_on, CALENDAR.window(ends).ends_on)


def _period(kind: str, code: str) -> Period:
    period = parse_period(code)
    if period.period_type is not _TYPES[ExecutionTimeKind(kind)][0] or period.code != code:
        raise PeriodError(f"not a {kind}: {code}")
    return period


def execution_time_faults(kind: str | None, value: str | None, pointer: str) -> Iterator[Fault]:
    """A time that does not have the form its kind promises; words alone need neither kind nor value."""
    if kind is None and value is None:
        return
    try:
        implied_days(kind, value)
    except ValueError:
        example = _TYPES[ExecutionTimeKind(kind or "year")][1]
        yield Fault(
            BUDGET_EXECUTION_TIME_INVALID,
            {"execution_time": value or "—", "kind": kind or "—", "example": example},
            pointer=f"{pointer}/execution_time",
            value=value,
        )
