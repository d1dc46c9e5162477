"""A listener to the stream of changes (SSE) that comes back with the last id it heard."""

from __future__ import annotations

import asyncio
import json
from random import Random

import httpx2

from tests.faults.events.arena import LOST, SERVICE, beginning
from tests.faults.events.journal import Heard
from tests.faults.events.writers import Load

PATIENCE_SECONDS = 30.0


class Listener:
    """Hears the whole log as server-sent events, from whatever process it reaches."""

    def __init__(self, name: str, load: Load) -> None:
        self.name = name
        self._load = load
        self._random = Random(f"{load.seed} {name}")
        self._id = beginning()
        self._wanted: int | None = None  # up to this position, in the last reading

    def begin_anew(self, epoch: int) -> None:
        """Forget what was heard, and where one was."""
        self._id = beginning(epoch)
        self._load.journal.heard[self.name].clear()

    async def run(self) -> None:
        """Listen until the run is over."""
        async with self._load.arena.client() as client:
            while not self._load.is_over:
                await self._listen(client)
                await asyncio.sleep(self._random.uniform(0.02, 0.1))

    async def catch_up(self, head: int) -> None:
        """Listen up to the end."""
        self._wanted = head
        async with asyncio.timeout(PATIENCE_SECONDS), self._load.arena.client() as client:
            while not self._is_there:
                await self._listen(client)
        self._wanted = None

    @property
    def _is_there(self) -> bool:
        heard = self._load.journal.heard[self.name]
        return self._wanted is not None and bool(heard) and heard[-1].position >= self._wanted

    async def _listen(self, client: httpx2.AsyncClient) -> None:
        """One stream, until it ends."""
        url = f"{self._random.choice(self._load.urls)}/v1/{SERVICE}/changes/stream"
        try:
            async with client.stream("GET", url, headers={"Last-Event-ID": self._id}) as answer:
                if answer.status_code == 200:
                    await self._hear(answer)
                    return
                self._load.journal.troubles[f"stream {answer.status_code}"] += 1
                if answer.status_code != 503:
                    await answer.aread()
                    self._load.journal.broken.append(f"the stream answered {answer.status_code}: {answer.text[:600]}")
        except LOST as error:
            self._load.journal.troubles[f"stream {type(error).__name__}"] += 1

    async def _hear(self, answer: httpx2.Response) -> None:
        frame: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                frame[name] = value.removeprefix(" ")
                continue
            self._take(frame)
            frame = {}
            if self._is_there or (self._load.is_over and self._wanted is None):
                return

    def _take(self, frame: dict[str, str]) -> None:
        if frame.get("event") == "error":
            self._load.journal.troubles[f"stream error {json.loads(frame['data'])['code']}"] += 1
            return
        if frame.get("event") != "bookmark" and "data" in frame:
            self._load.journal.heard[self.name].append(Heard.of(json.loads(frame["data"])))
        self._id = frame.get("id", self._id)
