"""What the operator does to a running house, over HTTP only."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chassis.settings import Settings
from chassis.text import suggest
from chitieu import demo
from chitieu.apply import Applier, Outcome, apply_folder, count_steps
from chitieu.door import Door
from chitieu.tokens import EVERY_SCOPE, operator_headers
from chitieu.troubles import Trouble

SAMPLES = "/v1/indicators/actuals?source=sample&limit=1000"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Mode:
    """How to apply: for show only, and whether what is no longer named goes."""

    is_dry_run: bool = False
    prunes: bool = False

    @property
    def params(self) -> Mapping[str, str]:
        """The query parameters of this mode."""
        return {"dry_run": "true"} if self.is_dry_run else {}


@contextlib.asynccontextmanager
async def door_at(url: str, token: str | None, settings: Settings) -> AsyncIterator[Door]:
    """The public door at an address, as the caller of a token, else as the holder of the local key.

    Raises:
        Trouble: no address, or neither token nor key.
    """
    headers = {"Authorization": f"Bearer {token_at(url, token, settings)()}"}
    async with httpx2.AsyncClient(base_url=url.rstrip("/"), trust_env=False) as client:
        yield Door(client, headers)


def token_at(url: str, token: str | None, settings: Settings) -> Callable[[], str]:
    """The token to show at an address: the one given, else a fresh one of the local key each time.

    Raises:
        Trouble: no address, or neither token nor key.
    """
    if not url.startswith(("http://", "https://")):
        raise Trouble(f"{url} is not an address: it starts with http:// or https://.")
    if token:
        return lambda: token
    operator_headers(settings)
    return lambda: operator_headers(settings)["Authorization"].removeprefix("Bearer ")


Opening = contextlib.AbstractAsyncContextManager[Door]


async def apply(console: Console, opening: Opening, folder: Path, mode: Mode) -> None:
    """Apply a folder, showing progress and then what changed file by file."""
    total = count_steps(folder)
    outcomes: list[Outcome] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    async with opening as door:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Comparing" if mode.is_dry_run else "Applying", total=total)

            def report(outcome: Outcome) -> None:
                outcomes.append(outcome)
                progress.advance(task)

            applier = Applier(door, is_dry_run=mode.is_dry_run, prune=mode.prunes)
            await apply_folder(applier, folder, report=report)
    for outcome in outcomes:
        console.print(describe(outcome, folder), highlight=False, markup=False)
    changed = sum(outcome.changed for outcome in outcomes)
    verb = "would change" if mode.is_dry_run else "changed"
    console.print(f"Files: {len(outcomes)}. Rows that {verb}: {changed}.", highlight=False)


def describe(outcome: Outcome, folder: Path) -> str:
    """One line per file: what was made, changed, left and kept."""
    counts = ", ".join(f"{number} {name}" for name, number in outcome.counts.items() if number)
    note = f" ({outcome.note})" if outcome.note else ""
    return f"{outcome.file.relative_to(folder)}: {counts or 'nothing'}{note}"


async def load_units(console: Console, opening: Opening, file: Path, mode: Mode) -> None:
    """Load units from a CSV file."""
    content = _read_bytes(file)
    async with opening as door:
        answer = await door.send("PUT", "/v1/plans/admin-units", body=content, params=mode.params)
    console.print(_summary(answer["changes"].values()), highlight=False)


def _summary(lists: Any) -> str:
    totals: dict[str, int] = {}
    for part in lists:
        for name, found in part.items():
            totals[name] = totals.get(name, 0) + (found if isinstance(found, int) else len(found))
    return ", ".join(f"{number} {name}" for name, number in totals.items() if number) + "."


async def remove_demo(console: Console, opening: Opening, settings: Settings) -> None:
    """Withdraw every sample figure, and note that no start may load demo data again.

    Nothing is deleted: lists and scorecards no longer show them, the history of a figure still does.
    """
    removed = 0
    async with opening as door:
        while rows := (await door.send("GET", SAMPLES))["items"]:
            withdrawals = [{**_key(row), "action": "withdraw", "reason": "demo remove"} for row in rows]
            answer = await door.send("POST", "/v1/indicators/actuals", body=withdrawals)
            removed += answer["updated"]
    demo.remember_removed(settings)
    console.print(f"{removed} sample figures withdrawn.", highlight=False)


def _key(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("admin_unit", "indicator", "sub_population", "regime", "period")
    return {name: row[name] for name in names if row[name] is not None}


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror or error}.") from error


def read_ttl(text: str) -> int:
    """Seconds of a lifetime such as 90s, 15m, 8h or 30d.

    Raises:
        Trouble: it is none.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if match is None:
        raise Trouble(f"{text} is not a lifetime: write 90s, 15m, 8h or 30d.")
    return int(match[1]) * _UNITS[match[2]]


def check_scopes(scopes: list[str]) -> None:
    """Refuse a scope that nobody asks for.

    Raises:
        Trouble: which one, and what may have been meant.
    """
    for scope in scopes:
        if scope not in EVERY_SCOPE:
            near = suggest(scope, EVERY_SCOPE)
            hint = f" Did you mean {near}?" if near else f" There are: {', '.join(EVERY_SCOPE)}."
            raise Trouble(f"There is no scope {scope}.{hint}")


def as_json(value: object) -> str:
    """Readable JSON."""
    return json.dumps(value, indent=2)
