"""Taking an import back: by an import of its own, so that what was taken back, when and why stays readable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.errors import UNIT_NOT_COVERED, Conflict, Fault, Forbidden
from chassis.tabular import Findings, FirstFindings
from chassis.write_tokens import write_token
from services.indicators.domain.actuals.reverting import taken_back
from services.indicators.domain.imports import FIGURE_CHANGED_SINCE, LISTED, NOTHING_TO_REVERT
from services.indicators.service.actuals import PostResult
from services.indicators.service.applying import place_of
from services.indicators.service.telling import events_of
from services.indicators.service.terms import Mode, Progress
from services.indicators.store import posting
from services.indicators.store import reverting as store
from services.indicators.store.posting import PostingFacts
from services.indicators.store.reverting import Left, Written

AT_ONCE = 200_000  # figures
Tell = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Revert:
    """What is taken back, by which import, and why."""

    import_id: UUID
    reverts: UUID
    reason: str


async def revert(db: Session, caller: Caller, asked: Revert, tell: Tell) -> PostResult:
    """Write every figure of an import as it was before; answers what became of them.

    Figures the import created are withdrawn, figures it changed get their former values, each as a new version with
    the reason. Figures that changed since are left as they are, counted as stale, and the first 1,000 of them named.

    Raises:
        Conflict: the import wrote nothing ("nothing_to_revert").
        Forbidden: the caller does not act for one of its units ("unit_not_covered").
    """
    written = await store.find_posting(db, asked.reverts)
    if written is None or not written.admin_units:
        raise Conflict(NOTHING_TO_REVERT, import_id=asked.reverts)
    for code, province in written.admin_units:
        if not caller.covers(code, province):
            raise Forbidden(UNIT_NOT_COVERED, admin_unit=code)
    heads = await outbox.lock(db, [code for code, _ in written.admin_units])
    work = _Reverting(db, caller, asked, written, heads)
    left = await store.find_left(db, written.posting_id, LISTED)  # before the rest of it is superseded, too
    counted = await store.count_in_force(db, written.posting_id)
    for units in _buckets(counted):
        await work.take_back(units)
        await tell(Progress(work.count, work.count, work.count))
    return await work.finish([unit for unit, _ in counted], left)


def _buckets(counted: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Units whose figures fit into memory together."""
    units: list[int] = []
    size = 0
    for unit, count in counted:
        if units and size + count > AT_ONCE:
            yield units
            units, size = [], 0
        units.append(unit)
        size += count
    if units:
        yield units


class _Reverting:
    """Figures on their way back, under the heads of their units."""

    def __init__(self, db: Session, caller: Caller, asked: Revert, written: Written, heads: outbox.Heads) -> None:
        self._db = db
        self._caller = caller
        self._asked = asked
        self._written = written
        self._heads = heads
        self._reserved: tuple[int, UUID] | None = None
        self._by_unit: dict[tuple[str, str], int] = {}

    @property
    def count(self) -> int:
        """How many figures were taken back."""
        return sum(self._by_unit.values())

    async def take_back(self, units: Sequence[int]) -> None:
        """Write the figures of some units as they were before."""
        db, at = self._db, self._heads.at
        number, import_id = await self._reserve()
        former = await store.load_former(db, self._written.posting_id, units)
        rows = await asyncio.to_thread(taken_back, former, self._asked.reason)
        await posting.supersede(db, rows, at)
        await posting.write_figures(db, rows, number, at)
        await outbox.append(db, self._heads, await asyncio.to_thread(events_of, rows, import_id, self._caller))
        for unit, province, count in rows.group_by("admin_unit", "province").len().sort("admin_unit").iter_rows():
            self._by_unit[unit, province] = count

    async def _reserve(self) -> tuple[int, UUID]:
        if self._reserved is None:
            self._reserved = await posting.reserve_posting(self._db, self._asked.import_id)
        return self._reserved

    async def finish(self, unit_ids: Sequence[int], left: Left) -> PostResult:
        """Note the post and audit it."""
        counts = _counts(self.count, left.count)
        facts = PostingFacts(
            self._caller,
            self._db.info.get("request_id"),
            Mode.ATOMIC,
            counts,
            self._heads.at,
            reverts=self._asked.reverts,
            admin_unit_ids=unit_ids,
        )
        await posting.note_posting(self._db, await self._reserve(), facts)
        await self._audit()
        return _result(self._asked, counts, left, await write_token(self._db), self._heads.at)

    async def _audit(self) -> None:
        about = {"import_id": self._asked.import_id, "reverts": self._asked.reverts, "reason": self._asked.reason}
        deeds = [
            audit.Deed(unit, *place_of(unit, province), {**about, "updated": count})
            for (unit, province), count in sorted(self._by_unit.items())
        ]
        await audit.record_all(self._db, self._caller, "actuals.reverted", deeds)


def _counts(updated: int, stale: int) -> dict[str, int]:
    nothing = dict.fromkeys(("created", "unchanged", "duplicates", "refused"), 0)
    return {"received": updated + stale, "updated": updated, "stale": stale, **nothing}


def _result(asked: Revert, counts: dict[str, int], left: Left, token: str, at: datetime) -> PostResult:
    warnings = FirstFindings(left.count, Findings.of([_left(each) for each in left.first]))
    return PostResult(counts, Mode.ATOMIC, False, asked.import_id, Findings.none(), warnings, token, at)


def _left(codes: Mapping[str, Any]) -> Fault:
    values = {name: codes[name] for name in ("admin_unit", "indicator", "period")}
    return Fault(FIGURE_CHANGED_SINCE, values, value=codes["indicator"])
