"""Implementation time: the document's words stay, and the days they imply stand beside them.

It is no reporting period: "Quý II/2026" here is April to June by the calendar, whatever the regime of reports.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ExecutionTimeKind(StrEnum):
    """How the document states a time."""

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


@dataclass(frozen=True, slots=True)
class Days:
    """First and last day, both inclusive, as the law words them; None where the words imply none."""

    starts_on: date | None
    ends_on: date | None
    is_continuous: bool = False


def implied_days(kind: ExecutionTimeKind, value: str | None) -> Days:
    """The days a stated time implies: "2026-Q2/2026-Q3" is 1 April to 30 September 2026.

    "Thường xuyên" (ongoing) is continuous, and bounded only where a year stands beside it.

    Raises:
        ValueError: the value does not have the form of its kind, or runs backwards.
    """
    is_continuous = kind is ExecutionTimeKind.ONGOING
    if is_continuous and value is None:
        return Days(None, None, is_continuous=True)
    first, separator, last = (value or "").partition("/")
    if bool(separator) != kind.endswith("_range"):
        raise ValueError(value)
    unit = ExecutionTimeKind.YEAR if is_continuous else ExecutionTimeKind(kind.removesuffix("_range"))
    starts_on, ends_on = _first_day(unit, first), _last_day(unit, last or first)
    if separator and first >= last:
        raise ValueError(value)
    return Days(starts_on, ends_on, is_continuous)


_FORMS = {
    ExecutionTimeKind.YEAR: re.compile(r"(\d{4})", re.ASCII),
    ExecutionTimeKind.QUARTER: re.compile(r"(\d{4})-Q([1-4])", re.ASCII),
    ExecutionTimeKind.MONTH: re.compile(r"(\d{4})-(\d{2})", re.ASCII),
    ExecutionTimeKind.DATE: re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII),
}
_LAST_MONTHS = {ExecutionTimeKind.YEAR: 12, ExecutionTimeKind.QUARTER: 3, ExecutionTimeKind.MONTH: 1}


def _numbers(unit: ExecutionTimeKind, value: str) -> list[int]:
    match = _FORMS[unit].fullmatch(value)
    if match is None:
        raise ValueError(value)
    return [int(part) for part in match.groups()]


def _first_day(unit: ExecutionTimeKind, value: str) -> date:
    year, *rest = _numbers(unit, value)
    if unit is ExecutionTimeKind.DATE:
        return date(year, *rest)
    number = rest[0] if rest else 1
    return date(year, (number - 1) * _LAST_MONTHS[unit] + 1, 1)


def _last_day(unit: ExecutionTimeKind, value: str) -> date:
    first = _first_day(unit, value)
    if unit is ExecutionTimeKind.DATE:
        return first
    month = first.month + _LAST_MONTHS[unit] - 1
    return date(first.year, month, monthrange(first.year, month)[1])
