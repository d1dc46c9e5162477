"""The bench of bulk posts works; a short run says nothing about speed."""

from __future__ import annotations

import asyncio
import io
import sys

import polars as pl
import pytest
from rich.console import Console

from benchmarks.bulk import SCENES, Sizes, measure
from benchmarks.forms import body_of
from benchmarks.memory import watched
from benchmarks.rows import Batch, rows_of, spoil
from benchmarks.world import World

SMALL = World.of(4, 3)


def keys_of(rows: list[dict[str, object]]) -> list[tuple[object, object, object]]:
    return [(row["admin_unit"], row["indicator"], row["period"]) for row in rows]


@pytest.mark.parametrize("count", [1, 12, 100, 144, 145, 1000])
def test_rows_are_as_many_as_asked_for_and_all_different(count: int) -> None:
    assert len(set(keys_of(rows_of(Batch(SMALL, count))))) == count


def test_another_edition_has_other_figures_under_the_same_keys() -> None:
    first, second = rows_of(Batch(SMALL, 50)), rows_of(Batch(SMALL, 50, edition=1))
    assert keys_of(first) == keys_of(second)
    assert first != second
    assert first == rows_of(Batch(SMALL, 50))


def test_one_row_in_a_hundred_is_spoilt() -> None:
    rows = rows_of(Batch(SMALL, 250))
    assert [number for number, row in enumerate(spoil(rows)) if row != rows[number]] == [0, 100, 200]


def test_every_form_holds_the_same_rows() -> None:
    rows = rows_of(Batch(SMALL, 30))
    expected = pl.DataFrame(rows, infer_schema_length=None)
    assert pl.read_parquet(io.BytesIO(body_of("parquet", rows))).equals(expected)
    assert pl.read_ndjson(io.BytesIO(body_of("ndjson", rows)), infer_schema_length=None).equals(expected)
    assert pl.read_csv(io.BytesIO(body_of("csv", rows)), schema=expected.schema).equals(expected)


@pytest.mark.parametrize(("meanwhile", "least", "most"), [("del held", 59, 95), ("pass", 99, 135)])
async def test_what_a_process_and_its_children_hold_at_one_time_is_seen(meanwhile: str, least: int, most: int) -> None:
    child = "import time; held = bytearray(40 * 2**20); time.sleep(0.5)"
    command = (
        "import subprocess, sys; sys.stdin.readline(); held = bytearray(60 * 2**20);"
        f" {meanwhile};"
        f" subprocess.run([sys.executable, '-c', {child!r}]); print('done', flush=True); sys.stdin.readline()"
    )
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", command, **pipes)
    assert process.stdin is not None
    assert process.stdout is not None
    await asyncio.sleep(0.3)
    async with watched(process.pid) as peak:
        process.stdin.write(b"\n")
        await process.stdout.readline()
    process.stdin.close()
    await process.wait()
    assert least <= peak.above_idle / 2**20 <= most


@pytest.mark.long
@pytest.mark.slow
async def test_a_short_run_measures_every_scene() -> None:
    sizes = Sizes(rows=400, pairs=1, filled=2000, import_rows=400, large_import_rows=600, reads=3, forms=("csv",))
    scenes = list(SCENES)
    said = io.StringIO()
    results = await measure(sizes, scenes, Console(file=said, width=100))
    assert [line.split(" ")[0] for line in said.getvalue().splitlines()] == scenes
    assert all(one.value > 0 for one in results)
    goals = [(one.goal, one.limit.value) for one in results if one.goal is not None]
    assert goals == [
        *((goal, "≥") for goal in (0.5, 0.9, 0.25, 0.4)),
        (150, "≤"),
        (2, "≤"),
        (1.3, "≤"),
        (300, "≤"),
    ]
