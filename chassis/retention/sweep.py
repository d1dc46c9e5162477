"""One sweep: archive what is old enough, then let it leave the log.

One process sweeps a service at a time, by a lock of the connection it does everything on: who loses the connection
loses the lock, and can neither register nor drop anything any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from chassis.database import Database
from chassis.event_log import Envelope, Logged
from chassis.event_log.rows import COLUMNS
from chassis.retention.files import Segment, SegmentWriter, Written, fault_of, make_folder

log = structlog.get_logger(__name__)

MOST_EVENTS = 500_000  # of one segment
CHUNK_EVENTS = 2_000
ROWS_AT_ONCE = 20_000
TRIES, PAUSE_SECONDS = 20, 0.1

_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('archive ' || current_schema(), 0))"
_ARCHIVED = "SELECT coalesce(max(last_pos), 0) FROM event_archive"
# Whole days leave, so that a quiet service writes one file a day and not one for every event.
_DUE = """
WITH log AS (SELECT greatest($1::bigint + 1, (SELECT min(pos) FROM event_log)) AS first,
               (SELECT epoch FROM feed_head WHERE feed = 'main') AS epoch)
SELECT epoch, first, least(first + $3::bigint, coalesce(
    (SELECT pos FROM event_log WHERE pos >= first AND logged_at >=
       date_trunc('day', clock_timestamp(), 'Asia/Ho_Chi_Minh') - make_interval(days => $2::integer)
     ORDER BY pos LIMIT 1),
    (SELECT pos + 1 FROM feed_head WHERE feed = 'main'))) - 1 AS last
FROM log
"""
_READ = f"SELECT {COLUMNS} FROM event_log WHERE pos > $1 AND pos <= $2 ORDER BY pos LIMIT $3"  # noqa: S608 - our own
_REGISTER = """
INSERT INTO event_archive (first_pos, last_pos, audience, epoch, events, bytes, sha256, file)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_STILL_LOGGED = """
SELECT file, audience, events, bytes, sha256 FROM event_archive
WHERE last_pos >= (SELECT min(pos) FROM event_log) ORDER BY first_pos
"""
_DROP = "SELECT drop_archived_events($1, $2)"


class Sweeper:
    """Keeps the log of one service to its days."""

    def __init__(self, database: Database, envelope: Envelope, folder: Path, kept_days: int) -> None:
        self._database = database
        self._envelope = envelope
        self._folder = folder
        self._kept_days = kept_days

    async def sweep(self) -> bool:
        """Archive and drop what is old enough; answers False where another process is at it."""
        async with self._locked() as connection:
            if connection is None:
                return False
            while await self._archive_segment(connection):
                pass
            await self._drop_archived(connection)
            return True

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[Any]:
        connection = await self._database.connect_aside(statement_timeout="0")
        try:
            yield connection if await connection.fetchval(_LOCK) else None
        finally:
            connection.terminate()

    async def _archive_segment(self, connection: Any) -> bool:
        """Write and register one segment; answers whether there was anything to write."""
        archived = await connection.fetchval(_ARCHIVED)
        epoch, first, last = await connection.fetchrow(_DUE, archived, self._kept_days, MOST_EVENTS)
        if first is None or last < first:
            return False
        if archived and first > archived + 1:
            log.error("events_left_unarchived", service=self._database.service, first=archived + 1, last=first - 1)
        segment = Segment(self._database.service, epoch, first, last)
        written = await self._write(connection, segment)
        async with connection.transaction():
            for one in written:
                place = (first, last, one.audience, epoch)
                await connection.execute(_REGISTER, *place, one.events, one.size, one.sha256, one.name)
        log.info("events_archived", service=segment.service, first=first, last=last, files=len(written))
        return True

    async def _write(self, connection: Any, segment: Segment) -> list[Written]:
        await asyncio.to_thread(make_folder, self._folder, segment.service)
        writer = SegmentWriter(self._folder, segment, self._envelope)
        try:
            reached = segment.first_pos - 1
            while reached < segment.last_pos:
                rows: list[Logged] = await connection.fetch(
                    _READ, reached, segment.last_pos, CHUNK_EVENTS, record_class=Logged
                )
                _refuse_gap(rows, reached)
                await asyncio.to_thread(writer.add, rows)
                reached = rows[-1].pos
            return await asyncio.to_thread(writer.finish)
        finally:
            writer.drop()

    async def _drop_archived(self, connection: Any) -> None:
        """Let what is archived leave the log, once its files were read back."""
        for row in await connection.fetch(_STILL_LOGGED):
            written = Written(row["file"], row["audience"], row["events"], row["bytes"], row["sha256"])
            fault = await asyncio.to_thread(fault_of, self._folder / written.name, written)
            if fault:
                log.error("archive_broken", service=self._database.service, file=written.name, fault=fault)
                return
        archived = await connection.fetchval(_ARCHIVED)
        while await self._drop_some(connection, archived):
            pass

    async def _drop_some(self, connection: Any, upto: int) -> int:
        """Drop one partition, or some rows. A partition waits for its readers, but nobody waits for it for long."""
        for attempt in range(TRIES):
            try:
                return int(await connection.fetchval(_DROP, upto, ROWS_AT_ONCE))
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(PAUSE_SECONDS * (attempt + 1))
        log.warning("archived_events_not_dropped", service=self._database.service, reason="read all the time")
        return 0


def _refuse_gap(rows: list[Logged], reached: int) -> None:
    """No archive with a hole in it, whatever happened to the log."""
    if not rows or rows[-1].pos - reached != len(rows):
        raise RuntimeError(f"the log has a gap after position {reached}")
