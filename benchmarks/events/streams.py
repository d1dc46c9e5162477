"""Server-sent events: many listeners on one process, each hearing a filtered stream, and what that costs it.

The log is written at a steady rate, half of it for the listeners' province. A listener counts every change it gets;
some of them also look at each one: nothing may be left out, repeated or out of order.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from statistics import quantiles

import asyncpg

from benchmarks.report import Limit, Result
from benchmarks.stage import Stage

CLIENTS, SECONDS, RATE = 200, 30.0, 1_100
LOOKING = 10
# Events are written beside the service, whose commits would wake its sequencer at once.
SETTINGS = {"CHITIEU_MAX_STREAMS_PER_CALLER": "1000", "CHITIEU_SEQUENCER_POLL_SECONDS": "0.005"}
TICK_SECONDS = 0.02
MOST_GROWTH_MIB = 16

_CHANGE = b"\nevent: vn."
_LOOK = re.compile(rb'"time":"([^"]+)".*?"sequence":"0*(\d+)"')
_WRITE = """
INSERT INTO outbox (event_id, type, subject, version, province, commune, is_public, data)
SELECT uuidv7(), 'vn.chitieu.indicators.actuals.posted.v1', 'bench-' || n % 320, n,
  CASE n % 2 WHEN 0 THEN '90' ELSE '91' END, CASE n % 2 WHEN 0 THEN '40000' ELSE '50000' END, true,
  jsonb_build_object('import_id', uuidv7(), 'changes', jsonb_build_array(jsonb_build_object(
    'indicator', 'BENCH_001_COUNT', 'period', '2026-06', 'old', NULL, 'new', jsonb_build_object('value', n))))
FROM generate_series(1, $1) n
"""


class Ear(asyncio.Protocol):
    """One listener: asks for a stream and counts."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.changes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count the changes; one that lies across two pieces counts in the second."""
        self.changes += (self._rest + data).count(_CHANGE)
        self._rest = data[-len(_CHANGE) + 1 :]


class Looker(Ear):
    """A listener that looks at every change."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self._unread = b""
        self.positions: list[int] = []
        self.delays: list[float] = []

    def data_received(self, data: bytes) -> None:
        """Note where each change stands in the log, and how old it is."""
        super().data_received(data)
        *whole, self._unread = (self._unread + data).split(b"\n\n")
        now = time.time()
        for frame in whole:
            if found := _LOOK.search(frame):
                self.positions.append(int(found[2]))
                self.delays.append(now - datetime.fromisoformat(found[1].decode()).timestamp())

    @property
    def is_in_order(self) -> bool:
        """Whether it heard every second change of the log, once, from its first to its last."""
        return self.positions == list(range(self.positions[0], self.positions[-1] + 1, 2))


async def measure(stage: Stage, scale: float) -> list[Result]:
    """Every figure of streams."""
    clients, seconds = max(LOOKING + 1, round(CLIENTS * scale)), max(3.0, SECONDS * scale)
    async with AsyncExitStack() as stack:
        ears = await _ears(stage, clients, stack)
        tables = await stage.connect()
        stack.push_async_callback(tables.close)
        writing = asyncio.create_task(_write(tables))
        stack.callback(writing.cancel)
        await asyncio.sleep(seconds / 3)  # buffers have their size by then
        before = Usage(stage.indicators.pid, ears)
        await asyncio.sleep(seconds)
        return _results(before, Usage(stage.indicators.pid, ears), ears)


async def _ears(stage: Stage, number: int, stack: AsyncExitStack) -> list[Ear]:
    token = stage.headers()["Authorization"]
    loop = asyncio.get_running_loop()
    ears: list[Ear] = []
    for index in range(number):
        wanted = ("province=90", "commune=40000", "province=90,89", "commune=40000,1")[index % 4]
        request = (
            f"GET /v1/indicators/changes/stream?{wanted} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
        ).encode()
        ear = Looker(request) if index < LOOKING else Ear(request)
        transport, _ = await loop.create_connection(lambda ear=ear: ear, "127.0.0.1", stage.indicators.port)  # type: ignore[misc]
        stack.callback(transport.close)
        ears.append(ear)
    return ears


async def _write(tables: asyncpg.Connection) -> None:
    """Write twice `RATE` changes a second, every second one for the listeners."""
    began, written = time.perf_counter(), 0
    while True:
        due = int((time.perf_counter() - began) * RATE) * 2 - written
        if due:
            await tables.execute(_WRITE, due)
            written += due
        await asyncio.sleep(TICK_SECONDS)


class Usage:
    """What a process has used up, and what was heard of it, at one moment."""

    def __init__(self, pid: int, ears: Sequence[Ear]) -> None:
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        self.cpu = sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
        self.memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        self.at = time.perf_counter()
        self.heard = [ear.changes for ear in ears]
        self.delays = [len(ear.delays) for ear in ears if isinstance(ear, Looker)]


def _results(before: Usage, after: Usage, ears: Sequence[Ear]) -> list[Result]:
    seconds = after.at - before.at
    rates = [(now - then) / seconds for then, now in zip(before.heard, after.heard, strict=True)]
    lookers = [ear for ear in ears if isinstance(ear, Looker)]
    measured = zip(lookers, before.delays, after.delays, strict=True)
    delays = quantiles([delay for one, first, last in measured for delay in one.delays[first:last]], n=100)
    faulty = sum(not one.is_in_order for one in lookers)
    return [
        Result("listeners on one process", len(ears), "", CLIENTS),
        Result("slowest listener", min(rates), "events/s", 1_000),
        Result("all listeners together", sum(rates), "events/s"),
        Result("listeners that missed, repeated or reordered", faulty, "", 0, Limit.AT_MOST),
        Result("growth of memory", after.memory - before.memory, "MiB", MOST_GROWTH_MIB, Limit.AT_MOST),
        Result("memory", after.memory, "MiB"),
        Result("processor of the service", (after.cpu - before.cpu) / seconds, "cores"),
        Result("from write to listener, p50", delays[49] * 1e3, "ms"),
        Result("from write to listener, p99", delays[98] * 1e3, "ms"),
    ]
