"""The sequencer: gives every event of the outbox its dense position in the log.

A pass is the function `move_events` of the database (`migrations/ledger_v3.py`): the statement of the design's events
page, since simpler ones lost or reordered events, and where to look (docs/adr/0014).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import text

from chassis.bell import Bell, heard
from chassis.database import Database
from chassis.telemetry import LOG_HEAD

log = structlog.get_logger(__name__)

CHANNEL = "feed"
PARTITION_SIZE = 1_000_000
RETRY_SECONDS = 0.5

# The timeline of what is written now; the control file's is that of the last checkpoint, older after a failover.
_RESTORED = text("""
UPDATE feed_head SET epoch = epoch + 1, system_id = here.system_id, timeline = here.timeline
FROM (SELECT s.system_identifier::text AS system_id,
        ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer AS timeline
      FROM pg_control_system() s) here
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


_RAISED = text("""
UPDATE feed_head SET epoch = epoch + 1 WHERE feed = 'main' RETURNING epoch, pg_notify('feed', :service)
""")


async def begin_epoch(database: Database) -> int:
    """Begin a new epoch because somebody says so; answers its number.

    After a restore into the same server nothing shows that positions are used again, so the operator has to say it.
    """
    async with database.write() as db:
        epoch = await db.scalar(_RAISED, {"service": database.service})
    return int(epoch or 0)


_MOVE = "SELECT moved_count, head_now, known_now, done_now FROM move_events($1, $2, $3)"


@dataclass(slots=True)
class _Seen:
    """Everything visible in this snapshot with an id up to this one was moved."""

    snapshot: str
    upto: int = 0


class Sequencer:
    """Moves outbox to log, one pass at a time; any number may run, a row lock makes them queue."""

    def __init__(self, database: Database, *, batch: int, poll_seconds: float) -> None:
        self._database = database
        self._batch = batch
        self._poll_seconds = poll_seconds
        self._connection: Any = None
        self._seen = _Seen("")
        self._head = 0
        self._room = 0
        self._turn = asyncio.Lock()
        self._commits = Bell()
        self.news = Bell()
        database.on_commit(self._commits.ring)

    async def pass_once(self) -> int:
        """Give positions to at most one batch; answers how many events were moved."""
        async with self._turn:
            connection = await self._connected()
            try:
                moved = await self._pass(connection)
            except BaseException:
                connection.terminate()  # whatever it was in the middle of, nobody waits for its end
                raise
        if moved:
            LOG_HEAD.labels(self._database.service).set(self._head)
            self.news.ring()
        return moved

    async def _connected(self) -> Any:
        """A connection of its own: a pool's costs more round trips than a pass has."""
        if self._connection is None or self._connection.is_closed():
            await raise_epoch_if_restored(self._database)
            self._connection = await self._database.connect_aside(synchronous_commit="on")
            self._head = await self._connection.fetchval("SELECT pos FROM feed_head WHERE feed = 'main'")
            self._room = 0
            self._seen = _Seen(await self._connection.fetchval("SELECT pg_current_snapshot()::text"))
        return self._connection

    async def _pass(self, connection: Any) -> int:
        await self._make_room(connection)
        moved, head, *seen = await connection.fetchrow(_MOVE, self._seen.snapshot, self._seen.upto, self._batch)
        self._seen = _Seen(*seen)
        if moved:
            self._head = head
        return int(moved)

    async def _make_room(self, connection: Any) -> None:
        """Have half a partition ahead of the head, at least."""
        wanted = self._head + self._batch + PARTITION_SIZE // 2
        if wanted < self._room:
            return
        for upto in (self._head + self._batch, wanted):
            await connection.execute("SELECT ensure_log_partition($1)", upto)
        self._room = (wanted // PARTITION_SIZE + 1) * PARTITION_SIZE

    async def run(self) -> None:
        """Move events for as long as the process lives; a lost database is waited for."""
        while True:
            commit = self._commits.listen()
            try:
                while await self.pass_once() == self._batch:
                    pass
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("sequencer_failed", service=self._database.service, error=str(error) or repr(error))
                await asyncio.sleep(RETRY_SECONDS)
            await heard(commit, self._poll_seconds)
