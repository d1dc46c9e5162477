"""Trouble for the relay and for NATS, by a seed: whatever happens, the stream is a beginning of the log.

A short run is among the tests. `make faults` does the same to whole processes (`tests/faults/events`).
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from tests.chassis.jetstream.conftest import Copied
from tests.nats import Nats

Fault = Callable[[AsyncExitStack], Awaitable[None]]


class Trouble:
    """One run: events are written all the time, two relays work, and something is killed in every round."""

    def __init__(self, copied: Copied, servers: Nats, seed: int) -> None:
        self._copied = copied
        self._servers = servers
        self._random = random.Random(seed)
        self._faults: list[Fault] = []
        self.done: Counter[str] = Counter()

    async def run(self, rounds: int) -> None:
        """So many faults, then quiet: the stream ends equal to the log."""
        async with AsyncExitStack() as stack:
            [self._first] = await stack.enter_async_context(self._copied.relaying())
            await stack.enter_async_context(self._copied.relaying())
            for _ in range(rounds):
                await self._round(stack)
            await self._copied.equal()
        assert await self._copied.ids() == await self._copied.expected()

    async def _round(self, stack: AsyncExitStack) -> None:
        if not self._faults:
            self._faults = [self._kill_node, self._kill_all, self._stop_node, self._kill_relay]
            self._random.shuffle(self._faults)
        fault = self._faults.pop()
        writing = asyncio.create_task(self._write())
        await asyncio.sleep(self._random.uniform(0, 0.1))  # a moment of the seed's choice, not a wait for anything
        await fault(stack)
        await writing
        self.done[getattr(fault, "__name__", "")] += 1
        await self.is_a_beginning()

    async def _write(self) -> None:
        for _ in range(self._random.randint(1, 5)):
            await self._copied.write(self._random.choice((1, 2, 40, 400)))

    async def _kill_node(self, _stack: AsyncExitStack) -> None:
        node = self._random.choice(self._servers.nodes)
        node.kill()
        await self._copied.write(self._random.randint(1, 50))
        node.start()
        await asyncio.to_thread(node.wait)

    async def _kill_all(self, _stack: AsyncExitStack) -> None:
        self._servers.kill()
        await self._copied.write(self._random.randint(1, 50))
        await asyncio.to_thread(self._servers.start)

    async def _stop_node(self, _stack: AsyncExitStack) -> None:
        node = self._random.choice(self._servers.nodes)
        node.signal(signal.SIGSTOP)
        await self._copied.write(self._random.randint(1, 50))
        await asyncio.sleep(self._random.uniform(0, 1))
        node.signal(signal.SIGCONT)

    async def _kill_relay(self, stack: AsyncExitStack) -> None:
        await self._copied.end(self._first)
        [self._first] = await stack.enter_async_context(self._copied.relaying())

    async def is_a_beginning(self) -> None:
        """The stream has the log's first events, in the log's order."""
        found, log = await self._copied.ids(), await self._copied.expected()
        assert found == log[: len(found)]
