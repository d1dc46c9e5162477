"""An import as a client makes it: announced, sent piece by piece, waited for."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx2

IMPORTS = "/v1/indicators/imports"
PIECE_BYTES = 8 * 2**20
PAUSE_SECONDS = 0.1
UNDER_WAY = ("receiving", "queued", "running")


async def import_body(client: httpx2.AsyncClient, content_type: str, body: bytes, **terms: Any) -> dict[str, Any]:
    """Send a body as an import; answers the import when it has ended."""
    told = {"content_type": content_type, "name": "bench", "size_bytes": len(body), **terms}
    made = await client.post(IMPORTS, json=told, headers={"Idempotency-Key": str(uuid.uuid4())})
    made.raise_for_status()
    place = made.headers["Location"]
    for offset in range(0, len(body), PIECE_BYTES):
        await _send(client, place, body, offset)
    found = await _look(client, place)
    while found["state"] in UNDER_WAY:
        await asyncio.sleep(PAUSE_SECONDS)
        found = await _look(client, place)
    return found


async def _send(client: httpx2.AsyncClient, place: str, body: bytes, offset: int) -> None:
    headers = {"Content-Type": "application/partial-upload", "Upload-Offset": str(offset)}
    if offset + PIECE_BYTES >= len(body):
        headers["Upload-Complete"] = "?1"
    sent = await client.patch(place, content=body[offset : offset + PIECE_BYTES], headers=headers)
    sent.raise_for_status()


async def _look(client: httpx2.AsyncClient, place: str) -> dict[str, Any]:
    found = await client.get(place)
    found.raise_for_status()
    return dict(found.json())
