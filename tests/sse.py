"""Server-sent events as a client reads them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
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


async def follow(url: str, after: str, is_all: Callable[[list[Heard]], bool], **asked: str) -> list[Heard]:
    """The changes after a cursor, heard by a client that comes back with its last id whenever it is cut off."""
    found: list[Heard] = []
    last = after
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        while not is_all(found):
            try:
                async with client.stream("GET", url, params=asked, headers={"Last-Event-ID": last}) as response:
                    response.raise_for_status()
                    async for one in heard(response):
                        last = one.id or last
                        if one.id and one.data:
                            found.append(one)
                        if is_all(found):
                            break
            except httpx2.TransportError:
                await asyncio.sleep(0.01)  # nobody is there yet
    return found
