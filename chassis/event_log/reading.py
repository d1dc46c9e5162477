"""Pages of the log for one caller: what a filter wants and the caller may hear, in order, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chassis.auth import Caller
from chassis.database import Database
from chassis.event_log.positions import Position
from chassis.event_log.rows import COLUMNS, Envelope, Logged

MOST_EVENTS = 10_000
# A page ends at so many bytes, whatever the limit of events.
PAGE_BYTES = 8 * 2**20
CHUNK_EVENTS = 2_000
# One page never scans further than this, so that a narrow filter cannot hold a connection for long.
SCAN_WINDOW = 50_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events: by type, province, commune."""

    types: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()

    def lets(self, row: Logged, caller: Caller) -> bool:
        """Whether a caller hears a row by this filter: the same as the statement below says."""
        return (
            (not self.types or row.type in self.types)
            and (not self.provinces or row.province in self.provinces)
            and (not self.communes or row.commune in self.communes)
            and (row.is_public or not caller.admin_units.isdisjoint(("*", row.province, row.commune)))
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """Events and how each is told; where to go on, also when nothing was heard; and where the log ends."""

    rows: Sequence[Logged]
    texts: Sequence[str]
    upto: Position
    head: Position

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


class LogReader:
    """Reads one service's log."""

    def __init__(self, database: Database, envelope: Envelope) -> None:
        self._database = database
        self._envelope = envelope

    async def page(self, caller: Caller, after: Position | None, wanted: Filter, limit: int) -> Heard:
        """What comes after a place (none: the oldest event kept), up to `limit` events.

        Raises:
            Rewound: the place is of another epoch, or ahead of the log.
            Expired: what comes after it has left the log.
        """
        async with self._database.driver() as connection:
            head = Position(*await connection.fetchrow(HEAD))
            if after is None:
                after = await self._oldest(connection, head)
            if after.epoch != head.epoch or after.pos > head.pos:
                raise Rewound
            found = await self._read(connection, caller, wanted, (after, head), limit)
            # Only the log's beginning ever leaves it: what is still there after reading was there throughout.
            if after.pos < head.pos and not await connection.fetchval(_IS_KEPT, after.pos + 1):
                raise Expired(await self._oldest(connection, head))
            return found

    async def oldest(self) -> Position:
        """The place before the oldest event kept: the oldest one that can be followed from."""
        async with self._database.driver() as connection:
            return await self._oldest(connection, Position(*await connection.fetchrow(HEAD)))

    async def _oldest(self, connection: Any, head: Position) -> Position:
        before = await connection.fetchval(_OLDEST)
        return head if before is None else Position(head.epoch, before)

    async def _read(
        self, connection: Any, caller: Caller, wanted: Filter, span: tuple[Position, Position], limit: int
    ) -> Heard:
        after, head = span
        end = min(head.pos, after.pos + SCAN_WINDOW)
        chosen = [list(values) or None for values in (wanted.types, wanted.provinces, wanted.communes)]
        rights = "*" in caller.admin_units, caller.unit_codes
        rows: list[Logged] = []
        texts: list[str] = []
        size, reached = 0, after.pos
        while reached < end and len(rows) < limit and size < PAGE_BYTES:
            wish = min(limit - len(rows), CHUNK_EVENTS)
            chunk = await connection.fetch(_READ, reached, end, *chosen, *rights, wish)
            reached = chunk[-1][0] if len(chunk) == wish else end
            for record in chunk:
                rows.append(row := Logged._make(record))
                texts.append(text := self._envelope.text(row))
                size += len(text)
                if size >= PAGE_BYTES:
                    reached = row.pos
                    break
        return Heard(rows, texts, Position(head.epoch, reached), head)
