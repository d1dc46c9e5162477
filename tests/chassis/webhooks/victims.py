"""Processes that deliver, for tests that kill them: forked from one that has everything loaded, to start at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Any

import uvloop

from chassis.auth import Verifier
from chassis.database import Database
from chassis.house import House
from chassis.peers import Peers
from chassis.settings import Settings
from chassis.webhooks.sender import Sender

MODULE = "tests.chassis.webhooks.victims"


def deliver(url: str, settings: Settings) -> None:
    """What a victim does until it is killed."""

    async def work() -> None:
        house = House(
            settings,
            verifier=Verifier(settings),
            peers=Peers(settings),
            database=Database(url, "plans", settings),
        )
        await Sender(house).run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


class Victims:
    """So many senders; one that is killed is followed by another."""

    def __init__(self, url: str, settings: Settings, number: int, seed: int) -> None:
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload([MODULE])
        self._terms = (url, settings)
        self._random = random.Random(seed)
        self._processes = [self._started() for _ in range(number)]

    def _started(self) -> ForkServerProcess:
        process = self._context.Process(target=deliver, args=self._terms, daemon=True)
        process.start()
        return process

    @property
    def _one(self) -> int:
        return self._random.randrange(len(self._processes))

    def kill(self) -> None:
        """End one as a power cut would, and let another begin."""
        number = self._one
        self._processes[number].kill()
        self._processes[number].join()
        self._processes[number] = self._started()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """One stands still while the block lasts."""
        pid: Any = self._processes[self._one].pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        """End all of them."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()
