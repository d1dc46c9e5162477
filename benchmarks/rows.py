"""Rows like those a province posts: short codes, ratios by their parts, a source, some evidence and notes."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from random import Random
from typing import Any

from benchmarks.world import World, is_ratio

NEWEST_YEAR = 2025  # every month of it has ended, whatever the day of the measurement
FIRST_FILLED_YEAR, LAST_FILLED_YEAR = 2015, 2019


@dataclass(frozen=True, slots=True)
class Batch:
    """So many rows of a world, from the months of a year backwards; another edition is the same keys, other figures."""

    world: World
    rows: int
    year: int = NEWEST_YEAR
    edition: int = 0


def rows_of(batch: Batch) -> list[dict[str, Any]]:
    """The rows, by commune, indicator and month within each year."""
    random = Random(f"{batch.year}-{batch.edition}")
    return [_row(random, number, key) for number, key in enumerate(islice(_keys(batch), batch.rows))]


def _keys(batch: Batch) -> Iterator[tuple[str, str, int, int]]:
    """The months are as few as hold the rows, so that a batch of any size spreads over every commune."""
    world = batch.world
    per_month = len(world.communes) * len(world.indicators)
    needed = -(-batch.rows // per_month)
    for years_back in range(needed // 12 + 1):
        months = range(1, min(12, needed - 12 * years_back) + 1)
        for commune, indicator, month in product(world.communes, world.indicators, months):
            yield commune, indicator, batch.year - years_back, month


def _row(random: Random, number: int, key: tuple[str, str, int, int]) -> dict[str, Any]:
    commune, indicator, year, month = key
    return {
        "admin_unit": commune,
        "indicator": indicator,
        "period": f"{year}-{month:02d}",
        **_figure(random, indicator),
        "measured_on": f"{year}-{month:02d}-{calendar.monthrange(year, month)[1]}",
        "data_status": "official" if number % 3 else "preliminary",
        "source": "IOC tỉnh" if number % 2 else "Báo cáo của UBND xã",
        "evidence_url": f"https://ioc.example.vn/bao-cao/{number}" if number % 50 == 0 else None,
        "note": f"Số liệu theo báo cáo số {number}" if number % 10 == 0 else None,
    }


def _figure(random: Random, indicator: str) -> dict[str, Any]:
    if is_ratio(indicator):
        whole = random.randrange(50, 5000)
        return {"value": None, "numerator": random.randrange(whole), "denominator": whole}
    return {"value": random.randrange(1_000_000), "numerator": None, "denominator": None}


def spoil(rows: list[dict[str, Any]], every: int = 100) -> list[dict[str, Any]]:
    """The same rows, one in a hundred of them wrong in one of four ways."""
    wrongs = (
        {"indicator": "BENCH_999_RATE"},
        {"admin_unit": "99998"},
        {"period": "2025-13"},
        {"value": None, "numerator": None, "denominator": None},
    )
    return [
        {**row, **wrongs[number // every % len(wrongs)]} if number % every == 0 else row
        for number, row in enumerate(rows)
    ]
