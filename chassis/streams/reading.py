"""The log as streams read it: positions as numbers, and every change encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select

from chassis.auth import Caller
from chassis.feed import Feed, Filter, cloud_event, decode_position, encode_position, head_column
from chassis.replies import encode
from chassis.streams import frames

# Who reads for all listeners of a process: each of them is given only what it may hear.
EVERYBODY = Caller("streams", "streams", frozenset(), frozenset({"*"}))


class Position(NamedTuple):
    """A place in the log."""

    epoch: int
    pos: int

    @property
    def cursor(self) -> str:
        """The place as callers see it."""
        return encode_position(f"{self.epoch}.{self.pos}")


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
        """The same decision as the feed's own statement makes."""
        wanted = self.wanted
        is_wanted = (
            (not wanted.types or kind.type in wanted.types)
            and (not wanted.provinces or kind.province in wanted.provinces)
            and (not wanted.communes or kind.commune in wanted.communes)
        )
        return is_wanted and (kind.is_public or not self.units.isdisjoint({"*", kind.province, kind.commune}))


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

    def __init__(self, feed: Feed, public_url: str | None) -> None:
        self._feed = feed
        self._public_url = public_url

    async def start(self, cursor: str | None) -> Start:
        """Where a listener begins that comes with a cursor (none: at the head).

        Raises:
            Refused: not one of our cursors ("feed_cursor_invalid").
            Gone: a dead cursor ("feed_rewound" and the like).
        """
        if cursor is not None:
            at = Position(*decode_position(cursor))
            page = await self.page(EVERYBODY, Filter(), at, limit=1)
            return Start(at, page.behind + len(page.changes))
        async with self._feed.database.read() as db:
            epoch, pos = str(await db.scalar(select(head_column()))).split(".")
        return Start(Position(int(epoch), int(pos)), 0)

    async def page(self, caller: Caller, wanted: Filter, after: Position, *, limit: int, wait: float = 0) -> Page:
        """What a caller may hear after a position; when there is nothing yet, wait up to `wait` seconds.

        Raises:
            Gone: the cursor is dead ("feed_rewound" and the like).
        """
        found = await self._feed.changes(caller, after.cursor, wanted, limit=limit, wait=wait)
        upto, head = Position(*decode_position(found.next)), decode_position(found.head)
        return Page([self._change(row, upto.epoch) for row in found.items], upto, head[1] - upto.pos)

    def _change(self, row: dict[str, Any], epoch: int) -> Change:
        body = encode(cloud_event(self._feed.database.service, row, self._public_url))
        kind = Kind(row["type"], row["province"], row["commune"], row["is_public"])
        return Change(row["pos"], kind, frames.change(Position(epoch, row["pos"]).cursor, row["type"], body))
