"""Processes that stand still (SIGSTOP) longer than anybody waits for them, in the middle of a transaction."""

from __future__ import annotations

import asyncio
import time
from random import Random

import asyncpg

from benchmarks.stage import Process
from tests.faults.events.arena import Arena, LoneSequencer
from tests.faults.events.work import Work

TRIES, LOOK_SECONDS = 20, 0.05
BEYOND_SECONDS = 15.0  # by then whoever is in the way must have been parted from the database

# Who has begun to move events and says nothing more; nobody else looks at the head with a lock.
_IN_THE_WAY = """
SELECT pid, xact_start FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%feed_head%'
"""


async def frozen(work: Work, times: int) -> str:
    """So often a process stands still with the log's lock in its hands; the others go on without it."""
    random, caught = Random(work.seed), 0
    async with work.going_on():
        await work.progress(10)
        for number in range(times):
            # A sequencer alone, then one in the service, which serves people besides.
            victims = work.arena.sequencers if number % 2 == 0 else work.arena.processes
            victim = random.choice(victims)
            is_caught = await _stand_still(work.arena, victim, random)
            caught += is_caught
            try:
                await _goes_on(work, victim)
            finally:
                victim.go_on()
            await work.progress(10)
    return f"{times} processes frozen, {caught} of them in the middle of a pass"


async def _stand_still(arena: Arena, victim: LoneSequencer | Process, random: Random) -> bool:
    """Stop it in the middle of a pass, if it can be met there."""
    connection = await arena.connect()
    try:
        for _ in range(TRIES):
            victim.pause()
            if await _holds(connection):
                return True
            victim.go_on()
            await asyncio.sleep(random.uniform(0, 0.01))
        victim.pause()
        return False
    finally:
        await connection.close()


async def _holds(connection: asyncpg.Connection) -> bool:
    """Whether somebody stands in a pass and does not move."""
    before = await connection.fetch(_IN_THE_WAY)
    if not before:
        return False
    await asyncio.sleep(LOOK_SECONDS)
    after = await connection.fetch(_IN_THE_WAY)
    return any(row in after for row in before)


async def _goes_on(work: Work, victim: LoneSequencer | Process) -> None:
    """The log moves on while it stands still."""
    connection = await work.arena.connect()
    head, deadline = await connection.fetchval("SELECT pos FROM feed_head"), time.monotonic() + BEYOND_SECONDS
    while await connection.fetchval("SELECT pos FROM feed_head") < head + 20:
        if time.monotonic() > deadline:
            work.journal.broken.append(f"the log stands still because {type(victim).__name__} does")
            break
        await asyncio.sleep(LOOK_SECONDS)
    await connection.close()
