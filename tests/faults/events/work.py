"""Sixteen writers and two readers at work, and what can be said when they have come to rest."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from traceback import format_exception

from tests.faults.events.arena import Arena
from tests.faults.events.checker import lost, violations
from tests.faults.events.journal import Journal, Log
from tests.faults.events.readers import Follower, Naive, look, trouble_counts
from tests.faults.events.writers import Load, over_http, settle, slowly

HTTP_WRITERS, SLOW_WRITERS = 8, 8
PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.02


@dataclass(slots=True)
class Verdict:
    """What was seen of a scenario."""

    name: str
    journal: Journal
    log: Log
    seconds: float
    faults: str

    @property
    def broken(self) -> list[str]:
        """Every promise that was broken."""
        return violations(self.journal, self.log)

    @property
    def lost_by_the_naive(self) -> list[str]:
        """What the planted reader has not seen; the checker must find some, or it would find nothing."""
        return lost(self.journal.done, self.journal.naive)

    def __str__(self) -> str:
        """The scenario in numbers."""
        journal = self.journal
        return (
            f"{self.name}: {self.faults} in {self.seconds:.0f} s; {len(journal.writes)} writes,"
            f" {len(journal.done)} acknowledged; head {self.log.head}; the naive reader lost"
            f" {len(self.lost_by_the_naive)}; troubles {trouble_counts(journal)}"
        )


@dataclass(slots=True)
class Work:
    """Writers and readers of one arena, at work or at rest; they go on where they were."""

    arena: Arena
    seed: int
    journal: Journal = field(default_factory=Journal)
    load: Load = field(init=False)
    followers: list[Follower] = field(init=False)
    naive: Naive = field(init=False)

    def __post_init__(self) -> None:
        """Put them together."""
        self.load = Load(self.arena, self.journal, self.seed, list(self.arena.urls))
        self.followers = [Follower("the feed", self.load), Follower("another reader", self.load)]
        self.naive = Naive(self.load)

    async def settle(self) -> None:
        """Prepare what is written to, and let the events of it be written off."""
        await settle(self.arena)

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Everybody works while the block lasts, and sees his last step through."""
        self.load.is_over = False
        database = self.arena.database()
        runs = [over_http(self.load, number) for number in range(HTTP_WRITERS)]
        runs += [slowly(self.load, database, HTTP_WRITERS + number) for number in range(SLOW_WRITERS)]
        runs += [follower.run() for follower in self.followers] + [self.naive.run()]
        tasks = [asyncio.create_task(run) for run in runs]
        try:
            yield
        finally:
            self.load.is_over = True
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            self.journal.broken += ["".join(format_exception(end)) for end in ends if isinstance(end, Exception)]
            await database.close()

    async def progress(self, writes: int = 1) -> None:
        """Wait until so many more writes were acknowledged, so that every fault meets work under way."""
        wanted, deadline = len(self.journal.done) + writes, time.monotonic() + PATIENCE_SECONDS
        while len(self.journal.done) < wanted:
            assert time.monotonic() < deadline, f"nothing was acknowledged: {trouble_counts(self.journal)}"
            await asyncio.sleep(PAUSE_SECONDS)

    async def verdict(self, name: str, scenario: Scenario, times: int) -> Verdict:
        """Run a scenario, let the readers read to the end, and look."""
        started = time.monotonic()
        faults = await scenario(self, times)
        log = await look(self.arena)
        await asyncio.gather(*(follower.catch_up() for follower in self.followers), self.naive.catch_up())
        return Verdict(name, self.journal, log, time.monotonic() - started, faults)


Scenario = Callable[[Work, int], Awaitable[str]]
