"""What was measured, against what it should be: a table to read and a file to keep."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent / "results"


class Limit(Enum):
    """From which side a goal bounds a value."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure, with its goal where it has one."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    limit: Limit = Limit.AT_LEAST

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.limit is Limit.AT_LEAST else self.value <= self.goal


def machine() -> str:
    """The machine in a few words: processors, memory, system, versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {_processor()}, {memory:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def show(results: Sequence[Result], title: str, console: Console) -> None:
    """Print the figures as a table."""
    table = Table(title=f"{title}\n{machine()}", title_justify="left")
    for heading, justify in (("figure", "left"), ("value", "right"), ("goal", "right"), ("holds", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # rich names two literals
    for one in results:
        goal = "" if one.goal is None else f"{one.limit.value} {_words(one.goal, one.unit)}"
        table.add_row(one.name, _words(one.value, one.unit), goal, {None: "", True: "yes", False: "NO"}[one.holds])
    console.print(table)


def _words(value: float, unit: str) -> str:
    return f"{value:,.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def write(results: Sequence[Result], path: Path) -> None:
    """Keep the figures as a list of objects, each with the machine and the moment it was measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(results), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The figures as they are kept."""
    seen_on, date = machine(), datetime.now(UTC).isoformat(timespec="seconds")
    return [
        {
            "name": one.name,
            "value": round(one.value, 4),
            "goal": one.goal,
            "unit": one.unit,
            "holds": one.holds,
            "machine": seen_on,
            "date": date,
        }
        for one in results
    ]
