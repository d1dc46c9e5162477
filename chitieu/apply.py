"""Apply a folder of declarations through the public door: idempotent, in the order in which things build on
each other. It knows no rule of any service; a file is the body of one request.

    units.csv  offices.yaml  offices/<unit>.yaml  plans/<plan_key>.yaml
    catalogue.yaml  regimes.yaml  targets/<plan_key>.yaml  budget/<plan_key>.yaml  actuals/*.yaml
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import yaml

from chitieu.door import Door, Refusal
from chitieu.troubles import Trouble

LIVES = ("draft", "issued")
MAY_BE_MISSING = (404, 409, 422)


@dataclass(frozen=True, slots=True)
class Step:
    """One file and the request it is the body of."""

    file: Path
    method: str
    path: str
    body: Any
    life: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step changed, or why it could not be told."""

    file: Path
    counts: Mapping[str, int]
    note: str = ""

    @property
    def changed(self) -> int:
        """Rows that are not as they were."""
        return sum(number for name, number in self.counts.items() if name in ("created", "updated", "removed"))


Report = Callable[[Outcome], None]
Between = Callable[[], Awaitable[None]]


async def apply_units(client: httpx2.AsyncClient, folder: Path, headers: Mapping[str, str]) -> None:
    """Apply the units and offices of a folder only."""
    applier = Applier(Door(client, headers), is_dry_run=False)
    for step in _unit_steps(folder):
        await applier.apply(step)


async def apply_reference(
    client: httpx2.AsyncClient, folder: Path, headers: Mapping[str, str], *, between: Between | None = None
) -> None:
    """Apply a whole folder; `between` is awaited where one service has to hear of another first."""
    applier = Applier(Door(client, headers), is_dry_run=False)
    await apply_folder(applier, folder, report=lambda _outcome: None, between=between)


async def apply_folder(applier: Applier, folder: Path, *, report: Report, between: Between | None = None) -> None:
    """Apply a whole folder and report every file.

    Raises:
        Trouble: a file that cannot be read, or what the door refused.
    """
    for step in [*_unit_steps(folder), *_plan_steps(folder)]:
        report(await applier.apply(step))
    if between is not None:
        await between()
    for step in _following_steps(folder):
        report(await applier.apply(step))


def count_steps(folder: Path) -> int:
    """How many requests a folder is.

    Raises:
        Trouble: it is no folder, or there is nothing in it that we know.
    """
    if not folder.is_dir():
        raise Trouble(f"{folder} is not a folder.")
    files = [*_unit_files(folder), *_files(folder, "plans"), *_following_files(folder)]
    if not files:
        raise Trouble(f"There is nothing to apply in {folder} (units.csv, offices.yaml, plans/*.yaml …).")
    return len(files)


class Applier:
    """Sends steps, and remembers the last write so that the next service waits for it."""

    def __init__(self, door: Door, *, is_dry_run: bool, prune: bool = False) -> None:
        self._door = door
        self._is_dry_run = is_dry_run
        self._params = {"dry_run": "true"} if is_dry_run else {}
        self._prune = {"prune": "true"} if prune else {}

    async def apply(self, step: Step) -> Outcome:
        """Send one step. In a dry run a refusal is an outcome: what it builds on may not be there yet."""
        try:
            answer = await self._send(step)
        except Refusal as refusal:
            if not self._is_dry_run or refusal.status not in MAY_BE_MISSING:
                raise
            return Outcome(step.file, {}, note=f"cannot be told yet: {refusal.code}")
        if answer.get("write_token") and step.path.startswith("/v1/plans"):
            self._door.min_version = answer["write_token"]
        return Outcome(step.file, _counts(answer), note=_note(answer))

    async def _send(self, step: Step) -> dict[str, Any]:
        prunes = self._prune if step.method == "PUT" and isinstance(step.body, dict) else {}
        params = {**step.params, **self._params, **prunes}
        answer = await self._door.send(step.method, step.path, body=step.body, params=params)
        if step.life == "issued" and answer.get("status") == "draft" and not self._is_dry_run:
            return await self._issue(step, answer)
        return answer

    async def _issue(self, step: Step, recorded: dict[str, Any]) -> dict[str, Any]:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        issued = await self._door.send("POST", f"{step.path}/issue", body={}, headers=key)
        return {**issued, "changes": recorded.get("changes", {})}


