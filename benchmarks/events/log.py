"""The log itself: what it costs its writers, how soon a reader hears, how fast events get their positions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import asyncpg
import httpx2
from sqlalchemy import make_url

from benchmarks.bare import bare_writers
from benchmarks.bare import rate as bare_rate
from benchmarks.forms import CONTENT_TYPES, body_of
from benchmarks.report import Limit, Result
from benchmarks.stage import Process, Stage
from benchmarks.world import World, settle
from chassis.database import Database
from chassis.sequencer import Sequencer

SERVER = {"track_commit_timestamp": "on", "max_prepared_transactions": "10"}
ACTUALS, CHANGES = "/v1/indicators/actuals", "/v1/indicators/changes"
WRITERS, MONTHS, BARE_WRITERS = 8, 12, 16
PAIRS, PAIR_SECONDS = 16, 2.0
TRIPS = 300
BACKLOG = 200_000
REST_SECONDS, PAUSE_SECONDS = 60.0, 0.02
RATE_FLOOR, COST_FLOOR, MOST_TIMES = 25_000, 0.9, 15


async def measure(stage: Stage, scale: float) -> list[Result]:
    """Every figure of the log."""
    await settle(stage, World.of(WRITERS, 2))
    scenes = (writing, bare_writing, hearing, sequencing)
    return [one for scene in scenes for one in await scene(stage, scale)]


async def bare_writing(stage: Stage, scale: float) -> list[Result]:
    """The same of bare transactions of one statement: what the log costs the database, where nothing else costs."""
    rates, services = [], (stage.indicators, stage.plans)
    async with bare_writers(stage, BARE_WRITERS) as writers:
        for _ in range(max(1, round(PAIRS * scale))):
            with_log = await bare_rate(writers, PAIR_SECONDS * scale, is_logged=True)
            await _drained(stage)
            with _paused(services):
                rates.append((with_log, await bare_rate(writers, PAIR_SECONDS * scale, is_logged=False)))
    return _kept("bare writers", "transactions", rates)


async def writing(stage: Stage, scale: float) -> list[Result]:
    """Posts a second of a service with its sequencer, by those of the same service without any event log, by turns.

    One goes at a time, and each of them is the first of every second pair: the machine's own pace changes.
    """
    rates, seconds = [], PAIR_SECONDS * scale
    async with _unlogged(stage) as unlogged:
        logged = stage.indicators
        for number in range(max(1, round(PAIRS * scale))):
            rate: dict[Process, float] = {}
            for chosen in (logged, unlogged) if number % 2 else (unlogged, logged):
                rate[chosen] = await _rate(stage, chosen, {logged, unlogged, stage.plans} - {chosen}, seconds)
                if chosen is logged:
                    await _drained(stage)
            rates.append((rate[logged], rate[unlogged]))
    return _kept("writers", "posts", rates, COST_FLOOR)


def _kept(name: str, what: str, rates: Sequence[tuple[float, float]], goal: float | None = None) -> list[Result]:
    """What writers keep of their rate, pair by pair."""
    kept = median(with_log / without for with_log, without in rates)
    return [
        Result(f"{name}: rate with the log by that without", kept, "x", goal),
        Result(f"{name}: {what} with the log", median(rate for rate, _ in rates), f"{what}/s"),
        Result(f"{name}: {what} without any log", median(rate for _, rate in rates), f"{what}/s"),
    ]


@contextlib.asynccontextmanager
async def _unlogged(stage: Stage) -> AsyncIterator[Process]:
    """The indicators service once more, on the same tables, without an event log."""
    log = stage.server.data_dir.with_name("unlogged.log")
    process = Process("indicators", log, module="benchmarks.unlogged")
    process.settings = stage.indicators.settings
    await asyncio.to_thread(process.start)
    try:
        yield process
    finally:
        process.stop()


async def _rate(stage: Stage, chosen: Process, others: Collection[Process], seconds: float) -> float:
    """Posts a second of several writers to one process, while the others stand still."""
    with _paused(others):
        async with stage.client() as client:
            await _write(client, chosen, 0, time.monotonic() + seconds / 4)  # warm again
            started = time.monotonic()
            writers = [_write(client, chosen, number, started + seconds) for number in range(WRITERS)]
            return sum(await asyncio.gather(*writers)) / (time.monotonic() - started)


@contextlib.contextmanager
def _paused(processes: Collection[Process]) -> Iterator[None]:
    for process in processes:
        process.pause()
    try:
        yield
    finally:
        for process in processes:
            process.go_on()


async def _write(client: httpx2.AsyncClient, process: Process, number: int, until: float) -> int:
    """One writer: a year of figures of his own commune, again and again, each time other ones."""
    posts = 0
    while time.monotonic() < until:
        await _post(client, process, number, time.monotonic_ns())
        posts += 1
    return posts


async def _post(client: httpx2.AsyncClient, process: Process, number: int, value: int, months: int = MONTHS) -> None:
    world = World.of(WRITERS, 2)
    rows = [
        {"admin_unit": world.communes[number], "indicator": world.indicators[1], "period": f"2025-{month:02d}"}
        | {"value": (value + month) % 10**12, "source": "bench"}
        for month in range(1, months + 1)
    ]
    headers = {"Content-Type": CONTENT_TYPES["json"], "Idempotency-Key": f"{number}-{value}"}
    answer = await client.post(f"{process.url}{ACTUALS}", content=body_of("json", rows), headers=headers)
    answer.raise_for_status()
    told = answer.json()
    if told["created"] + told["updated"] != months:
        raise RuntimeError(f"{months} figures were to change: {answer.text}")


async def _drained(stage: Stage) -> None:
    """Wait until every event has its position."""
    tables = await stage.connect()
    for _ in range(int(REST_SECONDS / PAUSE_SECONDS)):
        if not await tables.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
            break
        await asyncio.sleep(PAUSE_SECONDS)
    await tables.close()


async def hearing(stage: Stage, scale: float) -> list[Result]:
    """From a commit to a reader who waits by long poll, against a bare NOTIFY on the same server, by turns.

    The moment of the commit is the server's own (`track_commit_timestamp`), before the commit is on disk.
    """
    await _drained(stage)
    tables = await stage.connect("postgres")
    for order in ("VACUUM ANALYZE", "CHECKPOINT"):  # nothing is left to do of what was written before
        await tables.execute(order)
    heard, bare = [], []
    async with _bell(stage) as ring, _polled(stage) as reader, stage.client() as writer:
        await _hear(reader, writer, stage, tables)
        for _ in range(max(4, round(TRIPS * scale))):
            heard.append(await _hear(reader, writer, stage, tables))
            bare.append(await ring())
    await tables.close()
    return [*_trips("p50", 50, heard, bare), *_trips("p99", 99, heard, bare)]


def _trips(name: str, percent: int, heard: Sequence[float], bare: Sequence[float]) -> list[Result]:
    ours, theirs = (quantiles(seconds, n=100, method="inclusive")[percent - 1] for seconds in (heard, bare))
    return [
        Result(f"commit to long poll: {name} by that of NOTIFY", ours / theirs, "x", MOST_TIMES, Limit.AT_MOST),
        Result(f"commit to long poll: {name}", ours * 1000, "ms"),
        Result(f"bare NOTIFY: {name}", theirs * 1000, "ms"),
    ]


async def _hear(reader: _Poll, writer: httpx2.AsyncClient, stage: Stage, tables: asyncpg.Connection) -> float:
    """Seconds from the commit of one post to its event in the hands of the one who waits."""
    head = (await writer.get(CHANGES, params={"limit": 1, "types": "none"})).json()["head"]
    waiting = asyncio.create_task(reader.next(head))
    await asyncio.sleep(PAUSE_SECONDS * (1 + time.time_ns() % 1000 / 1000))  # in no step with any poll
    await _post(writer, stage.indicators, 0, time.monotonic_ns(), months=1)
    at, position = await waiting
    moment = "SELECT extract(epoch FROM pg_xact_commit_timestamp(xid::xid)) FROM event_log WHERE pos = $1"
    return at - float(await tables.fetchval(moment, position))


@dataclass(frozen=True, slots=True)
class _Poll:
    """A long poll over one kept connection, by a client that does no more than HTTP asks: a library's own time, half
    a millisecond, is no time of the feed's."""

    stage: Stage
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def next(self, head: str) -> tuple[float, int]:
        """When the next event came, and its position."""
        token = self.stage.headers()["Authorization"]
        ask = f"GET {CHANGES}?after={head}&wait=25 HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n\r\n"
        self.writer.write(ask.encode())
        told = await self.reader.readuntil(b"\r\n\r\n")
        page = await self.reader.readexactly(int(_LENGTH.findall(told)[0]))
        at = time.time()
        return at, int(json.loads(page)["items"][0]["sequence"])


