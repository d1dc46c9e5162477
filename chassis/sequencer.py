"""The sequencer: gives every event of the outbox its dense position in the log.

The statement is that of the design's events page (simpler ones lost or reordered events) with one thing added: where
to look. What a pass has seen need not be looked at again, however much of it lies there dead, so that neither an old
snapshot nor a transaction that never ends makes the next pass slower (docs/adr/0014).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
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
# Who stands still in the middle of a pass (a frozen machine) holds up every other sequencer: the server parts with it.
STANDSTILL_MILLISECONDS = "2000"

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


# Everything visible in the snapshot $1 with an id up to $2 was moved. What is left has a greater id, or belongs to a
# transaction the snapshot did not see. `id + 0`: never by the index on id, which holds all that was moved before.
_LEFT = """
(SELECT ctid, id FROM outbox WHERE id > $2{limit})
UNION ALL
SELECT ctid, id FROM outbox WHERE xid >= pg_snapshot_xmax(CAST($1 AS text)::pg_snapshot) AND id + 0 <= $2
UNION ALL
SELECT ctid, id FROM outbox
WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip(CAST($1 AS text)::pg_snapshot))) AND id + 0 <= $2
"""
_IS_WAITING = f"""
SELECT EXISTS ({_LEFT.format(limit="")}) AS is_waiting, pg_current_snapshot()::text AS seen,
  (SELECT last_value FROM outbox_id_seq) AS upto
"""
_COLUMNS = "event_id, type, subject, version, province, commune, is_public, data, packed, trace, at"
_BEGIN = "BEGIN; SELECT pos FROM feed_head WHERE feed = 'main' FOR UPDATE"  # the next one needs a fresh snapshot
_MOVE = f"""
WITH snap AS MATERIALIZED (SELECT pg_current_snapshot()::text AS seen),
moved AS (DELETE FROM outbox WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM ({_LEFT.format(limit=" ORDER BY id LIMIT $3")}) left_over ORDER BY id LIMIT $3))
          RETURNING *),
ins AS (INSERT INTO event_log (pos, xid, {_COLUMNS})
          SELECT h.pos + row_number() OVER (ORDER BY m.id), m.xid, {", ".join("m." + c for c in _COLUMNS.split(", "))}
          FROM moved m CROSS JOIN (SELECT pos FROM feed_head WHERE feed = 'main') h RETURNING 1),
cnt AS (SELECT count(*) AS n FROM ins),
head AS (UPDATE feed_head SET pos = pos + (SELECT n FROM cnt) WHERE feed = 'main' AND (SELECT n FROM cnt) > 0
          RETURNING pos, pg_notify('{CHANNEL}', current_schema()))
SELECT (SELECT n FROM cnt) AS n, (SELECT pos FROM head) AS pos, (SELECT seen FROM snap) AS seen,
  (SELECT max(id) FROM moved) AS upto
"""


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
        return await self._in_turn(self._look_and_move)

    async def _in_turn(self, work: Callable[[Any], Awaitable[int]]) -> int:
        async with self._turn:
            connection = await self._connected()
            try:
                moved = await work(connection)
            except BaseException:
                connection.terminate()  # whatever it was in the middle of, nobody waits for its end
                raise
        if moved:
            LOG_HEAD.labels(self._database.service).set(self._head)
            self.news.ring()
        return moved

    async def _connected(self) -> Any:
        """A connection of its own: a pool's would cost more than the pass, and have other plans."""
        if self._connection is None or self._connection.is_closed():
            await raise_epoch_if_restored(self._database)
            self._connection = await self._database.connect_aside(
                synchronous_commit="on",
                enable_seqscan="off",
                enable_bitmapscan="off",
                idle_in_transaction_session_timeout=STANDSTILL_MILLISECONDS,
            )
            self._head = await self._connection.fetchval("SELECT pos FROM feed_head WHERE feed = 'main'")
            self._room = 0
            self._seen = _Seen(await self._connection.fetchval("SELECT pg_current_snapshot()::text"))
        return self._connection

    async def _look_and_move(self, connection: Any) -> int:
        # An idle pass takes no lock: a lock alone is a write, and fifty a second would keep the disk busy.
        look = await connection.fetchrow(_IS_WAITING, self._seen.snapshot, self._seen.upto)
        if not look["is_waiting"]:
            self._seen = _Seen(look["seen"], look["upto"])
            return 0
        return await self._move(connection)

    async def _move(self, connection: Any) -> int:
        await self._make_room(connection)
        await connection.execute(_BEGIN)
        moved = await connection.fetchrow(_MOVE, self._seen.snapshot, self._seen.upto, self._batch)
        if not moved["n"]:  # another one was quicker
            await connection.execute("ROLLBACK")
            return 0
        await connection.execute("COMMIT")
        # A full batch may have left some that lie before where the last one came to.
        is_full = moved["n"] == self._batch
        self._seen = _Seen(moved["seen"], moved["upto"] if is_full else max(moved["upto"], self._seen.upto))
        self._head = moved["pos"]
        return int(moved["n"])

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
        is_told = False
        while True:
            commit = self._commits.listen()
            try:
                # After a commit of this process there is something to move, as good as always.
                await self._in_turn(self._move if is_told else self._look_and_move)
                while await self.pass_once():
                    pass
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("sequencer_failed", service=self._database.service, error=str(error) or repr(error))
                await asyncio.sleep(RETRY_SECONDS)
            is_told = await heard(commit, self._poll_seconds)
