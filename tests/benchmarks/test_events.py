"""The bench of the event log works; a short run says nothing about speed."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

from benchmarks.events.__main__ import PARTS, keep
from benchmarks.report import Result
from benchmarks.stage import Stage, staged


def test_the_figures_of_other_parts_stay(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    keep([Result("log: rate", 1, "x"), Result("log: gone later", 1, "x")], ["log"], file)
    keep([Result("feed: rate", 2, "x")], ["feed"], file)
    keep([Result("log: rate", 3, "x")], ["log"], file)
    assert [(one["name"], one["value"]) for one in json.loads(file.read_text())] == [
        ("feed: rate", 2),
        ("log: rate", 3),
    ]


def _part(name: str) -> Any:
    return importlib.import_module(f"benchmarks.events.{name}")


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """One stage for every part, with the settings of them all."""
    settings: dict[str, str] = {}
    server: dict[str, str] = {}
    for part in map(_part, PARTS):
        settings |= getattr(part, "SETTINGS", {})
        server |= getattr(part, "SERVER", {})
    async with staged(server=server, **settings) as made:
        yield made


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("name", [*(name for name in PARTS if name != "log"), "log"])  # the log's part ends a service
async def test_a_short_run_measures_every_figure(stage: Stage, name: str) -> None:
    found = await _part(name).measure(stage, 0.01)
    assert found
    assert len({one.name for one in found}) == len(found)
    assert all(isfinite(one.value) for one in found)
    assert any(one.goal is not None for one in found)
