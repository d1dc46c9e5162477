"""What writers were told and what readers heard, kept outside the system: the witness that the checker believes."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Told(Enum):
    """What a writer knows of his write."""

    NOTHING = "nothing"  # it may be in or not
    DONE = "done"
    UNDONE = "undone"  # he took it back himself


@dataclass(slots=True)
class Write:
    """One transaction; each of its events carries one of its keys."""

    name: str
    subjects: Sequence[str]
    sent_at: float = field(default_factory=time.monotonic)
    told: Told = Told.NOTHING
    told_at: float = float("inf")

    @property
    def keys(self) -> list[str]:
        """What its events are known by, in the order in which they were written."""
        return [f"{self.name}/{number}" for number in range(len(self.subjects))]

    def end(self, told: Told) -> None:
        """Note what the writer was told."""
        self.told, self.told_at = told, time.monotonic()


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as somebody heard it."""

    position: int
    event_id: str
    subject: str
    version: int
    key: str

    @staticmethod
    def of(event: Mapping[str, Any]) -> Heard:
        """From a CloudEvent of any delivery."""
        data = event["data"]
        key = str(data.get("name_en", ""))
        return Heard(int(event["sequence"]), event["id"], event["subject"], data["version"], key)


@dataclass(slots=True)
class Hook:
    """A webhook: what it is to hear."""

    name: str
    is_ordered: bool
    is_for_offices: bool
    since: int = 0  # it hears what comes after this position

    def wants(self, event: Heard) -> bool:
        """Whether it is to hear of this event."""
        return event.position > self.since and (not self.is_for_offices or "/" in event.subject)


@dataclass(frozen=True, slots=True)
class Copied:
    """A message of the stream."""

    epoch: int
    position: int
    event_id: str


@dataclass(slots=True)
class Journal:
    """Everything that was sent, told and heard."""

    writes: dict[str, Write] = field(default_factory=dict)
    heard: defaultdict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))  # by every reader
    hooks: dict[str, Hook] = field(default_factory=dict)
    delivered: defaultdict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))  # taken in, by webhook
    stream: list[Copied] = field(default_factory=list)
    naive: list[str] = field(default_factory=list)  # keys that a reader found who follows ids
    troubles: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)  # promises that somebody saw broken on the spot

    def send(self, name: str, subjects: Iterable[str]) -> Write:
        """Note a write before its first byte leaves."""
        self.writes[name] = Write(name, list(subjects))
        return self.writes[name]

    @property
    def done(self) -> list[Write]:
        """The writes that were acknowledged."""
        return [write for write in self.writes.values() if write.told is Told.DONE]


@dataclass(frozen=True, slots=True)
class Log:
    """The log at rest, read behind the system's back."""

    events: Sequence[Heard]
    head: int
    waiting: int  # events without a position
    epoch: int = 1
