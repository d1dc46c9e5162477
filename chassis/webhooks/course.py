"""One walk of a webhook through the log, as it stands in memory: what waits, what is under way, what is held up.

Pure: no database, no clock, no network. A webhook has one course that never ends, and one more for each replay.

What is written down of a course is its cursor and one row for each held key: everything up to the cursor was delivered,
but for the events of a held key from its position on. So a receiver that is down for days costs a row for each key it
failed, never one for each event that waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from chassis.webhooks.letters import Letter

# With so many keys held the receiver is not well, and reading on would only add to them.
MOST_HELD = 10_000
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Found:
    """An event that the webhook is to hear."""

    pos: int
    subject: str
    letter: Letter


@dataclass(slots=True)
class Held:
    """A key whose events wait: from which position, after how many failures, until when.

    `seen` says how far its events were read already; they stand in its chain.
    """

    pos: int
    attempts: int
    due: float
    seen: int


@dataclass(frozen=True, slots=True)
class Item:
    """One event to send, and the how manieth try this is."""

    course: Course
    key: str
    pos: int
    letter: Letter
    attempt: int


class Course:
    """Reads on, sends in order within a key, and remembers what failed.

    Without order each event is a key of its own, so none waits for another.
    """

    def __init__(self, number: int, pos: int, upto: int | None = None, *, is_ordered: bool = True) -> None:
        self.number = number
        self.pos = pos
        self.upto = upto
        self.is_ordered = is_ordered
        self.held: dict[str, Held] = {}
        self.queued = 0
        self._chains: dict[str, deque[Found]] = {}
        self._ready: deque[str] = deque()
        self._open: dict[int, None] = {}  # positions neither delivered nor held, in order
        self._touched: set[str] = set()
        self._next_due = NEVER

    @property
    def cursor(self) -> int:
        """Up to here everything was delivered or is held."""
        return next(iter(self._open)) - 1 if self._open else self.pos

    @property
    def may_read(self) -> bool:
        """Whether there is sense in reading on."""
        return (self.upto is None or self.pos < self.upto) and len(self.held) < MOST_HELD

    @property
    def is_over(self) -> bool:
        """Whether a replay has come to its end."""
        return self.upto is not None and self.pos >= self.upto and not (self._open or self.held or self._chains)

    @property
    def next_due(self) -> float:
        """When the next held key is due."""
        return self._next_due

    def key_of(self, pos: int, subject: str) -> str:
        """What an event is ordered by."""
        return subject if self.is_ordered else str(pos)

    def is_held(self, pos: int, subject: str) -> bool:
        """Whether an event waits for an earlier one of its key, or failed itself."""
        held = self.held.get(self.key_of(pos, subject))
        return held is not None and pos >= held.pos

    def hold(self, key: str, held: Held) -> None:
        """Take over a key that was held before this process read the course."""
        self.held[key] = held
        self._next_due = min(self._next_due, held.due)

    def take_new(self, found: Iterable[Found], reached: int) -> None:
        """Add events read on from `pos` to `reached`, in order; those of held keys are left to their keys."""
        for each in found:
            if not self.is_held(each.pos, each.subject):
                self._open[each.pos] = None
                self._append(self.key_of(each.pos, each.subject), each)
        self.pos = max(self.pos, reached)

    def due_keys(self, now: float, most: int) -> list[str]:
        """Held keys to be tried now, whose events are to be read; the oldest first."""
        if now < self._next_due:
            return []
        waiting = {key: held for key, held in self.held.items() if key not in self._chains}
        due = nsmallest(most, (key for key, held in waiting.items() if held.due <= now), key=lambda k: waiting[k].seen)
        self._next_due = min((held.due for held in waiting.values()), default=NEVER)
        return due

    def take_due(self, keys: Sequence[str], found: Iterable[Found], reached: int) -> None:
        """Add events of held keys, read up to `reached`; a key that has none left is held no more."""
        asked = {key for key in keys if key in self.held and key not in self._chains}
        for each in found:
            key = self.key_of(each.pos, each.subject)
            held = self.held.get(key)
            if held is not None and key in asked and each.pos > held.seen:
                self._append(key, each)
        for key in asked:
            self.held[key].seen = max(self.held[key].seen, reached)
            self._release_where_done(key)

    def take(self) -> Item | None:
        """The next event to send; its key gives no other until this one is settled."""
        if not self._ready:
            return None
        key = self._ready.popleft()
        first = self._chains[key][0]
        self.queued -= 1
        held = self.held.get(key)
        return Item(self, key, first.pos, first.letter, attempt=(held.attempts if held else 0) + 1)

    def delivered(self, item: Item) -> None:
        """Note that an event was taken in."""
        chain = self._chains[item.key]
        chain.popleft()
        held = self.held.get(item.key)
        if held is None:
            del self._open[item.pos]
        else:
            held.pos, held.attempts, held.due = item.pos + 1, 0, 0.0
            self._next_due = 0.0
            self._touched.add(item.key)
        if chain:
            self._ready.append(item.key)
        else:
            del self._chains[item.key]
            self._release_where_done(item.key)

    def failed(self, item: Item, due: float) -> None:
        """Note that an event was not taken in: it and what follows in its key wait until `due`."""
        chain = self._chains.pop(item.key)
        self.queued -= len(chain) - 1
        for each in chain:
            self._open.pop(each.pos, None)
        self.held[item.key] = Held(item.pos, item.attempt, due, seen=item.pos - 1)
        self._next_due = min(self._next_due, due)
        self._touched.add(item.key)

    def hurry(self) -> None:
        """Let every held key be tried at once: its receiver works again."""
        for held in self.held.values():
            held.due = 0.0
        self._next_due = 0.0 if self.held else NEVER

    def lose_before(self, first: int) -> list[tuple[int, str]]:
        """Give up what lies before a position; answers from where on something may be lost, and of which key."""
        lost = []
        if self.pos + 1 < first:
            lost.append((self.pos + 1, ""))
            self.pos = first - 1
        for key, held in list(self.held.items()):
            if held.pos < first and key not in self._chains:
                lost.append((held.pos, key))
                held.pos, held.attempts, held.due, held.seen = first, 0, 0.0, max(held.seen, first - 1)
                self._touched.add(key)
                self._next_due = 0.0
                self._release_where_done(key)
        return lost

    def changed_keys(self) -> Mapping[str, Held | None]:
        """The held keys that changed since this was last asked; None: held no more."""
        touched, self._touched = self._touched, set()
        return {key: self.held.get(key) for key in touched}

    def tell_again(self, keys: Iterable[str]) -> None:
        """Count keys as changed: what was asked for was not written down."""
        self._touched.update(keys)

    def _append(self, key: str, found: Found) -> None:
        chain = self._chains.setdefault(key, deque())
        chain.append(found)
        self.queued += 1
        if len(chain) == 1:
            self._ready.append(key)

    def _release_where_done(self, key: str) -> None:
        held = self.held.get(key)
        if held is None or key in self._chains:
            return
        if held.seen >= (self.pos if self.is_ordered else int(key)):
            del self.held[key]
            self._touched.add(key)
