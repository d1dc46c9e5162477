"""A log of our own, a real NATS server, and means to look at the stream from outside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import asyncpg
import pytest
from joserfc.jwk import OKPKey
from nats.js.errors import NotFoundError
from sqlalchemy import text

import chassis.house
from chassis import outbox
from chassis.jetstream.connection import connected
from chassis.jetstream.relay import Relay
from chassis.jetstream.streams import prepare
from chassis.outbox import Event
from tests.conftest import TEMPLATE
from tests.house import House, database_url, open_house
from tests.nats import Nats, Seen, nats, reached, read_stream

NOTE_TYPE = "vn.chitieu.plans.note.written.v1"


@pytest.fixture(scope="session")
def server() -> Iterator[Nats]:
    """One server for every test of this worker; each test makes its stream anew."""
    with nats() as started:
        yield started


@dataclass(slots=True)
class Copied:
    """The log of the plans service, and its stream."""

    whole: House
    house: chassis.house.House
    server: Nats
    admin_url: str
    tasks: dict[Relay, asyncio.Task[None]] = field(default_factory=dict)

    async def write(self, count: int = 1, **more: object) -> None:
        """Append events and give them their positions."""
        async with self.house.database.write() as db:
            heads = await outbox.lock(db, ["26491"])
            told = {"province": "75", "commune": "26491", "data": {"n": 1}, **more}
            await outbox.append(db, heads, [Event(NOTE_TYPE, "26491", **told) for _ in range(count)])  # type: ignore[arg-type]
        await self.whole.sequence()

    async def log(self) -> list[tuple[int, str]]:
        """Every position of the log with its event's id."""
        async with self.house.database.read() as db:
            found = await db.execute(text("SELECT pos, event_id::text FROM event_log ORDER BY pos"))
            return [(row.pos, row.event_id) for row in found]

    async def stream(self) -> list[Seen]:
        """Every message of the stream."""
        return await read_stream(self.server.url, "chitieu-plans")

    async def ids(self) -> list[tuple[str, str]]:
        """The id of every message with its event's id."""
        return [(one.message_id, one.event_id) for one in await self.stream()]

    async def expected(self, epoch: int = 1, after: int = 0) -> list[tuple[str, str]]:
        """What the stream should be."""
        return [(f"{epoch}:{pos}", event_id) for pos, event_id in await self.log() if pos > after]

    @contextlib.asynccontextmanager
    async def relaying(self, count: int = 1) -> AsyncIterator[list[Relay]]:
        """Relays at work while the block lasts."""
        relays = [Relay(self.house) for _ in range(count)]
        self.tasks |= {relay: asyncio.create_task(relay.run()) for relay in relays}
        try:
            yield relays
        finally:
            await self.end(*relays)

    async def end(self, *relays: Relay) -> None:
        """End relays in the middle of what they do."""
        ended = [task for relay in relays if (task := self.tasks.pop(relay, None))]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def change_log(self, statement: str) -> None:
        """Do to the log what its own service may not."""
        connection = await asyncpg.connect(database_url(self.admin_url, str(self.house.database.url.database)))
        try:
            await connection.execute(f"SET search_path = plans; {statement}")
        finally:
            await connection.close()

    async def restore(self, to: int) -> None:
        """Make the log what it was at a position, as a restored copy of the database is."""
        await self.change_log(
            f"DELETE FROM event_log WHERE pos > {to}; UPDATE feed_head SET pos = {to}, epoch = epoch + 1"
        )

    async def equal(self, epoch: int = 1) -> None:
        """Wait until the stream ends where the log does."""
        pos, _ = (await self.log())[-1]
        await reached(self.server.url, "chitieu-plans", f"{epoch}:{pos}")


@contextlib.asynccontextmanager
async def copying(admin_url: str, key: OKPKey, server: Nats) -> AsyncIterator[Copied]:
    """A fresh log, and a fresh stream of it."""
    told = {"nats_url": server.url, "nats_monitor_url": server.monitor_url}
    async with open_house(admin_url, key, template=TEMPLATE, **told) as whole:
        house = whole.composition.services["plans"].state.house
        async with connected(house.settings, "test") as client:
            js = client.jetstream()
            with contextlib.suppress(NotFoundError):
                await js.delete_stream("chitieu-plans")
            await prepare(js, "plans", None)
        yield Copied(whole, house, server, admin_url)


@pytest.fixture
async def copied(admin_url: str, signing_key: OKPKey, server: Nats) -> AsyncIterator[Copied]:
    """A fresh log, and a fresh stream of it on the one server."""
    async with copying(admin_url, signing_key, server) as made:
        yield made
