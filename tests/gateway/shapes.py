"""The same house in its two shapes: one process, and four processes with a database each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from joserfc.jwk import OKPKey

from chassis.keys import Signer
from chassis.settings import SERVICES, Settings
from tests.chitieu.processes import running
from tests.house import EVERY_SCOPE, House, database_url


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


def free_port() -> int:
    """A port that was free a moment ago."""
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def separate(admin_url: str, key: OKPKey, template: str, folder: Path) -> AsyncIterator[Served]:
    """`chitieu serve` three times and before them a gateway, each with its own copy of the template."""
    key_file = folder / "key.json"
    key_file.write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")
    settings = Settings(environment="demo")
    token = Signer(key, settings).mint("tester", EVERY_SCOPE.split(), ["*"])
    common = {
        "CHITIEU_ENVIRONMENT": "demo",
        "CHITIEU_PUBLIC_READ": "true",
        "CHITIEU_LOG_LEVEL": "WARNING",
        "CHITIEU_SIGNING_KEY_FILE": str(key_file),
        "CHITIEU_DATA_DIR": str(folder),
    }
    async with contextlib.AsyncExitStack() as stack:
        databases = {name: await stack.enter_async_context(_copied(admin_url, template)) for name in SERVICES}
        ports = {name: free_port() for name in (*SERVICES, "gateway")}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        common |= {f"CHITIEU_{name.upper()}_URL": urls[name] for name in SERVICES}
        processes = []
        for name, port in ports.items():
            own = {"CHITIEU_PORT": str(port)}
            if name in databases:
                own[f"CHITIEU_{name.upper()}_DATABASE_URL"] = database_url(admin_url, databases[name], user=name)
            processes.append(stack.enter_context(running("serve", name, settings={**common, **own})))
        await asyncio.gather(*(asyncio.to_thread(process.wait_ready) for process in processes))
        client = httpx2.AsyncClient(base_url=urls["gateway"], timeout=60, trust_env=False)
        await stack.enter_async_context(client)
        headers = {"Authorization": f"Bearer {token}"}
        yield Served(client, headers, urls=urls)


@contextlib.asynccontextmanager
async def _copied(admin_url: str, template: str) -> AsyncIterator[str]:
    name = f"apart_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()
