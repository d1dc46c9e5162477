"""Bulk posts against a raw COPY of the same rows: `make bench-bulk`.

Everything is real: PostgreSQL on disk with the settings it always has, the service as a process, HTTP over
loopback. A measurement is a pair: a CSV COPY of every column of the rows, as they are kept, into an identical
empty table with its primary key, then the post. The figure is the median over the pairs of COPY's time by the
post's, so that a slow minute of the machine slows both.

`--rows 2000 --pairs 1 --filled 5000 --import-rows 2000 --large-import-rows 2000` is a quick look.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console

from benchmarks.bench import ACTUALS, Bench, Pair, expect, opened
from benchmarks.forms import CONTENT_TYPES, body_of
from benchmarks.imports import import_body
from benchmarks.memory import watched
from benchmarks.report import RESULTS, Limit, Result, show, write
from benchmarks.rows import NEWEST_YEAR, Batch, rows_of, spoil

MIB = 2**20
POST_MIB, IMPORT_MIB = 150, 300


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; the defaults are those of the goals."""

    rows: int = 100_000
    pairs: int = 5
    filled: int = 5_000_000
    import_rows: int = 1_000_000
    large_import_rows: int = 2_000_000
    reads: int = 600
    forms: tuple[str, ...] = ("csv", "ndjson", "json", "parquet")


HEADLINE = "csv"


async def new_rows(bench: Bench, sizes: Sizes) -> list[Result]:
    """Figures nobody has posted before, into an empty table, in every form."""
    results: list[Result] = []
    for form in sizes.forms:
        body = body_of(form, rows_of(Batch(bench.world, sizes.rows)))
        pairs = []
        for _ in range(sizes.pairs):
            await bench.empty()
            pairs.append(await bench.pair(form, body, {"created": sizes.rows}))
        results += _speed(f"new rows, {form}", pairs, sizes.rows, 0.5 if form == HEADLINE else None)
    return results


async def unchanged(bench: Bench, sizes: Sizes) -> list[Result]:
    """The same post again: nothing is written, nothing announced."""
    body = body_of(HEADLINE, rows_of(Batch(bench.world, sizes.rows)))
    await bench.put_back()
    pairs = [await bench.pair(HEADLINE, body, {"unchanged": sizes.rows}) for _ in range(sizes.pairs)]
    return _speed("unchanged rows", pairs, sizes.rows, 0.9)


async def updates(bench: Bench, sizes: Sizes) -> list[Result]:
    """Another figure for every row: all former ones become history."""
    body = body_of(HEADLINE, rows_of(Batch(bench.world, sizes.rows, edition=1)))
    pairs = []
    for _ in range(sizes.pairs):
        await bench.put_back()
        pairs.append(await bench.pair(HEADLINE, body, {"updated": sizes.rows}))
    return _speed("updates of every row", pairs, sizes.rows, 0.25)


