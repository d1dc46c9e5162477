"""What holds a server's past: an old snapshot, a write transaction that stays open, a prepared one nobody ends.

Meanwhile rows die in the outbox and cannot be cleaned away, and its statistics are those of an empty table.
"""

from __future__ import annotations

import asyncio
import time

import asyncpg

from tests.faults.events.readers import look
from tests.faults.events.work import Work

TROUBLES = {
    "an old snapshot": ("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM follower", "ROLLBACK"),
    "an open write transaction": ("BEGIN; INSERT INTO follower VALUES ('open', '')", "ROLLBACK"),
    "an abandoned prepared transaction": (
        "BEGIN; INSERT INTO follower VALUES ('faults', ''); PREPARE TRANSACTION 'abandoned'",
        "ROLLBACK PREPARED 'abandoned'",
    ),
}
DEAD_ROWS = 10_000  # for each of the times asked for
BACKLOG, SUBJECTS = 140, 20
FLOOR = 0.25  # of the rate without any trouble
LATEST_SECONDS = 5.0
LOOK_SECONDS, PATIENCE_SECONDS = 0.002, 60.0

_DIE = """
INSERT INTO outbox (type, subject, version, is_public, data)
SELECT 'vn.chitieu.plans.trial.died.v1', 'dead', n, true, '{}' FROM generate_series(1, $1) n
"""
_WAIT = """
WITH written AS (
  UPDATE aggregate_head SET version = version + $1::integer WHERE subject LIKE 'backlog-%'
  RETURNING subject, version - $1 AS known)
INSERT INTO outbox (type, subject, version, is_public, data)
SELECT 'vn.chitieu.plans.trial.written.v1', subject, known + n, true, '{}' FROM generate_series(1, $1) n, written
ORDER BY n
"""
_HEAD = "SELECT pos FROM feed_head WHERE feed = 'main'"
_HEADS = """
INSERT INTO aggregate_head SELECT 'backlog-' || n, 0, now() FROM generate_series(1, $1::integer) n
ON CONFLICT DO NOTHING
"""


async def held(work: Work, times: int) -> str:
    """One trouble after the other, each rate measured, then the writers under all of them at once."""
    tables = await work.arena.connect()
    await tables.execute(_HEADS, SUBJECTS)
    await look(work.arena)  # until nothing waits
    usual, said, others = await _rate(tables), [], []
    for name, (begin, _) in TROUBLES.items():
        others.append(await work.arena.connect())
        await tables.execute("VACUUM ANALYZE outbox")
        await others[-1].execute(begin)
        await _die(tables, DEAD_ROWS * times)
        await _rate(tables)  # every sequencer passes once over what has died at one stroke
        rate = await _rate(tables)
        said.append(f"{name} {rate:.0f} events/s")
        if rate < FLOOR * usual:
            work.journal.broken.append(f"beside {name} {rate:.0f} events/s are moved, {usual:.0f} without it")
    async with work.going_on():
        await work.progress(20)
        await _timely(work, tables)
    for other, (_, end) in zip(others, TROUBLES.values(), strict=True):
        await other.execute(end)
        await other.close()
    await tables.close()
    return f"{usual:.0f} events/s at rest; beside {', '.join(said)}; {DEAD_ROWS * times} dead rows each"


async def _die(tables: asyncpg.Connection, rows: int) -> None:
    """Leave dead rows in the outbox that never were events."""
    async with tables.transaction():
        await tables.execute(_DIE, rows)
        await tables.execute("DELETE FROM outbox WHERE subject = 'dead'")


async def _rate(tables: asyncpg.Connection) -> float:
    """Events a second of all sequencers together, while nobody writes."""
    wanted = await tables.fetchval(_HEAD) + BACKLOG
    await tables.execute(_WAIT, BACKLOG // SUBJECTS)
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        # By the head: to look for what is left in the outbox would itself pass over every dead row.
        while await tables.fetchval(_HEAD) < wanted:  # noqa: ASYNC110 - other processes ring no bell here
            await asyncio.sleep(LOOK_SECONDS)
    return BACKLOG / (time.monotonic() - started)


async def _timely(work: Work, tables: asyncpg.Connection) -> None:
    """No event waits long for its position."""
    for _ in range(20):
        age = await tables.fetchval("SELECT extract(epoch FROM clock_timestamp() - min(at)) FROM outbox") or 0
        if age > LATEST_SECONDS:
            work.journal.broken.append(f"an event waits for its position for {age:.1f} s")
            return
        await asyncio.sleep(LOOK_SECONDS)
