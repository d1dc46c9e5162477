"""What the relay asks of the service's database beside the events: the log's ends, a lease, and an anchor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import Database
from chassis.settings import Settings

STAND_BY_SECONDS = 2.0
# A relay that stands still for so long has lost its lease: the server itself ends the session that holds it.
LEASE_SECONDS = 30

_END = text("""
SELECT epoch, pos AS head, coalesce((SELECT pos FROM event_log ORDER BY pos LIMIT 1), pos + 1) AS oldest
FROM feed_head WHERE feed = 'main'
""")
_EVENT_AT = text("SELECT event_id::text FROM event_log WHERE pos = :pos")
_LEASE = text("SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ' jetstream relay', 0))")
_ANCHOR = text("SELECT cursor FROM follower WHERE source = 'jetstream'")
_KEEP_ANCHOR = text("""
INSERT INTO follower (source, cursor) VALUES ('jetstream', :anchor)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, at = clock_timestamp()
""")


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Epoch and head of the log, and the oldest position it still holds (none: one after its head)."""

    epoch: int
    head: int
    oldest: int


async def log_end(database: Database) -> LogEnd:
    """Where the log begins and ends now."""
    async with database.read() as db:
        row = (await db.execute(_END)).one()
    return LogEnd(row.epoch, row.head, row.oldest)


async def event_at(database: Database, pos: int) -> str | None:
    """The id of the event at a position; None: the log does not hold it."""
    async with database.read() as db:
        found: str | None = await db.scalar(_EVENT_AT, {"pos": pos})
    return found


async def read_anchor(database: Database) -> str | None:
    """The anchor as it was kept: how the stream's sequences and the log's positions fit together.

    Nothing but an empty stream needs it: after 30 days without an event the last message is gone, and with it the
    only other word about where the relay was.
    """
    async with database.read() as db:
        found: str | None = await db.scalar(_ANCHOR)
    return found


async def keep_anchor(database: Database, anchor: str) -> None:
    """Keep the anchor; it changes with the stream, with the epoch, and where events are missing."""
    async with database.write() as db:
        await db.execute(_KEEP_ANCHOR, {"anchor": anchor})


@contextlib.asynccontextmanager
async def leased(
    database: Database, settings: Settings, standing_by: Callable[[], None]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Wait until no other relay of this service works, and keep it so while the block lasts.

    `standing_by()` is called when there is another one. The block gets a function to call every few seconds: it keeps
    the lease, and raises when it is lost. That two relays work for a moment then does no harm: the stream refuses one
    of them.
    """
    # By a connection of its own, so that requests are not one short.
    own = database.beside(settings.model_copy(update={"database_pool_size": 1}))
    try:
        async with own.engine.connect() as opened:
            connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql(f"SET idle_session_timeout = '{LEASE_SECONDS}s'")
            while not await connection.scalar(_LEASE):
                standing_by()
                await asyncio.sleep(STAND_BY_SECONDS)
            yield lambda: _still_open(connection)
    finally:
        await own.close()


async def _still_open(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT"))
