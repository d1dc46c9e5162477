"""The desk behind a real socket, its log being written, and listeners to its streams."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2

from chassis import outbox
from chassis.app import build_app
from chassis.beside import beside
from chassis.house import House
from chassis.outbox import Event
from chassis.peers import Peers
from chassis.streams import Streams
from tests.chassis.conftest import NOTE_TYPE, SERVICE, Desk
from tests.house import listening
from tests.sse import Heard, heard

URL = "/v1/plans/changes/stream"


@dataclass
class Served:
    """A process that serves streams."""

    house: House
    client: httpx2.AsyncClient
    address: str

    @property
    def streams(self) -> Streams:
        assert self.house.streams
        return self.house.streams

    @contextlib.asynccontextmanager
    async def listener(
        self, headers: dict[str, str] | None = None, **asked: str
    ) -> AsyncIterator[AsyncIterator[Heard]]:
        """What one listener hears, after its greeting."""
        async with asyncio.timeout(20), self.client.stream("GET", URL, params=asked, headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            events = heard(response)
            assert await anext(events) == Heard(retry="2000")
            yield events

    async def open_are(self, number: int) -> None:
        """Return when so many streams are open."""
        async with asyncio.timeout(20):
            while self.streams.count != number:  # noqa: ASYNC110 - a stream ends without telling anybody
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(desk: Desk, **settings: Any) -> AsyncIterator[Served]:
    """The desk's service on a socket under these settings, giving every event its position."""
    chosen = desk.house.settings.model_copy(update=settings)
    own = House(chosen, verifier=desk.house.verifier, peers=Peers(chosen), database=desk.database)
    assert own.sequencer
    async with beside(own.sequencer.run()), listening(build_app(SERVICE, own)) as address:
        async with httpx2.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
            yield Served(own, client, address)
        own.stop_waiting()


async def write(desk: Desk, *events: Event) -> None:
    """Write events in one transaction."""
    async with desk.database.write() as db:
        heads = await outbox.lock(db, [event.subject for event in events])
        await outbox.append(db, heads, list(events))


async def write_notes(desk: Desk, *subjects: str) -> None:
    """Write a public note of each subject."""
    await write(desk, *(Event(NOTE_TYPE, subject, {}) for subject in subjects))


def changes(found: list[Heard]) -> list[str]:
    """The subjects of what was heard."""
    return [one.data["subject"] for one in found if one.data]
