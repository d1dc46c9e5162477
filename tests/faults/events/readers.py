"""Readers of the log while all goes wrong: one by the feed, one (planted) by the ids of a table, and the last look."""

from __future__ import annotations

import asyncio
from random import Random

import asyncpg
import httpx2

from tests.faults.events.arena import LOST, LOST_SERVER, SERVICE, Arena
from tests.faults.events.journal import Heard, Journal, Log
from tests.faults.events.writers import Load

PAUSE_SECONDS = 0.005
LIMIT = 50
REST_SECONDS, REST_PAUSE = 30.0, 0.05


class Follower:
    """Follows the feed over HTTP by its cursor, asking whatever process answers."""

    def __init__(self, name: str, load: Load) -> None:
        self.name = name
        self._load = load
        self._random = Random(f"{load.seed} {name}")
        self.cursor: str | None = None

    def begin_anew(self, _epoch: int) -> None:
        """Forget what was heard, and where one was."""
        self.cursor = None
        self._load.journal.heard[self.name].clear()

    async def run(self) -> None:
        """Follow until the run is over."""
        async with self._load.arena.client() as client:
            while not self._load.is_over:
                if not await self.step(client, wait=0.5):
                    await asyncio.sleep(self._random.uniform(0.02, 0.1))

    async def catch_up(self, _head: int) -> None:
        """Read on to the end."""
        async with self._load.arena.client() as client:
            is_there = False
            while not is_there:
                is_there = await self.step(client, wait=0, is_last=True)
                await asyncio.sleep(PAUSE_SECONDS)

    async def step(self, client: httpx2.AsyncClient, wait: float, *, is_last: bool = False) -> bool:
        """One page; says whether it went well (and, of the last reading, whether the end is reached)."""
        journal = self._load.journal
        params = {"limit": str(LIMIT), "wait": str(wait)} | ({"after": self.cursor} if self.cursor else {})
        url = f"{self._random.choice(self._load.urls)}/v1/{SERVICE}/changes"
        try:
            answer = await client.get(url, params=params)
        except LOST as error:
            journal.troubles[type(error).__name__] += 1
            return False
        if answer.status_code != 200:
            journal.troubles[f"feed {answer.status_code}"] += 1
            if answer.status_code not in (503, 410):
                journal.broken.append(f"the feed answered {answer.status_code}: {answer.text[:600]}")
            return False
        page = answer.json()
        journal.heard[self.name] += [Heard.of(event) for event in page["items"]]
        self.cursor = page["next"]
        return not is_last or page["next"] == page["head"]


class Naive:
    """Follows the audit table by its ids, as one might be tempted to: what commits late is never seen."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._last = 0

    def begin_anew(self, _epoch: int) -> None:
        """Forget what was found, and where one was."""
        self._last = 0
        self._load.journal.naive.clear()

    async def run(self) -> None:
        """Follow until the run is over."""
        while not self._load.is_over:
            try:
                connection = await self._load.arena.connect()
                while not self._load.is_over:
                    await self._read(connection)
                    await asyncio.sleep(PAUSE_SECONDS)
                await connection.close()
            except LOST_SERVER:
                await asyncio.sleep(0.1)

    async def catch_up(self, _head: int) -> None:
        """Read on to the end."""
        connection = await self._load.arena.connect()
        await self._read(connection)
        await connection.close()

    async def _read(self, connection: asyncpg.Connection) -> None:
        rows = await connection.fetch(
            "SELECT id, said.value ->> 'name_en' AS key FROM audit CROSS JOIN LATERAL jsonb_each(new) said"
            " WHERE id > $1 AND action IN ('trial.write', 'offices.put') ORDER BY id",
            self._last,
        )
        for row in rows:
            self._load.journal.naive.append(row["key"])
            self._last = row["id"]


async def look(arena: Arena) -> Log:
    """Wait until every event has its position, then read the whole log."""
    connection = await arena.connect()
    for _ in range(int(REST_SECONDS / REST_PAUSE)):
        waiting = await connection.fetchval("SELECT count(*) FROM outbox")
        if waiting == 0:
            break
        await asyncio.sleep(REST_PAUSE)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        epoch, head = await connection.fetchrow("SELECT epoch, pos FROM feed_head WHERE feed = 'main'")
        rows = await connection.fetch(
            "SELECT pos, event_id::text, subject, version, coalesce(data ->> 'name_en', '') FROM event_log ORDER BY pos"
        )
    await connection.close()
    return Log([Heard(*row) for row in rows], head, waiting, epoch)


def trouble_counts(journal: Journal) -> str:
    """What went wrong on the way, in a few words."""
    return ", ".join(f"{name} {number}" for name, number in journal.troubles.most_common())