def _counts(answer: Mapping[str, Any]) -> dict[str, int]:
    """Created, updated, unchanged, removed and kept, over all the lists of a reply."""
    names = ("created", "updated", "unchanged", "removed", "kept")
    lists: list[Mapping[str, Any]] = [part for part in answer.get("changes", {}).values() if isinstance(part, dict)]
    totals = dict.fromkeys(names, 0)
    for part in lists or [answer]:
        for name in names:
            found = part.get(name, 0)
            totals[name] += found if isinstance(found, int) else len(found)
    return totals


def _note(answer: Mapping[str, Any]) -> str:
    if answer.get("stale"):
        return f"{answer['stale']} left: other figures stand there"
    status = answer.get("status")
    return status if isinstance(status, str) else ""


def _unit_files(folder: Path) -> list[Path]:
    return [*_one(folder, "units.csv"), *_one(folder, "offices.yaml"), *_files(folder, "offices")]


def _following_files(folder: Path) -> list[Path]:
    single = [*_one(folder, "catalogue.yaml"), *_one(folder, "regimes.yaml")]
    return [*single, *_files(folder, "targets"), *_files(folder, "budget"), *_files(folder, "actuals")]


def _unit_steps(folder: Path) -> Iterator[Step]:
    for file in _one(folder, "units.csv"):
        yield Step(file, "PUT", "/v1/plans/admin-units", file.read_bytes())
    for file in _one(folder, "offices.yaml"):
        yield Step(file, "PUT", "/v1/plans/office-kinds", _read(file))
    for file in _files(folder, "offices"):
        yield Step(file, "PUT", f"/v1/plans/offices/{file.stem}", _read(file))


def _plan_steps(folder: Path) -> Iterator[Step]:
    for file in _files(folder, "plans"):
        body = _read(file)
        life = body.pop("life", "draft")
        if life not in LIVES:
            raise Trouble(f"{file}: life is {life!r}; it can be {' or '.join(LIVES)}.")
        yield Step(file, "PUT", f"/v1/plans/{file.stem}", body, life)


def _following_steps(folder: Path) -> Iterator[Step]:
    for name in ("catalogue", "regimes"):
        for file in _one(folder, f"{name}.yaml"):
            yield Step(file, "PUT", f"/v1/indicators/{name}", _read(file))
    for file in _files(folder, "targets"):
        yield Step(file, "PUT", f"/v1/indicators/targets/{file.stem}", _read(file))
    for file in _files(folder, "budget"):
        yield Step(file, "PUT", f"/v1/budget/lines/{file.stem}", _read(file))
    for file in _files(folder, "actuals"):
        body = _with_base_versions(_read(file))
        yield Step(file, "POST", "/v1/indicators/actuals", body, params={"on_stale": "skip"})


def _with_base_versions(body: dict[str, Any]) -> dict[str, Any]:
    """A sample figure is made from nothing (version 0), so it never takes the place of a real one."""
    return {**body, "actuals": [_with_base_version(row) for row in body.get("actuals", [])]}


def _with_base_version(row: dict[str, Any]) -> dict[str, Any]:
    return {"base_version": 0, **row} if row.get("source") == "sample" else row


def _one(folder: Path, name: str) -> list[Path]:
    return [folder / name] if (folder / name).exists() else []


def _files(folder: Path, name: str) -> list[Path]:
    return sorted((folder / name).glob("*.yaml"))


def _read(file: Path) -> dict[str, Any]:
    """A YAML mapping.

    Raises:
        Trouble: which file, and where in it.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
        raise Trouble(f"{file} cannot be read: {reason}.") from error
    if not isinstance(content, dict):
        raise Trouble(f"{file} must be a YAML mapping.")
    return content