async def partial(bench: Bench, sizes: Sizes) -> list[Result]:
    """New rows, one in a hundred wrong, the good ones written."""
    rows = spoil(rows_of(Batch(bench.world, sizes.rows)))
    refused = -(-sizes.rows // 100)
    wanted = {"created": sizes.rows - refused, "refused": refused}
    body, pairs = body_of(HEADLINE, rows), []
    for _ in range(sizes.pairs):
        await bench.empty()
        pairs.append(await bench.pair(HEADLINE, body, wanted, mode="partial"))
    return _speed("partial, 1 % bad rows", pairs, sizes.rows, 0.4)


async def filled(bench: Bench, sizes: Sizes) -> list[Result]:
    """New rows into a table that holds millions already, and right before into an empty one, by turns."""
    await bench.make_large(sizes.filled)
    empty_seconds, filled_seconds = [], []
    for number in range(sizes.pairs):
        body = body_of(HEADLINE, rows_of(Batch(bench.world, sizes.rows, year=NEWEST_YEAR - number)))
        wanted = {"created": sizes.rows}
        await bench.empty()
        empty_seconds.append(await bench.post(HEADLINE, body, wanted))
        await bench.swap()
        filled_seconds.append(await bench.post(HEADLINE, body, wanted))
        await bench.swap()
    await bench.drop_large()
    name = f"new rows, {sizes.filled:,} there already"
    times = median(after / before for before, after in zip(empty_seconds, filled_seconds, strict=True))
    return [
        Result(f"{name}: time by that of an empty table", times, "x", 1.3, Limit.AT_MOST),
        Result(f"{name}: time", median(filled_seconds), "s"),
    ]


async def memory(bench: Bench, sizes: Sizes) -> list[Result]:
    """What a post takes at its peak, in a process that has done little before."""
    results = []
    for form in sizes.forms:
        await bench.empty()
        body = body_of(form, rows_of(Batch(bench.world, sizes.rows)))
        await _begin_anew(bench)
        async with watched(bench.stage.indicators.pid) as peak:
            await bench.post(form, body, {"created": sizes.rows})
        name = f"memory above idle, {sizes.rows:,} rows, {form}"
        results.append(Result(name, peak.above_idle / MIB, "MiB", POST_MIB, Limit.AT_MOST))
    return results


async def _begin_anew(bench: Bench) -> None:
    """A fresh process that has met one small post, so that what it loads but once is loaded."""
    await asyncio.to_thread(bench.stage.indicators.restart)
    few = rows_of(Batch(bench.world, 10, year=NEWEST_YEAR - 9))
    await bench.post(HEADLINE, body_of(HEADLINE, few), {"created": 10})
    await bench.empty()


async def reads(bench: Bench, sizes: Sizes) -> list[Result]:
    """Scorecards with figures while nothing else runs, before and afterwards, and while one bulk post of other years
    follows the other.
    """
    await bench.put_back()
    with tempfile.TemporaryDirectory(prefix="chitieu-bodies-") as folder:
        files = _write_bodies(bench, sizes, Path(folder))
        idle = await _read(bench, lambda count: count < sizes.reads // 2)
        posting = asyncio.create_task(_post_from_outside(bench, files))
        busy = await _read(bench, lambda _count: not posting.done())
        await posting
        await bench.rest()
        idle += await _read(bench, lambda count: count < sizes.reads // 2)
    before, after = (1000 * quantiles(seconds, n=20)[-1] for seconds in (idle, busy))
    return [
        Result("scorecard reads during bulk posts: p95 by the idle one", after / before, "x", 2, Limit.AT_MOST),
        Result("scorecard reads: idle p95", before, "ms"),
        Result(f"scorecard reads during bulk posts: p95 of {len(busy)}", after, "ms"),
    ]


async def _read(bench: Bench, goes_on: Callable[[int], bool]) -> list[float]:
    seconds: list[float] = []
    async with bench.stage.client() as client:
        while goes_on(len(seconds)):
            commune = bench.world.communes[len(seconds) % 5]
            started = time.perf_counter()
            answer = await client.get("/v1/indicators/scorecards", params={"admin_unit": commune, "year": "2026"})
            seconds.append(time.perf_counter() - started)
            answer.raise_for_status()
    return seconds


def _write_bodies(bench: Bench, sizes: Sizes, folder: Path) -> list[Path]:
    files = [folder / f"{number}.{HEADLINE}" for number in range(2 * sizes.pairs)]
    for number, file in enumerate(files):
        rows = rows_of(Batch(bench.world, sizes.rows, year=NEWEST_YEAR - number))
        file.write_bytes(body_of(HEADLINE, rows))
    return files


async def _post_from_outside(bench: Bench, files: Sequence[Path]) -> None:
    where = (f"{bench.stage.url}{ACTUALS}", bench.stage.headers()["Authorization"])
    command = (sys.executable, "-m", "benchmarks.poster", *where, *map(str, files))
    poster = await asyncio.create_subprocess_exec(*command)
    if await poster.wait() != 0:
        raise RuntimeError("a post failed while scorecards were read")


async def imports(bench: Bench, sizes: Sizes) -> list[Result]:
    """Rows by an import, from its announcement to its end."""
    await bench.empty()
    seconds = await _import(bench, sizes.import_rows)
    name = f"import of {sizes.import_rows:,} new rows"
    return [Result(f"{name}: time", seconds, "s"), Result(f"{name}: rows", sizes.import_rows / seconds, "rows/s")]


async def import_memory(bench: Bench, sizes: Sizes) -> list[Result]:
    """What a large import takes at its peak."""
    await _begin_anew(bench)
    async with watched(bench.stage.indicators.pid) as peak:
        seconds = await _import(bench, sizes.large_import_rows)
    name = f"import of {sizes.large_import_rows:,} new rows"
    return [
        Result(f"memory above idle, {name}", peak.above_idle / MIB, "MiB", IMPORT_MIB, Limit.AT_MOST),
        Result(f"{name}: time", seconds, "s"),
    ]


async def _import(bench: Bench, rows: int) -> float:
    body = body_of(HEADLINE, rows_of(Batch(bench.world, rows)))
    await bench.rest()
    started = time.perf_counter()
    found = await import_body(bench.client, CONTENT_TYPES[HEADLINE], body)
    seconds = time.perf_counter() - started
    expect(found.get("result") or {}, {"created": rows}, str(found)[:1000])
    return seconds


def _speed(name: str, pairs: Sequence[Pair], rows: int, goal: float | None) -> list[Result]:
    seconds = median(pair.post for pair in pairs)
    return [
        Result(f"{name}: speed by that of COPY", median(pair.speed for pair in pairs), "x", goal),
        Result(f"{name}: time", seconds, "s"),
        Result(f"{name}: COPY's time", median(pair.copy for pair in pairs), "s"),
        Result(f"{name}: rows", rows / seconds, "rows/s"),
    ]


SCENES: Mapping[str, Callable[[Bench, Sizes], Awaitable[list[Result]]]] = {
    "new": new_rows,
    "unchanged": unchanged,
    "updates": updates,
    "partial": partial,
    "memory": memory,
    "reads": reads,
    "filled": filled,
    "imports": imports,
    "import-memory": import_memory,
}


async def measure(sizes: Sizes, scenes: Sequence[str], console: Console) -> list[Result]:
    """Measure one scene after the other on one bench."""
    results: list[Result] = []
    async with opened() as bench:
        await bench.learn(sizes.rows)
        for name in scenes:
            console.print(f"{name} …", end=" ")
            started = time.perf_counter()
            found = await SCENES[name](bench, sizes)
            console.print(f"{found[0].value:.3g} {found[0].unit} ({time.perf_counter() - started:.0f} s)")
            results += found
    return results


def main() -> None:
    """Measure, show and keep; ends with 1 if a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = [one for one in fields(Sizes) if one.type == "int"]
    for one in numbers:
        options.add_argument(f"--{one.name.replace('_', '-')}", type=int, default=one.default)
    options.add_argument("--forms", default=",".join(Sizes().forms), help="forms of bodies, separated by commas")
    options.add_argument("--only", default=",".join(SCENES), help="scenes, separated by commas")
    options.add_argument("--output", type=Path, default=RESULTS / "bulk.json")
    given = options.parse_args()
    chosen = {one.name: getattr(given, one.name) for one in numbers}
    sizes = Sizes(**chosen, forms=tuple(given.forms.split(",")))
    console = Console()
    results = asyncio.run(measure(sizes, given.only.split(","), console))
    show(results, f"Bulk posts of {sizes.rows:,} rows, median of {sizes.pairs} pairs", console)
    write(results, given.output)
    sys.exit(1 if any(one.holds is False for one in results) else 0)


if __name__ == "__main__":
    main()
