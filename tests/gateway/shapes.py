"""The same house in its two shapes: one application, and four that reach each other over HTTP."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from joserfc.jwk import OKPKey

from chassis.keys import Signer
from chassis.settings import SERVICES, Settings
from chitieu.compose import Composition, compose
from chitieu.serving import address_of
from tests.house import EVERY_SCOPE, House, bound, database_like, database_url, listening


@dataclass(slots=True)
class Served:
    """A gateway before the five plans, and a caller who may do everything."""

    client: httpx2.AsyncClient
    headers: Mapping[str, str]
    house: House | None = None
    urls: Mapping[str, str] = field(default_factory=dict)

    async def post(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """The whole response to an operation."""
        sent = {**self.headers, **headers}
        body = {"query": query, "variables": variables or {}}
        return (await self.client.post("/graphql", json=body, headers=sent)).json()

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of an operation that has no error."""
        answer = await self.post(query, variables)
        assert "errors" not in answer, answer["errors"][:3]
        return answer["data"]


@contextlib.asynccontextmanager
async def separate(admin_url: str, key: OKPKey, template: str) -> AsyncIterator[Served]:
    """Three services with a database each and a gateway: four applications that reach each other by URL alone."""
    ports = {name: bound() for name in (*SERVICES, "gateway")}
    urls = {name: address_of(port) for name, port in ports.items()}
    settings = Settings(environment="demo", public_read=True, **{f"{name}_url": urls[name] for name in SERVICES})  # type: ignore[arg-type]
    token = Signer(key, settings).mint("tester", EVERY_SCOPE.split(), ["*"])
    async with contextlib.AsyncExitStack() as stack:
        for name in SERVICES:
            database = await stack.enter_async_context(database_like(admin_url, template))
            url = database_url(admin_url, database, user=name)
            alone = compose(settings, {name: url}, names=[name], key=key, with_gateway=False)
            await stack.enter_async_context(_serving(alone, ports[name]))
        door = compose(settings, {}, names=[], key=key)
        await stack.enter_async_context(_serving(door, ports["gateway"]))
        client = httpx2.AsyncClient(base_url=urls["gateway"], timeout=60, trust_env=False)
        await stack.enter_async_context(client)
        yield Served(client, {"Authorization": f"Bearer {token}"}, urls=urls)


@contextlib.asynccontextmanager
async def _serving(composition: Composition, port: socket.socket) -> AsyncIterator[None]:
    async with composition.running(), listening(composition.door, port):
        yield
        composition.stop_waiting()
        for app in composition.services.values():
            await app.state.house.database.close()
