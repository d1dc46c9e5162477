"""The log as streams read it: positions as numbers, and every change encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from chassis.auth import Caller
from chassis.event_log.positions import Position
from chassis.event_log.rows import Logged
from chassis.feed import Feed, Filter, decode_position, head_column
from chassis.streams import frames

# Who reads for all listeners of a process: each of them is given only what it may hear.
EVERYBODY = Caller("streams", "streams", frozenset(), frozenset({"*"}))


class Kind(NamedTuple):
    """What decides who hears a change."""

    type: str
    province: str | None
    commune: str | None
    is_public: bool


@dataclass(frozen=True, slots=True)
class Audience:
    """A filter and rights together; listeners of one audience are sent the same bytes."""

    wanted: Filter
    units: frozenset[str]

    @classmethod
    def of(cls, caller: Caller, wanted: Filter) -> Audience:
        """The audience a caller belongs to with a filter."""
        return cls(wanted, caller.admin_units)

    def hears(self, kind: Kind) -> bool:
        """Whether changes of a kind are for it."""
        return self.wanted.lets(kind, self.units)


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as it goes out."""

    pos: int
    kind: Kind
    frame: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Changes after a position up to another one in the same epoch, and how many are behind that."""

    changes: Sequence[Change]
    upto: Position
    behind: int


class Start(NamedTuple):
    """Where a listener begins, and how many changes that is behind the head."""

    at: Position
    behind: int


class Reader:
    """Reads one service's log for streams."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def start(self, cursor: str | None) -> Start:
        """Where a listener begins that comes with a cursor (none: at the head).

        Raises:
            Refused: not one of our cursors ("feed_cursor_invalid").
            Gone: a dead cursor ("feed_rewound", "cursor_expired").
        """
        if cursor is not None:
            at = decode_position(cursor)
            page = await self.page(EVERYBODY, Filter(), at, limit=1)
            return Start(at, page.behind + len(page.changes))
        async with self._feed.database.read() as db:
            epoch, pos = str(await db.scalar(select(head_column()))).split(".")
        return Start(Position(int(epoch), int(pos)), 0)

    async def page(self, caller: Caller, wanted: Filter, after: Position, *, limit: int, wait: float = 0) -> Page:
        """What a caller may hear after a position; when there is nothing yet, wait up to `wait` seconds.

        Raises:
            Gone: the cursor is dead ("feed_rewound", "cursor_expired").
        """
        found = await self._feed.changes(caller, after.cursor, wanted, limit=limit, wait=wait)
        upto, head = decode_position(found.next), decode_position(found.head)
        texts = self._feed.envelope.texts(found.rows)
        changes = [_change(row, text, upto.epoch) for row, text in zip(found.rows, texts, strict=True)]
        return Page(changes, upto, head.pos - upto.pos)


def _change(row: Logged, text: str, epoch: int) -> Change:
    kind = Kind(row.type, row.province, row.commune, row.is_public)
    return Change(row.pos, kind, frames.change(Position(epoch, row.pos).cursor, row.type, text.encode()))
