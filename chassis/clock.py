"""The only clock of the house: moments in UTC, days in Asia/Ho_Chi_Minh."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone

# Viet Nam has had one offset and no summer time since 1975, so no time zone database is needed.
HO_CHI_MINH = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


def _system_now() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_now


def now() -> datetime:
    """The present moment, in UTC."""
    return _source().astimezone(UTC)


def today() -> date:
    """The calendar day it is now in Viet Nam."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The calendar day of a moment in Viet Nam: 17:00 UTC is already tomorrow."""
    return moment.astimezone(HO_CHI_MINH).date()


class FrozenClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("a moment needs its offset from UTC")
        self.moment = moment

    def __call__(self) -> datetime:
        """The moment at which it stands."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move it on."""
        self.moment += by


@contextmanager
def frozen(moment: datetime) -> Iterator[FrozenClock]:
    """Hold the clock of the whole process at a moment, and give it back at the end; for tests."""
    global _source
    previous, clock = _source, FrozenClock(moment)
    _source = clock
    try:
        yield clock
    finally:
        _source = previous