_LENGTH = re.compile(rb"(?i)content-length: (\d+)")


@contextlib.asynccontextmanager
async def _polled(stage: Stage) -> AsyncIterator[_Poll]:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.indicators.port)
    yield _Poll(stage, reader, writer)
    writer.close()
    await writer.wait_closed()


@contextlib.asynccontextmanager
async def _bell(stage: Stage) -> AsyncIterator[Any]:
    """Something to call: seconds from a NOTIFY to its listener, on connections of nobody else."""
    listener, caller = await stage.connect("postgres"), await stage.connect("postgres")
    rung: asyncio.Queue[float] = asyncio.Queue()
    await listener.add_listener("bench", lambda *_: rung.put_nowait(time.perf_counter()))

    async def ring() -> float:
        started = time.perf_counter()
        await caller.execute("NOTIFY bench")
        return await rung.get() - started

    yield ring
    await listener.close()
    await caller.close()


_FILL = """
INSERT INTO outbox (type, subject, version, province, commune, is_public, data)
SELECT 'vn.chitieu.indicators.actuals.posted.v1', 'bench-' || n % 320, n, '90', '40000', true,
  jsonb_build_object('import_id', gen_random_uuid(), 'changes', jsonb_build_array(jsonb_build_object(
    'indicator', 'BENCH_001_COUNT', 'period', '2026-06', 'old', NULL, 'new', jsonb_build_object('value', n))))
FROM generate_series(1, $1::integer) n
"""
_TROUBLES = {
    "an old snapshot open": "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM follower",
    "a write transaction open": "BEGIN; INSERT INTO follower VALUES ('bench', '')",
    "an abandoned prepared transaction": "BEGIN; INSERT INTO follower VALUES ('x', ''); PREPARE TRANSACTION 'gone'",
}
_MENDED = "ROLLBACK PREPARED 'gone'"


