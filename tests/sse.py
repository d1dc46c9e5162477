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
    retry: str | None = None


async def heard(response: httpx2.Response) -> AsyncIterator[Heard]:
    """What a stream says; one that was cut off inside an event does not say that event."""
    fields: dict[str, Any] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name or "comment"] = json.loads(value) if name == "data" else value
        else:
            yield Heard(**fields)
            fields = {}


async def take(events: AsyncIterator[Heard], number: int) -> list[Heard]:
    """The next changes, as many as asked for, without what is said beside them."""
    found: list[Heard] = []
    while len(found) < number:
        one = await anext(events)
        if one.data is not None:
            found.append(one)
    return found


async def rest(events: AsyncIterator[Heard]) -> list[Heard]:
    """All that is said until the stream ends."""
    return [one async for one in events]
