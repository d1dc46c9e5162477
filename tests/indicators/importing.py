"""What tests of imports share: opening them, sending them in pieces, running them."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from services.indicators.service.running_imports import Runner
from tests.house import House

IMPORTS = "/v1/indicators/imports"
PARTIAL = "application/partial-upload"


def key() -> dict[str, str]:
    """An idempotency key that nobody used."""
    return {"Idempotency-Key": uuid4().hex}


def lines(*rows: Mapping[str, Any]) -> bytes:
    """Rows as NDJSON."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


async def opened(house: House, headers: dict[str, str] | None = None, **terms: Any) -> dict[str, Any]:
    """An import, open for its bytes."""
    asked = {"content_type": "application/x-ndjson", **terms}
    response = await house.client.post(IMPORTS, json=asked, headers={**(headers or house.admin), **key()})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    assert response.headers["Location"] == f"{IMPORTS}/{made['import_id']}"
    return made


async def send(
    house: House, import_id: str, content: bytes, offset: int, *, is_last: bool, headers: dict[str, str] | None = None
) -> Any:
    """One piece."""
    sent = {"Content-Type": PARTIAL, "Upload-Offset": str(offset), "Upload-Complete": f"?{int(is_last)}"}
    return await house.client.patch(
        f"{IMPORTS}/{import_id}", content=content, headers={**(headers or house.admin), "Accept-Language": "en", **sent}
    )


async def queued(house: House, content: bytes, headers: dict[str, str] | None = None, **terms: Any) -> str:
    """An import whose bytes are all there; answers its id."""
    made = await opened(house, headers, **terms)
    import_id: str = made["import_id"]
    response = await send(house, import_id, content, 0, is_last=True, headers=headers)
    assert response.status_code == 204, response.text
    return import_id


async def look(house: House, import_id: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The import as it is now."""
    asked = {"Accept-Language": "en", **(headers or house.admin)}
    response = await house.client.get(f"{IMPORTS}/{import_id}", headers=asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@contextlib.asynccontextmanager
async def running(house: House) -> AsyncIterator[Runner]:
    """A runner of the indicators service that takes a step when it is told to."""
    runner = Runner(house.composition.services["indicators"].state.house)
    try:
        yield runner
    finally:
        await runner.close()


async def run(house: House) -> int:
    """Run whatever is due; answers how many imports that were."""
    count = 0
    async with running(house) as runner:
        while await runner.step():
            count += 1
    return count


async def run_import(house: House, content: bytes, headers: dict[str, str] | None = None, **terms: Any) -> Any:
    """Send an import and run it; answers it as it is then."""
    import_id = await queued(house, content, headers, **terms)
    assert await run(house) == 1
    return await look(house, import_id, headers)


async def acted(house: House, import_id: str, act: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """Cancel or revert an import."""
    asked = {"Accept-Language": "en", **(headers or house.admin), **key()}
    return await house.client.post(f"{IMPORTS}/{import_id}/{act}", json=body, headers=asked)


def counted(found: Mapping[str, Any]) -> dict[str, int]:
    """The counts of a result that are not zero."""
    names = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
    return {name: found[name] for name in names if found[name]}


class Watching:
    """A stream of progress as it comes, event by event: a client of tests gets it only when it is over."""

    def __init__(self, house: House, import_id: str) -> None:
        self.text = ""
        self.headers: dict[str, str] = {}
        self._news = asyncio.Event()
        given = [(name.lower().encode(), value.encode()) for name, value in house.admin.items()]
        scope = {
            "type": "http", "method": "GET", "path": f"{IMPORTS}/{import_id}/progress", "raw_path": b"",
            "query_string": b"", "headers": given, "http_version": "1.1", "scheme": "http", "server": ("door", 80),
            "client": ("here", 1), "root_path": "",
        }  # fmt: skip
        self._task = asyncio.create_task(house.composition.door(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        self.text += message.get("body", b"").decode()
        self._news.set()

    async def until(self, words: str) -> None:
        """Wait until the stream has said something."""
        async with asyncio.timeout(30):
            while words not in self.text:
                self._news.clear()
                await self._news.wait()

    async def end(self) -> list[tuple[str, Any]]:
        """Wait for the end of the stream; answers its events."""
        async with asyncio.timeout(30):
            await self._task
        return events(self.text)


def events(stream: str) -> list[tuple[str, Any]]:
    """The named events of a stream."""
    told = [dict(line.split(": ", 1) for line in block.split("\n") if ": " in line) for block in stream.split("\n\n")]
    return [(each["event"], json.loads(each["data"])) for each in told if "event" in each]
