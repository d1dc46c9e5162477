"""Implementation time: a document's words stay, and the days they imply stand beside them.

It is no reporting period: "Quý II/2026" here is April to June by the calendar, whatever the regime of reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chassis.periods import CALENDAR, Period, PeriodError, PeriodType, parse_period


class ExecutionTimeKind(StrEnum):
    """How a document states a time."""

    YEAR = "year"
    YEAR_RANGE = "year_range"
    QUARTER = "quarter"
    QUARTER_RANGE = "quarter_range"
    MONTH = "month"
    DATE = "date"
    ONGOING = "ongoing"


EXAMPLES = {
    ExecutionTimeKind.YEAR: "2026",
    ExecutionTimeKind.YEAR_RANGE: "2026/2027",
    ExecutionTimeKind.QUARTER: "2026-Q2",
    ExecutionTimeKind.QUARTER_RANGE: "2026-Q2/2026-Q3",
    ExecutionTimeKind.MONTH: "2026-04",
    ExecutionTimeKind.DATE: "2026-04-30",
    ExecutionTimeKind.ONGOING: "2026",
}
_TYPES = {
    ExecutionTimeKind.YEAR: PeriodType.YEAR,
    ExecutionTimeKind.YEAR_RANGE: PeriodType.YEAR,
    ExecutionTimeKind.QUARTER: PeriodType.QUARTER,
    ExecutionTimeKind.QUARTER_RANGE: PeriodType.QUARTER,
    ExecutionTimeKind.MONTH: PeriodType.MONTH,
    ExecutionTimeKind.DATE: PeriodType.DAY,
    ExecutionTimeKind.ONGOING: PeriodType.YEAR,
}


@dataclass(frozen=True, slots=True)
class Days:
    """First and last day, both inclusive, as the law words them; None where the words imply none."""

    starts_on: date | None
    ends_on: date | None
    is_continuous: bool = False

    @property
    def years(self) -> list[int]:
        """The calendar years they touch."""
        return [] if not self.starts_on or not self.ends_on else [*range(self.starts_on.year, self.ends_on.year + 1)]


def implied_days(kind: str | None, value: str | None) -> Days:
    """The days a stated time implies: "2026-Q2/2026-Q3" is 1 April to 30 September 2026.

    "Thường xuyên" (ongoing) is continuous, and bounded only where a year stands beside it. A document that
    states no time (neither kind nor value) implies no days.

    Raises:
        ValueError: the value does not have the form of its kind, or runs backwards.
    """
    if kind is None:
        if value is not None:
            raise ValueError(value)
        return Days(None, None)
    known = ExecutionTimeKind(kind)
    is_continuous = known is ExecutionTimeKind.ONGOING
    if is_continuous and value is None:
        return Days(None, None, is_continuous=True)
    first, separator, last = (value or "").partition("/")
    begins, ends = _period(known, first), _period(known, last or first)
    if bool(separator) != known.endswith("_range") or (separator and not begins < ends):
        raise ValueError(value)
    return Days(CALENDAR.window(begins).starts_on, CALENDAR.window(ends).ends_on, is_continuous)


def _period(kind: ExecutionTimeKind, code: str) -> Period:
    period = parse_period(code)
    if period.period_type is not _TYPES[kind] or period.code != code:
        raise PeriodError(f"not a {kind}: {code}")
    return period
