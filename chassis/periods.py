"""Reporting periods as values: codes, and the dates a regime gives them.

A code ("2026-Q2") says which period is meant; only a regime says on which days it begins and ends.
Ends are inclusive outside, as the law words them (`ends_on`), and exclusive inside (`ends_before`).
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import total_ordering
from typing import NewType

PeriodCode = NewType("PeriodCode", str)  # always in the house's own spelling

FIRST_YEAR, LAST_YEAR = 1900, 2199  # outside them a "year" is a typing error
_LONGEST_CODE = 12
_ONE_DAY = timedelta(days=1)
_QUARTERS_VI = ("I", "II", "III", "IV")


class PeriodError(ValueError):
    """A text that names no period, or a period that does not exist (2026-13, 2026-02-30)."""


class PeriodType(StrEnum):
    """The kinds of periods a figure can be reported for, shortest first."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    NINE_MONTHS = "nine_months"
    YEAR = "year"


_MONTHS = {
    PeriodType.MONTH: 1,
    PeriodType.QUARTER: 3,
    PeriodType.HALF_YEAR: 6,
    PeriodType.NINE_MONTHS: 9,
    PeriodType.YEAR: 12,
}
_COUNT_IN_YEAR = {kind: 12 // months for kind, months in _MONTHS.items()}


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """One period of a year: its kind, its year, and its number in that year (a day: its day of the year).

    Order: the earlier end first, and of two with one end the shorter (2026-12, 2026-Q4, 2026).
    """

    period_type: PeriodType
    year: int
    number: int = 1

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise PeriodError(f"year {self.year} is outside {FIRST_YEAR}-{LAST_YEAR}")
        if not 1 <= self.number <= _count_in(self.period_type, self.year):
            raise PeriodError(f"there is no {self.period_type} {self.number} in {self.year}")

    @property
    def code(self) -> PeriodCode:
        """The code in the house's spelling: 2026, 2026-S1, 2026-N, 2026-Q2, 2026-04, 2026-W17, 2026-04-15."""
        return PeriodCode(_CODES[self.period_type](self))

    @property
    def first_month(self) -> int:
        """The month (1-12) a period of months names first; its regime may open it in the month before."""
        return (self.number - 1) * _MONTHS[self.period_type] + 1

    @property
    def last_month(self) -> int:
        """The month (1-12) a period of months names last, in which every regime ends it."""
        return self.number * _MONTHS[self.period_type]

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Period):
            return NotImplemented
        return self._order() < other._order()

    def _order(self) -> tuple[date, timedelta]:
        window = CALENDAR.window(self)
        return window.ends_before, window.ends_before - window.starts_on


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The days of a period, first and last both included; `ends_before` is the first day after it."""

    starts_on: date
    ends_on: date

    @property
    def ends_before(self) -> date:
        """The first day that is no longer in it."""
        return self.ends_on + _ONE_DAY

    def __contains__(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True, slots=True)
class DueRule:
    """On which day reports of one kind of period are due: day 10 of its last month, or of a month after it.

    A day the month does not have (31 in June) is its last day. "Trước ngày 15" is day 14.
    """

    period_type: PeriodType
    day: int
    months_after: int = 0

    def __post_init__(self) -> None:
        if self.period_type not in _MONTHS or not 1 <= self.day <= 31 or not 0 <= self.months_after <= 12:
            raise PeriodError(f"not a due rule: {self}")

    def due_on(self, period: Period) -> date:
        """The last day on which the report of a period is on time."""
        year, month = _month(period.year, period.last_month + self.months_after)
        return date(year, month, min(self.day, monthrange(year, month)[1]))

    @property
    def words_vi(self) -> str:
        """The rule as a Vietnamese reader expects it."""
        return f"chậm nhất ngày {self.day} của {self._month_words_vi()}"

    @property
    def words_en(self) -> str:
        """The rule in English."""
        return f"by day {self.day} of {self._month_words_en()}"

    def _month_words_vi(self) -> str:
        if not self.months_after:
            return "tháng cuối kỳ"
        return "tháng sau kỳ" if self.months_after == 1 else f"tháng thứ {self.months_after} sau kỳ"

    def _month_words_en(self) -> str:
        if not self.months_after:
            return "the last month of the period"
        if self.months_after == 1:
            return "the month after the period"
        return f"month {self.months_after} after the period"


@dataclass(frozen=True, slots=True)
class Regime:
    """How an authority cuts the year: the day of the month before on which its periods open.

    opens_on_day 1 is the calendar; 15 is the state regime, whose month 4 runs from 15 March to 14 April
    and whose year from 15 December to 14 December. Weeks (ISO, Monday to Sunday) and days never move.
    """

    code: str
    opens_on_day: int = 1

    def __post_init__(self) -> None:
        # From the 29th on a period would open on days that February does not have.
        if not 1 <= self.opens_on_day <= 28:
            raise PeriodError(f"periods cannot open on day {self.opens_on_day}")

    def window(self, period: Period) -> Window:
        """The first and last day of a period under this regime."""
        if period.period_type is PeriodType.DAY:
            day = _day_of_year(period)
            return Window(day, day)
        if period.period_type is PeriodType.WEEK:
            monday = date.fromisocalendar(period.year, period.number, 1)
            return Window(monday, monday + 6 * _ONE_DAY)
        opens = self._opening(period.year, period.first_month)
        return Window(opens, self._opening(period.year, period.last_month + 1) - _ONE_DAY)

    def _opening(self, year: int, month: int) -> date:
        year, month = _month(year, month - (self.opens_on_day > 1))
        return date(year, month, self.opens_on_day)


CALENDAR = Regime("calendar")


def parse_period(text: str) -> Period:
    """The period a text names, in our spelling or that of ISO 8601, SDMX or DHIS2.

    2026 and 2026-A1; 2026-S1, 2026S1, 2026-H1; 2026-N; 2026-Q2, 2026Q2; 2026-04, 202604, 2026-M04;
    2026-W17, 2026W17; 2026-04-15, 20260415, 2026-D105. Raises PeriodError for anything else.
    """
    trimmed = text.strip()[: _LONGEST_CODE + 1].upper()
    for pattern, read in _READERS:
        if found := pattern.fullmatch(trimmed):
            return read(*map(int, found.groups()))
    raise PeriodError(f"not a period: {trimmed!r}")


def periods_of_year(year: int, period_type: PeriodType) -> Iterator[Period]:
    """All periods of a kind in a year, first to last."""
    for number in range(1, _count_in(period_type, year) + 1):
        yield Period(period_type, year, number)


def format_period_vi(period: Period | str) -> str:
    """A period as people read it: Quý II/2026, Tháng 4/2026, 6 tháng đầu năm 2026."""
    period = parse_period(period) if isinstance(period, str) else period
    return _WORDS_VI[period.period_type](period)


def format_period_en(period: Period | str) -> str:
    """A period in English: Q2 2026, 04/2026, first half of 2026."""
    period = parse_period(period) if isinstance(period, str) else period
    return _WORDS_EN[period.period_type](period)


def format_date_vi(day: date) -> str:
    """A day as people read it: 26/03/2026."""
    return f"{day:%d/%m}/{day.year:04d}"


def _count_in(period_type: PeriodType, year: int) -> int:
    if period_type is PeriodType.DAY:
        return (date(year + 1, 1, 1) - date(year, 1, 1)).days
    if period_type is PeriodType.WEEK:
        return date(year, 12, 28).isocalendar().week  # 28 December always lies in the last ISO week
    return _COUNT_IN_YEAR[period_type]


def _month(year: int, month: int) -> tuple[int, int]:
    carried, index = divmod(month - 1, 12)
    return year + carried, index + 1


def _day_of_year(period: Period) -> date:
    return date(period.year, 1, 1) + (period.number - 1) * _ONE_DAY


def _read_day(year: int, month: int, day: int) -> Period:
    try:
        named = date(year, month, day)
    except ValueError as error:
        raise PeriodError(f"there is no day {year:04d}-{month:02d}-{day:02d}") from error
    return Period(PeriodType.DAY, year, named.timetuple().tm_yday)


def _reader(period_type: PeriodType) -> Callable[..., Period]:
    return lambda year, number=1: Period(period_type, year, number)


_READERS: tuple[tuple[re.Pattern[str], Callable[..., Period]], ...] = (
    (re.compile(r"(\d{4})(?:-?A1)?", re.ASCII), _reader(PeriodType.YEAR)),
    (re.compile(r"(\d{4})-?[SH](\d)", re.ASCII), _reader(PeriodType.HALF_YEAR)),
    (re.compile(r"(\d{4})-?N", re.ASCII), _reader(PeriodType.NINE_MONTHS)),
    (re.compile(r"(\d{4})-?Q(\d)", re.ASCII), _reader(PeriodType.QUARTER)),
    (re.compile(r"(\d{4})(?:-|-?M)?(\d{2})", re.ASCII), _reader(PeriodType.MONTH)),
    (re.compile(r"(\d{4})-?W(\d{1,2})", re.ASCII), _reader(PeriodType.WEEK)),
    (re.compile(r"(\d{4})-?D(\d{3})", re.ASCII), _reader(PeriodType.DAY)),
    (re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII), _read_day),
    (re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII), _read_day),
)

_CODES: dict[PeriodType, Callable[[Period], str]] = {
    PeriodType.DAY: lambda p: _day_of_year(p).isoformat(),
    PeriodType.WEEK: lambda p: f"{p.year}-W{p.number:02d}",
    PeriodType.MONTH: lambda p: f"{p.year}-{p.number:02d}",
    PeriodType.QUARTER: lambda p: f"{p.year}-Q{p.number}",
    PeriodType.HALF_YEAR: lambda p: f"{p.year}-S{p.number}",
    PeriodType.NINE_MONTHS: lambda p: f"{p.year}-N",
    PeriodType.YEAR: lambda p: f"{p.year}",
}
_WORDS_VI: dict[PeriodType, Callable[[Period], str]] = {
    PeriodType.DAY: lambda p: format_date_vi(_day_of_year(p)),
    PeriodType.WEEK: lambda p: f"Tuần {p.number}/{p.year}",
    PeriodType.MONTH: lambda p: f"Tháng {p.number}/{p.year}",
    PeriodType.QUARTER: lambda p: f"Quý {_QUARTERS_VI[p.number - 1]}/{p.year}",
    PeriodType.HALF_YEAR: lambda p: f"6 tháng {('đầu', 'cuối')[p.number - 1]} năm {p.year}",
    PeriodType.NINE_MONTHS: lambda p: f"9 tháng đầu năm {p.year}",
    PeriodType.YEAR: lambda p: f"Năm {p.year}",
}
_WORDS_EN: dict[PeriodType, Callable[[Period], str]] = {
    PeriodType.DAY: lambda p: _day_of_year(p).isoformat(),
    PeriodType.WEEK: lambda p: f"week {p.number} of {p.year}",
    PeriodType.MONTH: lambda p: f"{p.number:02d}/{p.year}",
    PeriodType.QUARTER: lambda p: f"Q{p.number} {p.year}",
    PeriodType.HALF_YEAR: lambda p: f"{('first', 'second')[p.number - 1]} half of {p.year}",
    PeriodType.NINE_MONTHS: lambda p: f"first nine months of {p.year}",
    PeriodType.YEAR: lambda p: f"year {p.year}",
}
