"""The relay to NATS JetStream: events a second, and how soon one alone is heard, with `sync_always` on a real disk."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from statistics import median, quantiles
from typing import Any

import asyncpg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from benchmarks.report import Result
from benchmarks.stage import Stage
from chassis.jetstream.check import ask_sync_always
from chassis.jetstream.connection import connected
from chassis.jetstream.streams import prepare
from chassis.settings import Settings
from tests.nats import Nats, nats, reached

SERVICE, STREAM = "indicators", "chitieu-indicators"
EVENTS, TRIPS = 50_000, 200
LEAST_RATE = 5_000
# Events are written beside the service, whose commits would wake its sequencer at once.
SETTINGS = {"CHITIEU_SEQUENCER_POLL_SECONDS": "0.005"}

_FILL = """
INSERT INTO outbox (type, subject, version, province, commune, is_public, data, trace)
SELECT 'vn.chitieu.indicators.actuals.posted.v1', 'bench-' || n % 95, n, '90', 'bench-' || n % 95, n % 2 = 0,
  jsonb_build_object(
    'source', NULL, 'client_id', 'bench', 'import_id', gen_random_uuid(), 'admin_unit', 'bench-' || n % 95,
    'changes', jsonb_build_array(jsonb_build_object(
      'indicator', 'BENCH_001_COUNT', 'period', '2026-06', 'regime', 'calendar', 'action', 'set', 'version', n,
      'old', jsonb_build_object('value', n, 'data_status', 'preliminary', 'measured_on', '2026-06-30'),
      'new', jsonb_build_object('value', n + 1, 'data_status', 'preliminary', 'measured_on', '2026-06-30')))),
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
FROM generate_series(1, $1::integer) n
"""
# Where the log will end when every event has its position.
_END = "SELECT epoch || ':' || pos + (SELECT count(*) FROM outbox) FROM feed_head WHERE feed = 'main'"


async def measure(stage: Stage, scale: float) -> list[Result]:
    """The relay of the indicators service, to one server and to three."""
    tables = await stage.connect()
    await tables.execute(_FILL, max(1000, round(EVENTS * scale)))
    results: list[Result] = []
    for count, words in ((1, "one server"), (3, "three servers, three replicas")):
        with nats(count=count, folder=stage.server.data_dir.parent) as servers:
            results += await _relayed(stage, tables, servers, words, max(10, round(TRIPS * scale)))
    await tables.close()
    return results


async def _relayed(stage: Stage, tables: asyncpg.Connection, servers: Nats, words: str, trips: int) -> list[Result]:
    process = stage.indicators
    process.settings = {**process.settings, "CHITIEU_NATS_URL": servers.url}
    await asyncio.to_thread(process.restart)
    settings = Settings.model_validate({"nats_url": servers.url, "nats_monitor_url": servers.monitor_url})
    if not await ask_sync_always(settings):
        raise RuntimeError("without sync_always the figures would say nothing")
    async with connected(settings, "bench") as client:
        js = client.jetstream(timeout=30)
        await prepare(js, SERVICE, None)
        await reached(servers.url, STREAM, await tables.fetchval(_END), seconds=600)
        rate = await _rate(js)
        delays = await _delays(js, tables, trips)
    return [
        Result(f"{words}: relay with sync_always", rate, "events/s", LEAST_RATE),
        Result(f"{words}: commit to consumer, p50", median(delays) * 1e3, "ms"),
        Result(f"{words}: commit to consumer, p99", quantiles(delays, n=100)[98] * 1e3, "ms"),
    ]


async def _rate(js: JetStreamContext) -> float:
    """Events a second, by the moments at which the server stored the first and the last one."""
    state = (await js.stream_info(STREAM)).state
    first, last = [_moment(await js.get_msg(STREAM, seq)) for seq in (state.first_seq, state.last_seq)]
    return (state.messages - 1) / (last - first).total_seconds()


def _moment(message: Any) -> datetime:
    moment: datetime = message.time
    return moment


async def _delays(js: JetStreamContext, tables: asyncpg.Connection, trips: int) -> list[float]:
    """From the commit of an event to its arrival at a consumer, again and again, seconds."""
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.NEW, mem_storage=True)
    consumer = await js.pull_subscribe("", stream=STREAM, config=config)
    delays = []
    for _ in range(trips):
        arrival = asyncio.create_task(consumer.fetch(1, timeout=30))
        await tables.execute(_FILL, 1)
        committed = time.perf_counter()
        await arrival
        delays.append(time.perf_counter() - committed)
    return delays
