"""Server-sent events as a client reads them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True)
class Heard:
    """One event; a comment has its text alone."""

    id: str | None = None
    event: str | None = None
    data: Any = None
    comment: str | None = None


async def heard(response: httpx2.Response) -> AsyncIterator[Heard]:
    """What a stream says; one that was cut off inside an event does not say that event."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name or "comment"] = value
            continue
        yield Heard(
            fields.get("id"),
            fields.get("event"),
            json.loads(fields["data"]) if "data" in fields else None,
            fields.get("comment"),
        )
        fields = {}


async def listen(response: httpx2.Response, until: int) -> list[Heard]:
    """The next changes, as many as asked for, without what is said beside them."""
    found: list[Heard] = []
    async for one in heard(response):
        if one.data is not None:
            found.append(one)
        if len(found) == until:
            break
    return found
