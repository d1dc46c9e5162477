"""Sixteen writers, readers of every delivery, and what can be said when they have come to rest."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from traceback import format_exception

from tests.faults.events.arena import Arena
from tests.faults.events.checker import lost, violations
from tests.faults.events.hooks import Receivers, receiving
from tests.faults.events.journal import Heard, Journal, Log
from tests.faults.events.listener import Listener
from tests.faults.events.readers import Follower, Naive, look, trouble_counts
from tests.faults.events.stream import make_stream, read_copy
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
        taken = ", ".join(f"{name} {len(events)}" for name, events in journal.delivered.items())
        return (
            f"{self.name}: {self.faults} in {self.seconds:.0f} s; {len(journal.writes)} writes,"
            f" {len(journal.done)} acknowledged; head {self.log.head}; delivered {taken}; copied {len(journal.stream)};"
            f" the naive reader lost {len(self.lost_by_the_naive)}; troubles {trouble_counts(journal)}"
        )


@dataclass(slots=True)
class Work:
    """Writers and readers of one arena, at work or at rest; they go on where they were."""

    arena: Arena
    seed: int
    journal: Journal
    load: Load
    receivers: Receivers
    archived: Sequence[Heard] = ()  # what has left the log
    readers: Sequence[Follower | Listener] = field(init=False)
    naive: Naive = field(init=False)

    def __post_init__(self) -> None:
        """Put the readers together."""
        self.readers = [Follower("the feed", self.load), Listener("the stream of changes", self.load)]
        self.naive = Naive(self.load)

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Everybody works while the block lasts, and sees his last step through."""
        self.load.is_over = False
        database = self.arena.database()
        runs = [over_http(self.load, number) for number in range(HTTP_WRITERS)]
        runs += [slowly(self.load, database, HTTP_WRITERS + number) for number in range(SLOW_WRITERS)]
        runs += [*(reader.run() for reader in self.readers), self.naive.run(), self.receivers.run(self.load)]
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
        """Run a scenario, let everybody hear to the end, and look."""
        started = time.monotonic()
        faults = await scenario(self, times)
        log = await self.rest()
        self.journal.stream = await read_copy(self.arena, log)
        return Verdict(name, self.journal, log, time.monotonic() - started, faults)

    async def rest(self) -> Log:
        """Wait until everybody has heard everything; answers the log, with what has left it."""
        log = await look(self.arena)
        readers = [reader.catch_up(log.head) for reader in (*self.readers, self.naive)]
        await asyncio.gather(*readers, self.receivers.catch_up())
        return replace(log, events=[*self.archived, *log.events])


Scenario = Callable[[Work, int], Awaitable[str]]


@contextlib.asynccontextmanager
async def at_work(arena: Arena, seed: int) -> AsyncIterator[Work]:
    """What is written to, and everybody who is to hear of it, in their places."""
    journal = Journal()
    async with receiving(arena, journal, seed) as receivers:
        await make_stream(arena)
        await settle(arena)
        await receivers.subscribe()
        yield Work(arena, seed, journal, Load(arena, journal, seed, list(arena.urls)), receivers)