async def sequencing(stage: Stage, scale: float) -> list[Result]:
    """How many events a second get their positions when many wait: at rest, and with what troubles a server.

    Statistics are stale in every trouble: taken when the outbox was empty, and dead rows stay from then on.
    """
    stage.indicators.stop()
    events = max(1000, round(BACKLOG * scale))
    async with _sequencer(stage) as sequencer:
        tables = await stage.connect("postgres")
        await tables.execute("ALTER TABLE outbox SET (autovacuum_enabled = off)")
        results = [Result("sequencer", await _drain(sequencer, tables, events), "events/s", RATE_FLOOR)]
        for name, trouble in _TROUBLES.items():
            rate, pause = await _troubled(stage, sequencer, tables, trouble, events)
            results.append(Result(f"sequencer, {name}", rate, "events/s", RATE_FLOOR))
            results.append(Result(f"sequencer, {name}: one more event", pause * 1000, "ms"))
        await tables.close()
    return results


async def _troubled(
    stage: Stage, sequencer: Sequencer, tables: asyncpg.Connection, trouble: str, events: int
) -> tuple[float, float]:
    """The rate of the last of four rounds, and the seconds of a single event after it."""
    other = await stage.connect("postgres")
    await tables.execute("VACUUM ANALYZE outbox")
    await other.execute(f"SET idle_in_transaction_session_timeout = 0; {trouble}")
    rates = [await _drain(sequencer, tables, events // 2) for _ in range(4)]
    await tables.execute(_FILL, 1)
    started = time.perf_counter()
    await sequencer.pass_once()
    pause = time.perf_counter() - started
    await other.close()
    if "PREPARE" in trouble:
        await tables.execute(_MENDED)
    return rates[-1], pause


async def _drain(sequencer: Sequencer, tables: asyncpg.Connection, events: int) -> float:
    await tables.execute(_FILL, events)
    started, moved = time.perf_counter(), 0
    while found := await sequencer.pass_once():
        moved += found
    if moved != events:
        raise RuntimeError(f"{moved} of {events} events were moved")
    return moved / (time.perf_counter() - started)


@contextlib.asynccontextmanager
async def _sequencer(stage: Stage) -> AsyncIterator[Sequencer]:
    """A sequencer in this process, as the service's role, that passes when it is told to."""
    url = make_url(stage.settings.admin_url_of("indicators") or "").render_as_string(hide_password=False)
    database = Database(url, "indicators", stage.settings)
    yield Sequencer(database, batch=stage.settings.sequencer_batch, poll_seconds=1)
    await database.close()
