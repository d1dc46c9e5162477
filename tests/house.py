"""A house for tests: the composed application, tokens for any caller, and counters of statements."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import uvicorn
import yaml
from anyio.from_thread import start_blocking_portal
from joserfc.jwk import OKPKey
from sqlalchemy import make_url

from chassis.auth import Caller
from chassis.beside import beside
from chassis.database import Database
from chassis.keys import Signer
from chassis.settings import SERVICES, Settings
from chitieu.compose import Composition, compose
from chitieu.serving import address_of

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
EVERY_SCOPE = (
    "plans:read plans:write admin_units:write indicators:read catalogue:write targets:write actuals:write"
    " budget:read budget:write changes:read audit:read webhooks:read webhooks:write"
)


def read_yaml(path: Path) -> Any:
    """A file of declarations, read as `chitieu apply` reads it."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def database_url(admin_url: str, database: str, *, user: str | None = None) -> str:
    """The URL of another database of the same server, as a service's role or as the superuser."""
    url = make_url(admin_url).set(database=database)
    if user is not None:
        url = url.set(username=user, password=f"{user}-of-the-test")
    return url.render_as_string(hide_password=False)


class House:
    """Everything a test needs of the application."""

    def __init__(self, composition: Composition, signer: Signer) -> None:
        self.composition = composition
        self.signer = signer
        self.settings = composition.settings
        transport = httpx2.ASGITransport(app=composition.door)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://door", trust_env=False)

    def headers(
        self,
        scopes: str = EVERY_SCOPE,
        admin_units: Iterable[str] = ("*",),
        *,
        client_id: str = "tester",
        seconds: int = 3600,
    ) -> dict[str, str]:
        """The Authorization header of a caller."""
        token = self.signer.mint(client_id, scopes.split(), admin_units, seconds=seconds)
        return {"Authorization": f"Bearer {token}"}

    @property
    def admin(self) -> dict[str, str]:
        """A caller who may do everything everywhere."""
        return self.headers()

    def caller(self, scopes: str = EVERY_SCOPE, admin_units: Iterable[str] = ("*",)) -> Caller:
        """A caller for tests of services, without HTTP."""
        return Caller("tester", "tester", frozenset(scopes.split()), frozenset(admin_units))

    def database(self, service: str) -> Database:
        """A service's database."""
        database: Database = self.composition.services[service].state.house.database
        return database

    @contextlib.contextmanager
    def statements(self, service: str) -> Iterator[list[str]]:
        """Every SQL statement a service runs while the block lasts."""
        seen: list[str] = []
        stop = self.database(service).listen(seen)
        try:
            yield seen
        finally:
            stop()

    async def rows(self, service: str) -> dict[str, int]:
        """The number of rows of every table of a service, to show that nothing was written."""
        async with self.database(service).engine.connect() as connection:
            found = await connection.exec_driver_sql(
                "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
                " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version' ORDER BY 1"
            )
            names = [row[0] for row in found]
            counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in names)
            found = await connection.exec_driver_sql(counts)
            return {row[0]: row[1] for row in found}

    async def sequence(self) -> None:
        """Give every event of every service its position."""
        for app in self.composition.services.values():
            while await app.state.house.sequencer.pass_once():
                pass

    async def follow(self) -> None:
        """Sequence and follow until nobody has anything left to hear."""
        await self.sequence()
        for app in self.composition.services.values():
            for follower in app.state.house.followers:
                await follower.catch_up()
        await self.sequence()

    async def disconnect(self) -> None:
        """Give every connection of every service back."""
        for app in self.composition.services.values():
            await app.state.house.database.close()

    @contextlib.asynccontextmanager
    async def sequencing(self) -> AsyncIterator[None]:
        """Give events their positions while the block lasts, for callers that wait for their own writes."""
        runs = [app.state.house.sequencer.run() for app in self.composition.services.values()]
        async with beside(*runs):
            yield

    async def load_units(self) -> None:
        """Apply the units and offices of the reference data."""
        from chitieu.apply import apply_units  # noqa: PLC0415 - the fixture stands before the loader in the house

        async with self.sequencing():
            await apply_units(self.client, REFERENCE, self.admin)
        await self.follow()

    async def apply_reference(self) -> None:
        """Apply the whole reference data through the services' own API."""
        from chitieu.apply import apply_reference  # noqa: PLC0415 - the same

        async with self.sequencing():
            await apply_reference(self.client, REFERENCE, self.admin, between=self.follow)
        await self.follow()


async def copy_database(connection: asyncpg.Connection, name: str, template: str) -> None:
    """Make a database as a copy of another, file by file: half the work of a copy that is written to the log."""
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")


@contextlib.asynccontextmanager
async def database_like(admin_url: str, template: str) -> AsyncIterator[str]:
    """The name of a database copied from a template, and gone afterwards."""
    name = f"house_{os.getpid()}_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(admin_url)
    try:
        await copy_database(connection, name, template)
        yield name
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


def _settings(**overrides: Any) -> Settings:
    """Settings as given; those of nearly every house are read once."""
    return Settings(**{"environment": "demo", "public_read": True, "database_pool_size": 4, **overrides})


@functools.cache
def _usual_settings() -> Settings:
    return _settings()


@contextlib.asynccontextmanager
async def open_house(admin_url: str, key: OKPKey, *, template: str, **overrides: Any) -> AsyncIterator[House]:
    """A house on a fresh copy of the template; sequencers and followers run when the test says so."""
    settings = _settings(**overrides) if overrides else _usual_settings()
    async with database_like(admin_url, template) as name:
        urls = {service: database_url(admin_url, name, user=service) for service in SERVICES}
        composition = compose(settings, urls, key=key)
        house = House(composition, Signer(key, settings))
        try:
            yield house
        finally:
            await house.client.aclose()
            await composition.peers.close()
            await house.disconnect()


@contextlib.asynccontextmanager
async def prepared(
    admin_url: str, key: OKPKey, template: str, prepare: Callable[[House], Awaitable[None]]
) -> AsyncIterator[str]:
    """The name of a database that a house of its own has been prepared in, to be copied for every test."""
    async with open_house(admin_url, key, template=template) as house:
        await prepare(house)
        await house.disconnect()  # a database is copied while nobody is in it
        yield str(house.database("plans").url.database)


def bound() -> socket.socket:
    """A socket with a port of its own, for an application that others must know before it listens."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


@contextlib.asynccontextmanager
async def listening(app: Any, at: socket.socket | None = None) -> AsyncIterator[str]:
    """The application behind a real socket, at the address given."""
    with at or bound() as listener:
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:  # noqa: ASYNC110 - the server offers no event
                await asyncio.sleep(0.01)
            yield address_of(listener)
        finally:
            server.should_exit = True
            await task


@dataclass(frozen=True, slots=True)
class Standing:
    """A house behind a real socket, with its sequencers, followers and jobs at work."""

    url: str
    house: House


@contextlib.asynccontextmanager
async def _standing(admin_url: str, key: OKPKey, template: str, **overrides: Any) -> AsyncIterator[Standing]:
    async with open_house(admin_url, key, template=template, **overrides) as house:
        composition = house.composition
        async with composition.running(), listening(composition.door) as url:
            yield Standing(url, house)
            composition.stop_waiting()


@contextlib.contextmanager
def standing(admin_url: str, key: OKPKey, template: str, **overrides: Any) -> Iterator[Standing]:
    """A house on a loop of its own, for callers that block: commands, and clients without await."""
    opening = _standing(admin_url, key, template, **overrides)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(opening) as made:
        yield made
