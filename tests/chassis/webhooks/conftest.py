"""A service with a log, a receiver, and a sender that goes step by step or by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text

from chassis import outbox
from chassis.app import build_app
from chassis.auth import Verifier
from chassis.beside import beside
from chassis.database import Database
from chassis.house import House
from chassis.keys import Signer, public_keys
from chassis.outbox import Event
from chassis.peers import Peers
from chassis.settings import Settings
from chassis.webhooks.sender import Sender
from chassis.webhooks.signing import make_secret
from tests.chassis.conftest import NOTE_TYPE, SERVICE
from tests.chassis.webhooks.receiver import Receiver, receiving
from tests.conftest import ADMIN_URL, TEMPLATE
from tests.house import database_like, database_url

URL = "/v1/plans/webhooks"
SCOPES = "webhooks:read webhooks:write changes:read audit:read"


@dataclass
class Desk:
    """Everything a test of webhooks needs."""

    house: House
    client: httpx2.AsyncClient
    signer: Signer
    receiver: Receiver
    senders: list[Sender] = field(default_factory=list)
    ahead: float = 0.0

    @property
    def database(self) -> Database:
        return self.house.database

    def headers(self, units: Iterable[str] = ("*",), scopes: str = SCOPES, client_id: str = "ioc") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.signer.mint(client_id, scopes.split(), units)}"}

    async def call(self, method: str, path: str, *, key: str = "", **options: Any) -> httpx2.Response:
        """A request to the webhooks of the service, as the administrator unless other headers are given."""
        headers = options.pop("headers", None) or self.headers()
        if method == "POST":
            headers = {**headers, "Idempotency-Key": key or uuid.uuid4().hex}
        return await self.client.request(method, f"{URL}{path}", headers=headers, **options)

    async def subscribe(self, **body: Any) -> dict[str, Any]:
        """A webhook that leads to the receiver, whose challenge is still to come."""
        headers = body.pop("headers", None)
        given = {"url": self.receiver.url, **body}
        response = await self.call("POST", "", json=given, headers=headers)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    async def get(self, webhook: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await self.call("GET", f"/{webhook['id']}")).json()
        return found

    async def attempts(self, webhook: dict[str, Any], **filters: str) -> list[dict[str, Any]]:
        response = await self.call("GET", f"/{webhook['id']}/deliveries", params=filters)
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    async def write(self, *subjects: str, **event: Any) -> None:
        """One event of each subject, in the log, in this order."""
        async with self.database.write() as db:
            heads = await outbox.lock(db, subjects)
            await outbox.append(db, heads, [Event(NOTE_TYPE, subject, {"n": 1}, **event) for subject in subjects])
        assert self.house.sequencer
        while await self.house.sequencer.pass_once():
            pass

    def sender(self, **settings: Any) -> Sender:
        """One more process's sender; its clock is ahead by `self.ahead` seconds."""
        house = House(
            self.house.settings.model_copy(update=settings),
            verifier=self.house.verifier,
            peers=self.house.peers,
            database=self.database,
        )
        time = asyncio.get_running_loop().time
        self.senders.append(Sender(house, now=lambda: time() + self.ahead))
        return self.senders[-1]

    async def step(self, sender: Sender | None = None) -> None:
        """All a sender does until it has nothing to do for now."""
        acting = sender or (self.senders[0] if self.senders else self.sender())
        for _ in range(20):
            await acting.look()
            await acting.plan()
            if not acting.is_sending and not any(run.is_dirty or run.is_done for run in acting.runs.values()):
                return
            await acting.settle()
            await acting.record()
        raise AssertionError("the sender does not come to rest")

    async def execute(self, statement: str, **values: Any) -> Any:
        async with self.database.engine.begin() as connection:
            return await connection.execute(text(statement), values)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.execute(statement)]

    async def as_administrator(self, statement: str) -> None:
        """What the service itself may not do."""
        connection = await asyncpg.connect(database_url(os.environ[ADMIN_URL], str(self.database.url.database)))
        await connection.execute(statement)
        await connection.close()

    async def delete_log_before(self, pos: int) -> None:
        """Take events out of the log, as its keeper does."""
        await self.as_administrator(f"DELETE FROM plans.event_log WHERE pos < {pos}")

    async def kill_backends(self) -> None:
        """End every connection to the database."""
        await self.as_administrator(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    @contextlib.asynccontextmanager
    async def running(self, *senders: Sender) -> AsyncIterator[None]:
        """Senders that go by themselves while the block lasts."""
        async with beside(*(sender.run() for sender in senders)):
            yield


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


@pytest.fixture
async def own_database(admin_url: str) -> AsyncIterator[str]:
    """The URL of a migrated database, as the service's role."""
    async with database_like(admin_url, TEMPLATE) as name:
        yield database_url(admin_url, name, user="plans")


@pytest.fixture
async def desk(own_database: str, signing_key: OKPKey, receiver: Receiver, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(
        environment="demo",
        public_read=True,
        database_pool_size=4,
        data_dir=tmp_path,
        webhook_allowed_networks="127.0.0.0/8",
        webhook_poll_seconds=0.02,
        webhook_timeout_seconds=5,
    )
    verifier = Verifier(settings, public_keys(signing_key))
    database = Database(own_database, "plans", settings)
    own = House(settings, verifier=verifier, peers=Peers(settings), database=database)
    app = build_app(SERVICE, own)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk", trust_env=False)
    found = Desk(own, client, Signer(signing_key, settings), receiver)
    try:
        yield found
    finally:
        for sender in found.senders:
            await sender.close()
        await client.aclose()
        await own.database.close()


@pytest.fixture
async def webhook(desk: Desk) -> dict[str, Any]:
    """A webhook that has answered its challenge."""
    made = await desk.subscribe(secret=make_secret())
    await desk.step()
    assert (await desk.get(made))["state"] == "active"
    return made
