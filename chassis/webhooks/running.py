"""One webhook in the hands of this process: what it wants to hear, what it may send now, and what is to be noted.

No database and no network here; moments are those of the event loop's clock.
"""

from __future__ import annotations

import random
import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from standardwebhooks import Webhook

from chassis import clock
from chassis.settings import Settings
from chassis.webhooks.course import NEVER, Course, Found, Held, Item
from chassis.webhooks.letters import Letter, Office
from chassis.webhooks.schedule import Health, retry_delay
from chassis.webhooks.sending import Outcome, Result, answers
from chassis.webhooks.store.leases import Claimed
from chassis.webhooks.store.reading import Read, Wanted
from chassis.webhooks.store.recording import Report

# So much is read ahead for each delivery that may be under way at once.
READ_AHEAD = 8
MOST_KEYS = 500
# With so many attempts not written down the database is away, and it is time to wait for it.
MOST_UNTOLD = 2000
GONE = 410


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be read for a course: what comes next, or the events of held keys."""

    course: Course
    wanted: Wanted
    keys: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """A word of our own to send: a challenge (with the word to be answered) or a ping."""

    letter: Letter
    attempt: int
    word: str | None = None


class Run:
    """One webhook under a lease of this process."""

    def __init__(self, claimed: Claimed, keys: Sequence[Webhook], settings: Settings, now: float) -> None:
        row = claimed.row
        self.id: UUID = row["id"]
        self.url: str = row["url"]
        self.state: str = row["state"]
        self.version: int = row["version"]
        self.lease_number: int = row["lease_number"]
        self.lease_end = now + settings.webhook_lease_seconds
        self.in_flight = 0
        self.is_leaving = False
        self._waits = settings.webhook_waits
        self._keys = tuple(keys)
        self._old_key_end = now + (row["old_secret_seconds"] or 0.0)
        self.health = Health(settings.webhook_in_flight, failures=row["failures"])
        self.health.quiet_until = now + max(row["quiet_seconds"] or 0.0, 0.0)
        self._ping: UUID | None = None
        self._pinged: set[UUID] = set()
        self._challenges: int = row["challenges"]
        self._challenge_due = now + row["challenge_seconds"] if self.state == "pending" else NEVER
        self._read_ahead = READ_AHEAD * settings.webhook_in_flight
        self._courses = {course.number: course for course in _courses(claimed, now)}
        self._turns = deque(self._courses.values())
        self._told = {course.number: course.cursor for course in self._courses.values()}
        self._news = self._report()
        self.is_dirty = False

    @property
    def cursor(self) -> int:
        """Up to here everything was delivered or is held."""
        return self._courses[0].cursor

    @property
    def held_keys(self) -> int:
        """How many keys wait after a failure."""
        return sum(len(course.held) for course in self._courses.values())

    @property
    def first_undelivered(self) -> int:
        """The position of the first event that may not have been delivered."""
        main = self._courses[0]
        return min([main.cursor + 1, *(held.pos for held in main.held.values())])

    @property
    def is_done(self) -> bool:
        """Whether nothing keeps this process from giving the webhook away."""
        wants_none = self.is_leaving or (self.state == "paused" and self._ping is None)
        return wants_none and not self.in_flight and not self.is_dirty

    @property
    def is_hungry(self) -> bool:
        """Whether more is to be read before long."""
        return self._queued < (1 if self.health.is_open else self._wanted_ahead // 2)

    @property
    def _wanted_ahead(self) -> int:
        """So many events are held that are new: few for a receiver that takes few at once, however many wait."""
        return READ_AHEAD * self.health.limit

    @property
    def _queued(self) -> int:
        return sum(course.queued for course in self._courses.values())

    def keys(self, now: float) -> Sequence[Webhook]:
        """What deliveries are signed with: the secret, and for a time the one before it."""
        return self._keys if now < self._old_key_end else self._keys[:1]

    def ping(self, ping_id: UUID | None) -> None:
        """Have a ping sent, once."""
        if ping_id is not None and ping_id not in self._pinged:
            self._ping = ping_id

    def may_send(self, now: float) -> bool:
        """Whether this process may send anything at all for this webhook now."""
        return not self.is_leaving and now < self.lease_end and len(self._news.attempts) < MOST_UNTOLD

    def room(self, now: float) -> int:
        """How many more events may be sent now."""
        if self.state != "active" or not self.may_send(now):
            return 0
        return self.health.room(now, self.in_flight)

    def asks(self, now: float, head: int | None) -> Iterator[Asked]:
        """What is to be read now; `head` is the log's as far as it is known."""
        if self.room(now) == 0:
            return
        for course in self._courses.values():
            due = course.due_keys(now, MOST_KEYS)
            if due:
                yield Asked(course, self._of_keys(course, due), due)
            if self.is_hungry and course.may_read and (head is None or course.pos < head):
                most = 1 if self.health.is_open else self._wanted_ahead - self._queued
                yield Asked(course, Wanted(self.id, course.pos, most, upto=course.upto))

    def _of_keys(self, course: Course, keys: Sequence[str]) -> Wanted:
        after = min(course.held[key].seen for key in keys)
        if course.is_ordered:
            return Wanted(self.id, after, self._read_ahead, course.pos, subjects=keys)
        return Wanted(self.id, after, self._read_ahead, course.pos, positions=[int(key) for key in keys])

    def misses(self, asked: Asked, read: Read) -> Iterator[int]:
        """The positions of events that are to be sent, of those that were read."""
        for pos, subject in read.found:
            if asked.keys is not None or not self._waits_elsewhere(asked.course, pos, subject):
                yield pos

    def take_in(self, asked: Asked, read: Read, letters: dict[int, Letter]) -> None:
        """Add what was read."""
        course = asked.course
        found = [
            Found(pos, subject, letters[pos])
            for pos, subject in read.found
            if pos in letters and not self._waits_elsewhere(course, pos, subject)
        ]
        if asked.keys is None:
            course.take_new(found, read.reached)
        else:
            course.take_due(asked.keys, found, read.reached)
        self.is_dirty |= course.is_over

    def _waits_elsewhere(self, course: Course, pos: int, subject: str) -> bool:
        """Whether a replay meets an event that was never delivered: it comes in its turn, not out of it."""
        return course.number != 0 and self._courses[0].is_held(pos, subject)

    def next_item(self, now: float) -> Item | None:
        """The next event to send now, of each course in turn; None where there is none or it is not the time."""
        if self.room(now) == 0:
            return None
        for _ in range(len(self._turns)):
            course = self._turns[0]
            self._turns.rotate(-1)
            item = course.take()
            if item is not None:
                return item
        return None

    def next_errand(self, now: float, office: Office) -> Errand | None:
        """The next word of our own to send now."""
        if not self.may_send(now):
            return None
        if self._ping is not None:
            ping_id, self._ping = self._ping, None
            self._pinged.add(ping_id)
            return Errand(office.ping(self.id, ping_id), 1)
        if now >= self._challenge_due and not self._news.was_challenged:
            self._challenge_due = NEVER
            word = secrets.token_urlsafe(24)
            return Errand(office.challenge(self.id, uuid4(), word), self._challenges + 1, word)
        return None

    def next_moment(self, now: float) -> float:
        """When there may be something to send that cannot be sent now."""
        if not self.may_send(now):
            return NEVER
        if self._ping is not None:
            return now
        if self.state != "active":
            return self._challenge_due
        if now < self.health.quiet_until:
            return self.health.quiet_until
        due = min(course.next_due for course in self._courses.values())
        return NEVER if due <= now and self.in_flight else due

    def settle(self, item: Item, outcome: Outcome, now: float) -> None:
        """Note what became of an event."""
        self._note(item.letter, item.attempt, outcome)
        if outcome.is_delivered:
            item.course.delivered(item)
            self._news.has_delivered = True
            if self.health.succeeded():
                self._hurry()
            return
        chance = random.random()  # noqa: S311 - to spread tries, not to hide anything
        item.course.failed(item, now + self._wait(outcome, item.attempt, chance))
        self.health.failed(now, chance, outcome.asked)
        self._news.has_failed = True
        if outcome.status == GONE:
            self._news.is_gone = self.is_leaving = True

    def settle_errand(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Note what became of a word of our own. A ping that is taken in shows that the receiver works again."""
        if errand.word is None:
            self._news.pinged = errand.letter.event_id
            if outcome.is_delivered and self.health.succeeded():
                self._hurry()
        else:
            has_answered = answers(outcome, errand.word)
            if outcome.is_delivered and not has_answered:
                outcome = Outcome(Result.UNANSWERED, outcome.seconds, outcome.status, outcome.reply)
            wait = self._wait(outcome, errand.attempt, 0.0)
            self._news.was_challenged, self._news.has_answered = True, has_answered
            self._news.challenge_wait = wait
            self._challenges += 1
            self._challenge_due = NEVER if has_answered else now + wait
        self._note(errand.letter, errand.attempt, outcome)

    def _wait(self, outcome: Outcome, attempt: int, chance: float) -> float:
        """Seconds to the next try: what the receiver asked for, though never less than the first of our own waits."""
        if outcome.asked is not None:
            return max(outcome.asked, self._waits[0])
        return retry_delay(attempt, self._waits, chance)

    def give_up_before(self, first: int) -> None:
        """Note what can no longer be sent: the log holds nothing before a position any more."""
        for course in self._courses.values():
            for pos, key in course.lose_before(first):
                lost = Letter(uuid4(), "", key, "", pos)
                detail = f"the log begins at position {first}"
                self._note(lost, 0, Outcome(Result.EXPIRED, 0.0, detail=detail))

    def report(self, now: float) -> Report:
        """What happened since the last report; it counts as told until it is taken back."""
        told, self._news = self._news, self._report()
        told.failures = self.health.failures
        told.quiet_seconds = self.health.quiet_until - now if self.health.quiet_until > now else None
        for course in list(self._courses.values()):
            self._tell(course, told, now)
        self.is_dirty = False
        return told

    def take_back(self, told: Report) -> None:
        """Keep a report that was not written down for the next one."""
        news = self._news
        news.has_delivered |= told.has_delivered
        news.has_failed |= told.has_failed
        news.is_gone |= told.is_gone
        news.pinged = news.pinged or told.pinged
        if told.was_challenged and not news.was_challenged:
            news.was_challenged, news.has_answered = True, told.has_answered
            news.challenge_wait = told.challenge_wait
        news.attempts[:0] = told.attempts
        for number, key, *_ in told.held:
            self._courses[number].tell_again([key])
        for number, key in told.released:
            self._courses[number].tell_again([key])
        self._told.clear()
        self.is_dirty = True

    def written(self, told: Report, lease_end: float, version: int) -> None:
        """Note that a report was written down, and the lease renewed with it."""
        self.lease_end = lease_end
        for number in told.over:
            self._turns.remove(self._courses.pop(number))
        if version != self.version:
            self.is_leaving = True

    def _tell(self, course: Course, told: Report, now: float) -> None:
        if self._told.get(course.number) != course.cursor:
            self._told[course.number] = course.cursor
            told.courses.append((course.number, course.cursor))
        for key, held in course.changed_keys().items():
            if held is None:
                told.released.append((course.number, key))
            else:
                told.held.append((course.number, key, held.pos, held.attempts, max(held.due - now, 0.0)))
        if course.is_over:
            told.over.append(course.number)

    def _note(self, letter: Letter, attempt: int, outcome: Outcome) -> None:
        self.is_dirty = True
        self._news.attempts.append(
            (
                letter.event_id, letter.type, letter.subject, letter.pos, attempt, clock.now(), str(outcome.result),
                outcome.status, round(outcome.seconds * 1000), outcome.excerpt, outcome.detail,
            )
        )  # fmt: skip

    def _hurry(self) -> None:
        for course in self._courses.values():
            course.hurry()

    def _report(self) -> Report:
        return Report(self.id, self.lease_number, self.version, failures=0, quiet_seconds=None)


def _courses(claimed: Claimed, now: float) -> Iterable[Course]:
    is_ordered = claimed.row["ordering"] == "key"
    for row in claimed.courses:
        course = Course(row["number"], row["pos"], row["upto"], is_ordered=is_ordered)
        for held in claimed.held:
            if held["course"] == course.number:
                course.hold(held["key"], _held(held, now))
        yield course


def _held(row: Any, now: float) -> Held:
    return Held(row["pos"], row["attempts"], now + max(row["seconds"], 0.0), seen=row["pos"] - 1)
