"""When to send: the waits between tries, what a receiver asks for, and how much of it at once. Pure; seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

JITTER = 0.1  # a wait is never shorter than it should be, and up to a tenth longer: receivers are not hit in step
LONGEST_ASKED_SECONDS = 86_400.0
OPENS_AFTER = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 300.0
OBEYED = frozenset({429, 503})


def retry_delay(failures: int, waits: Sequence[float], chance: float) -> float:
    """The wait after so many failed tries of one event (1 or more); after the last wait, the last one again.

    `chance` lies in 0 to 1.
    """
    return waits[min(failures, len(waits)) - 1] * (1 + JITTER * chance)


def asked_wait(status: int | None, retry_after: str | None, now: datetime) -> float | None:
    """What a receiver asks for by `Retry-After` (seconds or a date), a day at most; None where it asks for nothing.

    Only a 429 or 503 is heard so: other failures follow our own waits.
    """
    if status not in OBEYED or not retry_after:
        return None
    seconds = _seconds(retry_after.strip(), now)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_ASKED_SECONDS)


def _seconds(text: str, now: datetime) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (at - now).total_seconds() if at.tzinfo else None


@dataclass(slots=True)
class Health:
    """How a receiver bears up: how many deliveries it gets at once, and until when it is left alone.

    It begins with one delivery at a time and gets one more for each success (slow start), half as many after each
    failure. After five failures in a row it is left alone for 5 s, then gets a single delivery; while that fails, the
    pauses grow to 5 minutes (breaker). Moments are those of the caller's clock.
    """

    most: int
    failures: int = 0
    limit: int = 1
    quiet_until: float = 0.0
    pauses: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open: at most one delivery at a time, to see whether it works again."""
        return self.failures >= OPENS_AFTER

    def room(self, now: float, in_flight: int) -> int:
        """How many more deliveries may begin now."""
        if now < self.quiet_until:
            return 0
        return max(0, (1 if self.is_open else self.limit) - in_flight)

    def succeeded(self) -> bool:
        """Note a success; whether the receiver was thought to be down until now."""
        was_open = self.is_open
        self.failures = self.pauses = 0
        self.quiet_until = 0.0
        self.limit = min(self.most, 1 if was_open else self.limit + 1)
        return was_open

    def failed(self, now: float, chance: float, asked: float | None = None) -> None:
        """Note a failure, and what the receiver asked for."""
        self.failures += 1
        self.limit = max(1, self.limit // 2)
        if asked is not None:
            self.limit = 1
            self.quiet_until = max(self.quiet_until, now + asked)
        # What was under way when the breaker opened fails as well, and says nothing new.
        if self.is_open and now >= self.quiet_until:
            pause = min(FIRST_PAUSE_SECONDS * 2**self.pauses, LONGEST_PAUSE_SECONDS)
            self.pauses += 1
            self.limit = 1
            self.quiet_until = now + pause * (1 + JITTER * chance)
