"""Pages of the log for one caller: what a filter wants and the caller may hear, in order, nothing left out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.auth import Caller
from chassis.database import Database
from chassis.event_log.positions import Position
from chassis.event_log.rows import COLUMNS, Logged

MOST_EVENTS = 10_000
# A page ends at so many bytes, whatever the limit of events.
PAGE_BYTES = 8 * 2**20
CHUNK_EVENTS, SLICE_EVENTS = 2_000, 100
# One page never scans further than this, so that a narrow filter cannot hold a connection for long.
SCAN_WINDOW = 50_000


class Placed(Protocol):
    """What decides who hears an event."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def province(self) -> str | None:
        """The province it is of."""

    @property
    def commune(self) -> str | None:
        """The commune it is of."""

    @property
    def is_public(self) -> bool:
        """Whether everybody may hear it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events: by type, province, commune."""

    types: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()

    def lets(self, row: Placed, units: frozenset[str]) -> bool:
        """Whether who acts for these units hears a row by this filter: the same as the statement below says."""
        return (
            (not self.types or row.type in self.types)
            and (not self.provinces or row.province in self.provinces)
            and (not self.communes or row.commune in self.communes)
            and (row.is_public or not units.isdisjoint(("*", row.province, row.commune)))
        )


class Basket(Protocol):
    """What a page's events are gathered in, slice by slice."""

    @property
    def size(self) -> int:
        """About how many bytes they are."""

    def put(self, rows: Sequence[Logged], texts: Sequence[str] | None = None) -> None:
        """Add events, with their texts where these are known."""


@dataclass(frozen=True, slots=True)
class Span:
    """How far a page came, also when nothing was heard; and where the log ends."""

    upto: Position
    head: Position
    count: int

    @property
    def is_at_head(self) -> bool:
        """Whether there is no more for now."""
        return self.upto.pos >= self.head.pos


class Rewound(Exception):  # the feed says it to callers
    """The cursor is of another epoch, or ahead of the log."""


class Expired(Exception):  # the feed says it to callers
    """What comes after the cursor is no longer in the log; with the oldest place to read from."""

    def __init__(self, oldest: Position) -> None:
        super().__init__(oldest.cursor)
        self.oldest = oldest


HEAD = "SELECT epoch, pos FROM feed_head WHERE feed = 'main'"
_OLDEST = "SELECT min(pos) - 1 FROM event_log"
_IS_KEPT = "SELECT EXISTS (SELECT 1 FROM event_log WHERE pos = $1)"
_READ = f"""
SELECT {COLUMNS} FROM event_log
WHERE pos > $1 AND pos <= $2
  AND ($3::text[] IS NULL OR type = ANY($3))
  AND ($4::text[] IS NULL OR province = ANY($4))
  AND ($5::text[] IS NULL OR commune = ANY($5))
  AND (is_public OR $6 OR province = ANY($7::text[]) OR commune = ANY($7::text[]))
ORDER BY pos LIMIT $8
"""  # noqa: S608 - nothing of a caller's is in it


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: by whom, after which place (None: the oldest event kept), how many events at most."""

    caller: Caller
    after: Position | None
    wanted: Filter
    limit: int


class LogReader:
    """Reads one service's log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wish: Wish, basket: Basket) -> Span:
        """Gather what comes next.

        Raises:
            Rewound: the place is of another epoch, or ahead of the log.
            Expired: what comes after it has left the log.
        """
        async with self._database.driver() as connection:
            head = Position(*await connection.fetchrow(HEAD))
            after = wish.after or await self._oldest(connection, head)
            if after.epoch != head.epoch or after.pos > head.pos:
                raise Rewound
            found = await _Reading(connection, wish, basket).between(after, head) if after != head else None
            # Only the log's beginning ever leaves it: what is still there after reading was there throughout.
            if found and not await connection.fetchval(_IS_KEPT, after.pos + 1):
                raise Expired(await self._oldest(connection, head))
            return found or Span(head, head, 0)

    async def oldest(self) -> Position:
        """The place before the oldest event kept: the oldest one that can be followed from."""
        async with self._database.driver() as connection:
            return await self._oldest(connection, Position(*await connection.fetchrow(HEAD)))

    async def _oldest(self, connection: Any, head: Position) -> Position:
        before = await connection.fetchval(_OLDEST)
        return head if before is None else Position(head.epoch, before)


class _Reading:
    """One page, chunk by chunk: the next one is on its way while one is put into the basket."""

    def __init__(self, connection: Any, wish: Wish, basket: Basket) -> None:
        self._connection = connection
        self._wish = wish
        self._basket = basket
        self._count = 0
        self._reached = 0

    async def between(self, after: Position, head: Position) -> Span:
        """Read on until the wish is fulfilled, the page is full, or nothing is left."""
        self._reached, end = after.pos, min(head.pos, after.pos + SCAN_WINDOW)
        size = min(self._wish.limit, CHUNK_EVENTS)
        coming = self._ask(after.pos, end, size)
        try:
            while size:
                chunk = await coming
                is_last = len(chunk) < size
                size = 0 if is_last else min(self._wish.limit - self._count - len(chunk), CHUNK_EVENTS)
                if size:
                    coming = self._ask(chunk[-1].pos, end, size)
                    await asyncio.sleep(0)  # it leaves with the next turn of the loop
                if not await self._take(chunk):
                    break
                if is_last:
                    self._reached = end
        finally:
            # However this ends, nobody else gets the connection while a chunk is still on its way.
            await asyncio.gather(coming, return_exceptions=True)
        return Span(Position(head.epoch, self._reached), head, self._count)

    def _ask(self, after: int, end: int, size: int) -> asyncio.Task[list[Logged]]:
        wanted, caller = self._wish.wanted, self._wish.caller
        chosen = (list(values) or None for values in (wanted.types, wanted.provinces, wanted.communes))
        rights = "*" in caller.admin_units, caller.unit_codes
        return asyncio.create_task(
            self._connection.fetch(_READ, after, end, *chosen, *rights, size, record_class=Logged)
        )

    async def _take(self, chunk: list[Logged]) -> bool:
        """Put events into the basket until it is full; answers whether all of them found room.

        Between slices the next chunk is taken from the wire: the database would wait with it otherwise.
        """
        for begin in range(0, len(chunk), SLICE_EVENTS):
            if self._basket.size >= PAGE_BYTES:
                return False
            rows = chunk[begin : begin + SLICE_EVENTS]
            self._basket.put(rows)
            self._count += len(rows)
            self._reached = rows[-1].pos
            await asyncio.sleep(0)
        return True
