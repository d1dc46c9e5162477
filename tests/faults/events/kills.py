"""Kill -9, again and again: processes of the service, sequencers, backends of PostgreSQL, PostgreSQL as a whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from tests.faults.events.arena import Arena
from tests.faults.events.work import Work

LONGEST_LIFE = 0.6
VICTIMS = {"sequencer": 12, "service": 3, "backend": 4, "postgres": 1}  # how often, by one another


async def killed(work: Work, kills: int) -> str:
    """So many deaths under sixteen writers."""
    random, deaths = Random(work.seed), Counter[str]()
    async with work.going_on():
        await work.progress(10)
        for number in range(kills):
            await work.progress()
            await asyncio.sleep(random.uniform(0, LONGEST_LIFE))
            # Each kind dies in a short run, too.
            names = list(VICTIMS)
            victim = names[number] if number < len(names) else random.choices(names, list(VICTIMS.values()))[0]
            await _STRIKES[victim](work.arena, random)
            deaths[victim] += 1
        await work.progress(10)
    return f"{kills} kills ({', '.join(f'{name} {number}' for name, number in deaths.items())})"


async def _kill_sequencer(arena: Arena, random: Random) -> None:
    await asyncio.to_thread(random.choice(arena.sequencers).restart)


async def _kill_service(arena: Arena, random: Random) -> None:
    await asyncio.to_thread(random.choice(arena.processes).restart)


async def _kill_backend(arena: Arena, random: Random) -> None:
    await arena.kill_backend(random)


async def _kill_postgres(arena: Arena, _random: Random) -> None:
    await asyncio.to_thread(arena.kill_server)


_STRIKES: dict[str, Callable[[Arena, Random], Awaitable[None]]] = {
    "sequencer": _kill_sequencer,
    "service": _kill_service,
    "backend": _kill_backend,
    "postgres": _kill_postgres,
}
