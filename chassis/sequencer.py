"""The sequencer: gives every event of the outbox its dense position in the log.

The statements are those of the design's events page, measured there; simpler ones lost or reordered events.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog
from sqlalchemy import text

from chassis.database import Database
from chassis.telemetry import LOG_HEAD

log = structlog.get_logger(__name__)

_RESTORED = text("""
UPDATE feed_head SET epoch = epoch + 1, system_id = here.system_id, timeline = here.timeline
FROM (SELECT s.system_identifier::text AS system_id, c.timeline_id AS timeline
      FROM pg_control_system() s, pg_control_checkpoint() c) here
WHERE feed = 'main' AND (feed_head.system_id, feed_head.timeline) <> (here.system_id, here.timeline)
RETURNING epoch
""")


async def raise_epoch_if_restored(database: Database) -> None:
    """Begin a new epoch where the log was restored into another server, or onto another timeline.

    Positions may then be used again for other events, so cursors and write tokens of the old epoch must end.
    """
    async with database.write() as db:
        epoch = (await db.execute(_RESTORED)).scalar()
    if epoch is not None:
        log.warning("log_was_restored", service=database.service, epoch=epoch)


_COLUMNS = "event_id, type, subject, version, province, commune, is_public, data, packed, trace, at"
_MOVE = f"""
WITH snap AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin),
moved AS (DELETE FROM outbox WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM outbox WHERE xid >= CAST(:low AS text)::xid8 ORDER BY id LIMIT :batch)) RETURNING *),
ins AS (INSERT INTO event_log (pos, xid, {_COLUMNS})
          SELECT h.pos + row_number() OVER (ORDER BY m.id), m.xid, {", ".join("m." + c for c in _COLUMNS.split(", "))}
          FROM moved m CROSS JOIN (SELECT pos FROM feed_head WHERE feed = 'main') h RETURNING 1),
cnt AS (SELECT count(*) AS n FROM ins)
UPDATE feed_head SET pos = pos + (SELECT n FROM cnt) WHERE feed = 'main'
  RETURNING (SELECT n FROM cnt) AS n, (SELECT xmin::text FROM snap) AS low, pos
"""


class Sequencer:
    """Moves outbox to log, one pass at a time; any number may run, a row lock makes them queue."""

    def __init__(self, database: Database, *, batch: int, poll_seconds: float) -> None:
        self._database = database
        self._batch = batch
        self._poll_seconds = poll_seconds
        self._low = "0"
        self._partition_until = 0
        self._bell = asyncio.Event()
        self.moved = asyncio.Condition()
        self.moves = 0
        database.on_commit(self._bell.set)

    async def pass_once(self) -> int:
        """Give positions to at most one batch; answers how many events were moved."""
        async with self._database.engine.begin() as connection:
            # An idle pass takes no lock: a lock alone is a write, and fifty a second would keep the disk busy.
            if not await connection.scalar(text("SELECT EXISTS (SELECT 1 FROM outbox)")):
                return 0
            head = await connection.scalar(text("SELECT pos FROM feed_head WHERE feed = 'main' FOR UPDATE"))
            if head + self._batch >= self._partition_until:
                await self._make_room(connection, head)
            row = (await connection.execute(text(_MOVE), {"low": self._low, "batch": self._batch})).one()
            if row.n:
                await connection.execute(text("SELECT pg_notify('feed', current_schema())"))
        LOG_HEAD.labels(self._database.service).set(row.pos)
        if row.n < self._batch:
            self._low = row.low
        if row.n:
            self.moves += 1
            async with self.moved:
                self.moved.notify_all()
        return int(row.n)

    async def _make_room(self, connection: Any, head: int) -> None:
        size = 1_000_000
        for upto in (head + self._batch, head + self._batch + size // 2):
            await connection.execute(text("SELECT ensure_log_partition(:upto)"), {"upto": upto})
        self._partition_until = ((head + self._batch + size // 2) // size + 1) * size

    async def run(self) -> None:
        """Move events for as long as the process lives; a lost database is waited for."""
        while True:
            try:
                self._bell.clear()
                while await self.pass_once() == self._batch:
                    pass
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("sequencer_failed", service=self._database.service, error=str(error))
                self._low = "0"
                await asyncio.sleep(0.5)
            # Not `wait_for`: on Python 3.11 it swallows a cancellation that meets the bell, and the process never ends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._bell.wait()
