"""`chitieu events tail`: the changes of services as they happen, by long poll through the public door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console

from chassis.clock import HO_CHI_MINH
from chitieu.door import Door, Refusal
from chitieu.operating import Opening
from chitieu.troubles import Trouble

WAIT_SECONDS, PAGE = 25, 500
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 15.0
MOST_SHOWN = 160  # characters of the data; --json shows all
GONE = 410
Event = Mapping[str, Any]
# As the services encode: an exact number stays one. Theirs comes with the whole web machinery.
encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Tailing:
    """What to follow and from where (a cursor, "" for the oldest change kept, None for now), and when to stop."""

    services: Sequence[str]
    filters: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None
    count: int | None = None


async def tail(console: Console, opening: Opening, wish: Tailing, *, for_machines: bool) -> None:
    """Print every change as it happens, until as many were heard as wanted.

    Raises:
        Trouble: the door refuses (no token, no right), or nobody answers there at the start.
    """
    heard = 0
    async with opening as door, aclosing(_merged(console, door, wish)) as events:
        async for event in events:
            print(encode(event).decode() if for_machines else line_of(event), flush=True)
            heard += 1
            if heard == wish.count:
                return


def line_of(event: Event) -> str:
    """One change in one line: when, which service, what, of what, and its data."""
    moment = datetime.fromisoformat(event["time"]).astimezone(HO_CHI_MINH)
    service = event["source"].rsplit("/", 1)[-1]
    kind = event["type"].removeprefix(f"vn.chitieu.{service}.")
    data = encode({name: value for name, value in event["data"].items() if name != "version"}).decode()
    shown = data if len(data) <= MOST_SHOWN else f"{data[:MOST_SHOWN]}…"
    return f"{moment:%H:%M:%S} {service} {kind} {event['subject']} v{event['data']['version']} {shown}"


async def _merged(console: Console, door: Door, wish: Tailing) -> AsyncGenerator[Event, None]:
    """The changes of all services, as they come."""
    queue: asyncio.Queue[Event] = asyncio.Queue(PAGE)

    async def follow(service: str) -> None:
        async with aclosing(_followed(console, door, wish, service)) as events:
            async for event in events:
                await queue.put(event)

    tasks = [asyncio.create_task(follow(service)) for service in wish.services]
    try:
        while True:
            coming = asyncio.create_task(queue.get())
            await asyncio.wait([coming, *tasks], return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                next(task for task in tasks if task.done()).result()  # following never ends well by itself
            yield coming.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _followed(console: Console, door: Door, wish: Tailing, service: str) -> AsyncGenerator[Event, None]:
    """The changes of one service; a door that is away is waited for, a dead cursor is told and left."""
    path = f"/v1/{service}/changes"
    cursor = await _head(door, path) if wish.after is None else wish.after
    pause = RETRY_SECONDS
    while True:
        place = {"after": cursor} if cursor else {}
        params = {**wish.filters, **place, "limit": str(PAGE), "wait": str(WAIT_SECONDS)}
        try:
            page = await door.send("GET", path, params=params)
        except Refusal as refusal:
            if refusal.status != GONE:
                raise
            console.print(f"{service}: {refusal}", markup=False, highlight=False)
            cursor = "" if refusal.code == "cursor_expired" else await _head(door, path)
            continue
        except Trouble as trouble:
            console.print(f"{service}: {trouble}", markup=False, highlight=False)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY_SECONDS)
            continue
        cursor, pause = page["next"], RETRY_SECONDS
        for event in page["items"]:
            yield event


async def _head(door: Door, path: str) -> str:
    page = await door.send("GET", path, params={"limit": "1"})
    return str(page["head"])
