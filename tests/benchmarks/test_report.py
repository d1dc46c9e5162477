"""What measurements leave behind: figures with their goals, the machine and the date in every one."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.report import Limit, Result, machine, show, write

SPEED = Result("new rows, csv: speed by that of COPY", 0.51234, "x", 0.5)
MEMORY = Result("memory above idle", 151.0, "MiB", 150, Limit.AT_MOST)
TIME = Result("new rows, csv: time", 1.5, "s")


@pytest.mark.parametrize(
    ("value", "goal", "limit", "holds"),
    [
        (0.5, 0.5, Limit.AT_LEAST, True),
        (0.499, 0.5, Limit.AT_LEAST, False),
        (1.3, 1.3, Limit.AT_MOST, True),
        (1.301, 1.3, Limit.AT_MOST, False),
        (1.0, None, Limit.AT_LEAST, None),
    ],
)
def test_a_goal_holds_up_to_its_limit(value: float, goal: float | None, limit: Limit, holds: bool | None) -> None:
    assert Result("figure", value, "x", goal, limit).holds is holds


def test_results_are_kept_as_a_list_of_objects(tmp_path: Path) -> None:
    file = tmp_path / "results" / "bulk.json"
    write([SPEED, MEMORY, TIME], file)
    kept = json.loads(file.read_text(encoding="utf-8"))
    dates = [datetime.fromisoformat(one.pop("date")) for one in kept]
    assert [one.pop("machine") for one in kept] == [machine()] * 3
    assert kept == [
        {"name": SPEED.name, "value": 0.5123, "goal": 0.5, "unit": "x", "holds": True},
        {"name": MEMORY.name, "value": 151.0, "goal": 150, "unit": "MiB", "holds": False},
        {"name": TIME.name, "value": 1.5, "goal": None, "unit": "s", "holds": None},
    ]
    assert all(date.utcoffset() is not None for date in dates)


def test_the_table_shows_every_figure_with_its_goal() -> None:
    console = Console(file=io.StringIO(), width=120)
    show([SPEED, MEMORY, TIME], "Bulk posts", console)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert machine() in text
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert rows == [
        [SPEED.name, "0.512 x", "≥ 0.5 x", "yes"],
        [MEMORY.name, "151 MiB", "≤ 150 MiB", "NO"],
        [TIME.name, "1.5 s", "", ""],
    ]
