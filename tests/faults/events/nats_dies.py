"""NATS while its servers die, stand still, and lose their disks."""

from __future__ import annotations

import asyncio
import signal
from random import Random

from tests.faults.events.stream import make_stream
from tests.faults.events.work import Work
from tests.nats import Nats


async def nats_dies(work: Work, times: int) -> str:
    """One node, all at once, one that stands still, all at once with their disks: so often each."""
    servers, random = work.arena.nats, Random(work.seed)
    assert servers is not None
    async with work.going_on():
        for _ in range(times):
            for strike in (_kill_one, _kill_all, _freeze_one):
                await work.progress(10)
                await strike(servers, random)
            await work.progress(10)
            await asyncio.to_thread(_lose_everything, servers)
            await make_stream(work.arena)
        await work.progress(10)
    return f"{times} times a node killed, all killed, one frozen, everything lost; {len(servers.nodes)} nodes"


async def _kill_one(servers: Nats, random: Random) -> None:
    node = random.choice(servers.nodes)
    node.kill()
    await asyncio.sleep(random.uniform(0, 0.5))
    node.start()
    await asyncio.to_thread(node.wait)


async def _kill_all(servers: Nats, _random: Random) -> None:
    await asyncio.to_thread(servers.restart)


async def _freeze_one(servers: Nats, random: Random) -> None:
    node = random.choice(servers.nodes)
    node.signal(signal.SIGSTOP)
    await asyncio.sleep(random.uniform(0, 1))
    node.signal(signal.SIGCONT)


def _lose_everything(servers: Nats) -> None:
    servers.kill()
    servers.lose_stores()
    servers.start()
