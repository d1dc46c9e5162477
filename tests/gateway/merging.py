"""The gateway before three services whose logs a test writes, in one process or behind sockets that a test cuts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from chassis import outbox
from chassis.house import House as ServiceHouse
from chassis.outbox import Event
from chassis.peers import Peers
from chassis.settings import SERVICES
from gateway.app import build_gateway
from tests.house import House, listening
from tests.lines import Line, line_to
from tests.sse import Heard, heard

URL = "/v1/changes"


def note(service: str) -> str:
    """A type of event of one service."""
    return f"vn.chitieu.{service}.note.written.v1"


@dataclass
class Door:
    """The gateway on a socket, and the services behind it."""

    house: House
    gateway: ServiceHouse
    client: httpx2.AsyncClient
    lines: dict[str, Line] = field(default_factory=dict)

    async def write(self, service: str, *subjects: str, **where: Any) -> None:
        """Write an event of each subject and give them their positions."""
        async with self.house.database(service).write() as db:
            heads = await outbox.lock(db, subjects)
            await outbox.append(db, heads, [Event(note(service), subject, {}, **where) for subject in subjects])
        await self.house.sequence()

    async def pull(self, cursor: str | None = None, headers: dict[str, str] | None = None, **asked: Any) -> Any:
        """A page of merged changes."""
        response = await self.client.get(
            URL, params={**asked, **({"after": cursor} if cursor else {})}, headers=headers
        )
        assert response.status_code == 200, response.text
        return response.json()

    @contextlib.asynccontextmanager
    async def listener(
        self, cursor: str | None = None, headers: dict[str, str] | None = None, **asked: str
    ) -> AsyncIterator[AsyncIterator[Heard]]:
        """What a listener to the merged stream hears, after its greeting."""
        sent = {**(headers or {}), **({"Last-Event-ID": cursor} if cursor else {})}
        async with self.client.stream("GET", f"{URL}/stream", params=asked, headers=sent) as response:
            assert response.status_code == 200, await response.aread()
            events = heard(response)
            assert await anext(events) == Heard(retry="2000")
            yield events


def told(items: Sequence[Any]) -> list[tuple[str, str]]:
    """Which service said what."""
    return [(item["source"].rsplit("/", 1)[1], item["subject"]) for item in items]


@contextlib.asynccontextmanager
async def before(house: House, *, apart: bool, **settings: Any) -> AsyncIterator[Door]:
    """The gateway before the services of a house: in its process, or each behind a line."""
    async with contextlib.AsyncExitStack() as stack:
        lines = {}
        if apart:
            for name in SERVICES:
                address = await stack.enter_async_context(listening(house.composition.services[name]))
                lines[name] = await stack.enter_async_context(line_to(address))
        urls = {f"{name}_url": line.address for name, line in lines.items()}
        chosen = house.settings.model_copy(update={**settings, **urls})
        peers = Peers(chosen)
        stack.push_async_callback(peers.close)
        if not apart:
            for name, app in house.composition.services.items():
                peers.attach(name, app)
        verifier = house.composition.services["plans"].state.house.verifier
        own = ServiceHouse(chosen, verifier=verifier, peers=peers)
        address = await stack.enter_async_context(listening(build_gateway(own)))
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=address, trust_env=False, timeout=30))
        stack.callback(house.composition.stop_waiting)
        stack.callback(own.stop_waiting)
        yield Door(house, own, client, lines)
