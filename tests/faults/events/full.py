"""The disk of the data is full, and grows later: PostgreSQL itself may die of it, again and again."""

from __future__ import annotations

import asyncio
import contextlib
import time

from chassis.postgres import PostgresTrouble
from tests.faults.events.arena import Arena
from tests.faults.events.disk import MIB, Disk
from tests.faults.events.work import Work

STARVE_SECONDS, PATIENCE_SECONDS, PAUSE_SECONDS = 1.0, 60.0, 0.05


async def full(work: Work, times: int) -> str:
    """So often there is no room left for a while; then the disk is emptied, or grows."""
    disk = work.arena.disk
    if isinstance(disk, str):
        return f"left out: {disk}"
    async with work.going_on():
        for number in range(times):
            await work.progress(10)
            disk.fill()
            await _starve(work, disk)
            if number % 2:
                disk.empty()
            else:
                disk.grow(64 * MIB)
            await _served(work.arena)
        disk.empty()
        await work.progress(10)
    return f"{times} times without room"


async def _starve(work: Work, disk: Disk) -> None:
    """Wait until writers are refused, and a while longer: whatever falls may try to stand up meanwhile."""
    refused, deadline = work.journal.troubles.total(), time.monotonic() + PATIENCE_SECONDS
    while work.journal.troubles.total() == refused and time.monotonic() < deadline:
        disk.fill()
        await asyncio.sleep(PAUSE_SECONDS)
    await asyncio.sleep(STARVE_SECONDS)


async def _served(arena: Arena) -> None:
    """As an operator would: the server is started again until it runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not arena.server.running and time.monotonic() < deadline:
        with contextlib.suppress(PostgresTrouble):
            await asyncio.to_thread(arena.server.ensure_running)
    await arena.answers()
