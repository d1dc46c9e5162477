"""The feed: how fast a reader who comes back after long catches up, against COPY of the same rows, by turns."""

from __future__ import annotations

import asyncio
import re
import time
from http.client import HTTPConnection
from statistics import median

import asyncpg

from benchmarks.report import Result
from benchmarks.stage import Stage
from chassis.feed import Position

CHANGES = "/v1/indicators/changes"
EVENTS, ROUNDS, PAGE = 100_000, 7, 10_000
SHARE_OF_COPY = 0.5

_FILL = """
WITH known AS (SELECT pos FROM feed_head WHERE feed = 'main'),
filled AS (
  INSERT INTO event_log (pos, xid, type, subject, version, province, commune, is_public, data, trace)
  SELECT known.pos + n, pg_current_xact_id(), 'vn.chitieu.indicators.actuals.posted.v1', 'bench-' || n % 95, n, '90',
    'bench-' || n % 95, n % 2 = 0, jsonb_build_object(
      'source', NULL, 'client_id', 'bench', 'import_id', gen_random_uuid(), 'admin_unit', 'bench-' || n % 95,
      'changes', jsonb_build_array(jsonb_build_object(
        'indicator', 'BENCH_001_COUNT', 'period', '2026-06', 'regime', 'calendar', 'action', 'set', 'version', n,
        'old', jsonb_build_object('value', n, 'data_status', 'preliminary', 'measured_on', '2026-06-30'),
        'new', jsonb_build_object('value', n + 1, 'data_status', 'preliminary', 'measured_on', '2026-06-30')))),
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  FROM known, generate_series(1, $1::integer) n RETURNING 1)
UPDATE feed_head SET pos = pos + (SELECT count(*) FROM filled) WHERE feed = 'main' RETURNING epoch, pos
"""
_COPY = """
SELECT pos, event_id, type, subject, version, province, commune, is_public, at, trace, data, packed
FROM event_log WHERE pos > $1 ORDER BY pos
"""
_END = re.compile('"next":"([^"]+)","head":"([^"]+)"}$')


async def measure(stage: Stage, scale: float) -> list[Result]:
    """Events a second by pages over HTTP, by those of a COPY."""
    events = max(1000, round(EVENTS * scale))
    tables = await stage.connect()
    epoch, last = await tables.fetchrow(_FILL, events)
    after = Position(epoch, last - events).cursor
    await tables.execute("VACUUM ANALYZE event_log")
    shares, paged, copied = [], [], []
    for _ in range(ROUNDS):
        by_copy = events / await _copy(tables, last - events)
        by_pages = events / await asyncio.to_thread(_pages, stage, after)
        shares.append(by_pages / by_copy)
        paged.append(by_pages)
        copied.append(by_copy)
    await tables.close()
    return [
        Result("pages over HTTP by COPY of the same rows", median(shares), "x", SHARE_OF_COPY),
        Result("pages over HTTP", median(paged), "events/s"),
        Result("COPY", median(copied), "events/s"),
    ]


async def _copy(tables: asyncpg.Connection, after: int) -> float:
    async def take(_piece: bytes) -> None:
        return None

    started = time.perf_counter()
    await tables.copy_from_query(_COPY, after, output=take)
    return time.perf_counter() - started


def _pages(stage: Stage, after: str) -> float:
    """Seconds to read on to the end, by a client that does nothing else."""
    client = HTTPConnection("127.0.0.1", stage.indicators.port)
    headers = {**stage.headers(), "Accept-Encoding": "identity"}
    started, head = time.perf_counter(), ""
    while after != head:
        client.request("GET", f"{CHANGES}?limit={PAGE}&after={after}", headers=headers)
        after, head = _END.findall(client.getresponse().read()[-200:].decode())[0]
    seconds = time.perf_counter() - started
    client.close()
    return seconds
