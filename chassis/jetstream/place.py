"""Where the relay goes on: the stream's last message is the cursor, the log says whether it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog
from nats.js import JetStreamContext

from chassis.database import Database
from chassis.jetstream.connection import NatsTrouble
from chassis.jetstream.log_end import LogEnd, event_at, log_end, read_anchor
from chassis.jetstream.measures import MISSING
from chassis.jetstream.stream_tail import Sent, Tail, read_end, read_tail, sent_at
from chassis.jetstream.subjects import message_id, stream_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where the stream has the log: the log's epoch and position, the stream's sequence and last id."""

    epoch: int
    pos: int
    seq: int
    last_id: str | None
    created: str

    @property
    def anchor(self) -> str:
        """How sequences and positions fit together, as long as nothing comes between: kept for an empty stream."""
        return f"{self.created} {self.epoch} {self.seq - self.pos}"

    def before(self, pos: int) -> Place:
        """The same place, where the next event of the log is at a later position than the next one."""
        return replace(self, pos=pos - 1)

    def after(self, pos: int, count: int) -> Place:
        """The place after so many more events, the last of them at a position."""
        return Place(self.epoch, pos, self.seq + count, message_id(self.epoch, pos), self.created)


async def find_place(js: JetStreamContext, database: Database) -> Place:
    """The place of a service's stream in its log, read anew from both.

    Raises:
        NatsTrouble: the stream is missing, or it is not a copy of this log.
    """
    stream = stream_of(database.service)
    tail = await read_tail(js, stream)
    end = await log_end(database)  # after the stream: nobody can have sent what the log does not have yet
    if tail.last is None:
        pos = position_of_empty(tail, end, await read_anchor(database))
    elif tail.last.epoch == end.epoch:
        pos = await _same_epoch(database, tail.last, end)
    elif tail.last.epoch < end.epoch:
        pos = await _after_restore(js, database, tail, end)
    else:
        raise _misfit(stream, f"it is of epoch {tail.last.epoch}, the log of {end.epoch}")
    if pos + 1 < end.oldest:
        MISSING.labels(database.service).inc(end.oldest - 1 - pos)
        log.warning("jetstream_events_missing", service=database.service, first=pos + 1, last=end.oldest - 1)
        pos = end.oldest - 1
    last_id = message_id(tail.last.epoch, tail.last.pos) if tail.last else None
    return Place(end.epoch, pos, tail.seq, last_id, tail.created)


async def check_tail(js: JetStreamContext, service: str, place: Place) -> None:
    """Nothing was sent for a while: does the stream still end where we left it?

    Raises:
        NatsTrouble: it is another one, or gone.
    """
    tail = await read_end(js, stream_of(service))
    if (tail.seq, tail.created) != (place.seq, place.created):
        raise NatsTrouble(f"{stream_of(service)} has changed without us.")


def position_of_empty(tail: Tail, end: LogEnd, anchor: str | None) -> int:
    """Up to which position an empty stream had the log: as its anchor says; without one, nothing of it."""
    created, _, rest = (anchor or "").partition(" ")
    epoch, _, offset = rest.partition(" ")
    if tail.seq and created == tail.created and epoch == str(end.epoch):
        return min(tail.seq - int(offset), end.head)
    return end.oldest - 1


async def _same_epoch(database: Database, last: Sent, end: LogEnd) -> int:
    stream = stream_of(database.service)
    if last.pos > end.head:
        raise _misfit(stream, f"it goes to position {last.pos}, the log to {end.head}")
    found = await event_at(database, last.pos)
    if found not in (None, last.event_id):
        raise _misfit(stream, f"at position {last.pos} it has another event than the log")
    return last.pos


async def _after_restore(js: JetStreamContext, database: Database, tail: Tail, end: LogEnd) -> int:
    """Up to which position stream and restored log are the same: found by halving, for both began alike."""
    stream = stream_of(database.service)

    async def position_if_same(seq: int) -> int | None:
        sent = await sent_at(js, stream, seq)
        is_same = sent is not None and await event_at(database, sent.pos) == sent.event_id
        return sent.pos if sent is not None and is_same else None

    same, differs, found = tail.first_seq - 1, tail.seq + 1, end.oldest - 1
    while differs - same > 1:
        middle = (same + differs + 1) // 2 if differs <= tail.seq else tail.seq
        pos = await position_if_same(middle)
        same, differs, found = (middle, differs, pos) if pos is not None else (same, middle, found)
    log.warning("jetstream_epoch_begins", service=database.service, epoch=end.epoch, after=found)
    return found


def _misfit(stream: str, reason: str) -> NatsTrouble:
    return NatsTrouble(
        f"{stream} is not a copy of this log: {reason}. If no other house uses it, make it anew with"
        " `chitieu jetstream rebuild`."
    )
