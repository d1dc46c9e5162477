"""Old events leave the log while everybody reads, and whoever sweeps it is killed in the middle."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from random import Random

import httpx2

from tests.faults.events.arena import LOST, SERVICE, LoneSweeper, beginning
from tests.faults.events.journal import Heard, Log
from tests.faults.events.work import Work

CHANGES = f"/v1/{SERVICE}/changes"
LONGEST_LIFE, PAUSE_SECONDS, PAGE = 0.15, 0.002, "5"

_AGE = "UPDATE event_log SET logged_at = logged_at - interval '92 days' WHERE pos <= $1"
_OLDEST = "SELECT coalesce(min(pos), 0) FROM event_log"


class Latecomer:
    """Reads from the very beginning, a little at a time, and notes where he was told that it is gone."""

    def __init__(self, work: Work, log: Log) -> None:
        self._work = work
        self._events = {event.position: event for event in log.events}
        self._cursor = beginning(log.epoch)
        self._last = 0
        self.is_over = False
        self.times_expired = 0

    async def run(self) -> None:
        """Read until told to end."""
        async with self._work.arena.client() as client:
            while not self.is_over:
                await self._step(client)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _step(self, client: httpx2.AsyncClient) -> None:
        params = {"after": self._cursor, "limit": PAGE}
        try:
            answer = await client.get(f"{self._work.arena.urls[0]}{CHANGES}", params=params)
        except LOST:
            return
        told = answer.json()
        if (answer.status_code, told.get("code")) == (410, "cursor_expired"):
            self.times_expired += 1
            self._cursor, self._last = told["oldest"], -1
        elif answer.status_code == 200:
            self._cursor = told["next"]
            for event in told["items"]:
                self._hear(Heard.of(event))
        elif answer.status_code != 503:
            self._work.journal.broken.append(f"a latecomer was answered {answer.status_code}: {answer.text[:400]}")

    def _hear(self, event: Heard) -> None:
        if self._last >= 0 and event.position != self._last + 1:
            self._work.journal.broken.append(f"a latecomer heard {event.position} after {self._last}, unwarned")
        if self._events.get(event.position, event) != event:
            self._work.journal.broken.append(f"a latecomer heard {event}, before it was another one")
        self._last = event.position


async def retired(work: Work, times: int) -> str:
    """What the log has now grows old and is swept away, by sweepers that are killed so often, and then by one."""
    async with work.going_on():
        await work.progress(10)
    before = await work.rest()
    tables = await work.arena.connect()
    await tables.execute(_AGE, before.head)
    latecomer = Latecomer(work, before)
    async with work.going_on():
        reading = asyncio.create_task(latecomer.run())
        await _sweep(work, times)
        await work.progress(10)
        latecomer.is_over = True
        await reading
    oldest = await tables.fetchval(_OLDEST)
    await tables.close()
    if oldest <= before.head:
        work.journal.broken.append(f"the log still begins at {oldest}, and was to be swept up to {before.head}")
    work.archived = await _archives(work)
    gone = [event for event in before.events if event.position <= before.head]
    if work.archived != gone:
        work.journal.broken.append(f"the archives hold {len(work.archived)} events of {len(gone)}, or others")
    return (
        f"{before.head} events swept, {times} sweepers killed; a latecomer was told so {latecomer.times_expired} times"
    )


async def _sweep(work: Work, times: int) -> None:
    random = Random(work.seed)
    for _ in range(times):
        sweeper = LoneSweeper(work.arena)
        await asyncio.sleep(random.uniform(0, LONGEST_LIFE))
        sweeper.stop()
    await asyncio.to_thread(LoneSweeper(work.arena).join)


async def _archives(work: Work) -> list[Heard]:
    """Every archived event, as whoever fetches the files reads them; each file is what its digest says."""
    found: list[Heard] = []
    async with work.arena.client() as client:
        place = f"{work.arena.urls[0]}{CHANGES}/archives"
        for one in (await client.get(place, params={"limit": "1000"})).json()["items"]:
            content = (await client.get(f"{place}/{one['name']}")).content
            if hashlib.sha256(content).hexdigest() != one["sha256"]:
                work.journal.broken.append(f"{one['name']} is not what its digest says")
            found += [Heard.of(json.loads(line)) for line in gzip.decompress(content).splitlines()]
    return sorted(found, key=lambda event: event.position)
