"""Webhooks: how many deliveries a second one process makes to a receiver that answers at once.

The receiver is a process of its own. Beside it a bare client of the same library posts the same bodies as often as it
can, with as many at once: what the machine allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median
from typing import Any

import aiohttp
import asyncpg
import httpx2

from benchmarks.report import Result
from benchmarks.stage import Stage

SETTINGS = {"CHITIEU_ENVIRONMENT": "demo", "CHITIEU_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
WEBHOOKS = "/v1/indicators/webhooks"
EVENTS, ROUNDS, AT_ONCE = 5_000, 3, 16
FLOOR = 500
PAUSE_SECONDS, PATIENCE_SECONDS = 0.05, 120.0
_FILL = """
WITH known AS (SELECT pos FROM feed_head WHERE feed = 'main'),
filled AS (
  INSERT INTO event_log (pos, xid, type, subject, version, province, commune, is_public, data)
  SELECT known.pos + n, pg_current_xact_id(), 'vn.chitieu.indicators.actuals.posted.v1', 'bench-' || n % 95, n, '90',
    'bench-' || n % 95, true, jsonb_build_object('admin_unit', 'bench-' || n % 95, 'client_id', 'bench', 'changes',
      jsonb_build_array(jsonb_build_object('indicator', 'BENCH_001_COUNT', 'period', '2026-06', 'action', 'set',
        'old', jsonb_build_object('value', n), 'new', jsonb_build_object('value', n + 1))))
  FROM known, generate_series(1, $1::integer) n RETURNING 1)
UPDATE feed_head SET pos = pos + (SELECT count(*) FROM filled) WHERE feed = 'main'
"""


async def measure(stage: Stage, scale: float) -> list[Result]:
    """Deliveries a second, alone and beside a receiver that never answers, and what a bare client makes."""
    events = max(100, round(EVENTS * scale))
    tables = await stage.connect()
    alone, beside, bare = [], [], []
    for _ in range(ROUNDS):
        async with receiving() as port:
            bare.append(await _bare(port, events))
        async with receiving() as port, _webhook(stage, port):
            alone.append(await _delivered(tables, port, events))
        async with receiving() as port, _webhook(stage, port, "/hang"), _webhook(stage, port):
            beside.append(await _delivered(tables, port, events))
    await tables.close()
    return [
        Result("deliveries to one receiver", median(alone), "deliveries/s", FLOOR),
        Result("the same beside a receiver that hangs", median(beside), "deliveries/s", FLOOR),
        Result("posts of a bare client", median(bare), "posts/s"),
        Result("deliveries by posts of a bare client", median(a / b for a, b in zip(alone, bare, strict=True)), "x"),
    ]


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[int]:
    """A receiver in a process of its own; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.receiver", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def _webhook(stage: Stage, port: int, path: str = "/hook") -> AsyncIterator[None]:
    """A webhook that leads there and has answered its challenge."""
    async with stage.client() as client:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        made = await client.post(WEBHOOKS, json={"url": f"http://127.0.0.1:{port}{path}"}, headers=headers)
        made.raise_for_status()
        place = f"{WEBHOOKS}/{made.json()['id']}"
        await _until(lambda: _is_active(client, place))
        try:
            yield
        finally:
            (await client.delete(place)).raise_for_status()


async def _delivered(tables: asyncpg.Connection, port: int, events: int) -> float:
    """Deliveries a second, between the first and the last of so many events."""
    await tables.execute(_FILL, events)
    async with aiohttp.ClientSession() as session:
        await _until(lambda: _has_heard(session, port, events))
        told = await _told(session, port)
    if told["repeats"]:
        raise RuntimeError(f"{told['repeats']} events came twice although nothing failed")
    return float(events / told["seconds"])


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await is_so():
                return
            await asyncio.sleep(PAUSE_SECONDS)


async def _is_active(client: httpx2.AsyncClient, place: str) -> bool:
    return bool((await client.get(place)).json()["state"] == "active")


async def _has_heard(session: aiohttp.ClientSession, port: int, events: int) -> bool:
    return bool((await _told(session, port))["events"] >= events)


async def _told(session: aiohttp.ClientSession, port: int) -> dict[str, Any]:
    async with session.get(f"http://127.0.0.1:{port}/told") as response:
        found: dict[str, Any] = await response.json(content_type=None)
        return found


async def _bare(port: int, posts: int) -> float:
    body, left = b"x" * 800, iter(range(posts))

    async def post(session: aiohttp.ClientSession) -> None:
        for number in left:
            headers = {"webhook-id": str(number)}
            async with session.post(f"http://127.0.0.1:{port}/hook", data=body, headers=headers) as response:
                await response.read()

    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        await asyncio.gather(*(post(session) for _ in range(AT_ONCE)))
        return posts / (time.perf_counter() - began)
