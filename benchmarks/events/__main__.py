"""The event log and its deliveries, measured: `make bench-events`.

Every part gets a stage of its own (PostgreSQL on disk, the services as processes, HTTP over loopback). Goals are
ratios within one run wherever something comparable can be measured beside it, so that a slow minute of the machine
slows both. `--only log,feed` measures those parts anew and leaves the other figures of the file as they were;
`--scale 0.01` is a quick look that says nothing about speed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.report import RESULTS, Result, as_json, show
from benchmarks.stage import staged

PARTS = tuple(
    name for name in ("log", "feed", "streams", "webhooks", "jetstream") if find_spec(f"benchmarks.events.{name}")
)


async def measure(parts: Sequence[str], scale: float, console: Console) -> list[Result]:
    """Measure one part after the other; the figures carry the name of their part."""
    results: list[Result] = []
    for name in parts:
        part: Any = importlib.import_module(f"benchmarks.events.{name}")
        console.print(f"{name} …", end=" ")
        started = time.perf_counter()
        async with staged(server=getattr(part, "SERVER", None), **getattr(part, "SETTINGS", {})) as stage:
            found: list[Result] = await part.measure(stage, scale)
        console.print(f"{len(found)} figures ({time.perf_counter() - started:.0f} s)")
        results += [replace(one, name=f"{name}: {one.name}") for one in found]
    return results


def keep(results: Sequence[Result], parts: Sequence[str], path: Path) -> None:
    """Put the figures of these parts into the file; those of other parts stay as they were measured."""
    kept: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    others = [one for one in kept if one["name"].split(":")[0] not in parts]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(others + as_json(results), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, show and keep; ends with 1 if a goal is missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    options.add_argument("--scale", type=float, default=1.0, help="share of the sizes that the goals name")
    options.add_argument("--output", type=Path, default=RESULTS / "events.json")
    given = options.parse_args()
    parts, console = given.only.split(","), Console()
    results = asyncio.run(measure(parts, given.scale, console))
    show(results, "The event log and its deliveries", console)
    keep(results, parts, given.output)
    sys.exit(1 if any(one.holds is False for one in results) else 0)


if __name__ == "__main__":
    main()
