"""Figures: posted as tables of rows, judged, settled against what is stored, kept with their history, announced."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import polars as pl

from chassis import audit, clock, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.errors import Refused, Rule, TooLarge
from chassis.listing import Listing
from chassis.merge import Found, are_filled
from chassis.outbox import Event
from chassis.tabular import Body, Findings, FirstFindings, Table
from chassis.tabular.rules import ROWS_TOO_MANY
from chassis.write_tokens import write_token
from services.indicators.domain import rules
from services.indicators.domain.actuals import judging, resolving, settling
from services.indicators.domain.actuals.resolving import Codes
from services.indicators.domain.filters import ActualFilter
from services.indicators.service import gathering
from services.indicators.service.applying import place_of
from services.indicators.service.gathering import Ahead, Gathered, Lots
from services.indicators.service.judging import judge_lot
from services.indicators.service.telling import events_of
from services.indicators.service.terms import Mode, OnStale, PostTerms, Progress, Tally
from services.indicators.store import figures, posting
from services.indicators.store.posting import PostingFacts
from services.indicators.store.visibility import Viewer


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of a post; faults and warnings are worded at the border."""

    counts: dict[str, int]
    mode: Mode
    is_dry_run: bool
    import_id: UUID | None
    errors: Findings
    warnings: FirstFindings
    write_token: str | None
    at: datetime
    blank: int = 0


class PostRefused(Refused):
    """A post refused as a whole because of its rows; it lists the first faults, `findings` has all of those read."""

    def __init__(self, findings: Findings, received: int, rule: Rule = rules.ACTUALS_REFUSED, **values: object) -> None:
        super().__init__(
            rule,
            faults=findings.listed(),
            faults_total=findings.total,
            refused=len(findings.rows),
            received=received,
        )
        self.values.update(values)
        self.findings = findings


def list_actuals(viewer: Viewer, wanted: ActualFilter, known_at: datetime | None) -> Listing:
    """Figures in force, now or at a moment."""
    return figures.list_actuals(viewer, wanted, known_at)


def list_history(viewer: Viewer, wanted: ActualFilter) -> Listing:
    """Every version of the figures, withdrawals included."""
    return figures.list_history(viewer, wanted)


async def post_actuals(db: Session, caller: Caller, body: Body, terms: PostTerms) -> PostResult:
    """Record figures: rows are read, resolved, judged, settled against what is stored, written and announced.

    Atomic posts write all rows or none; partial ones write the good rows. A row that says what is stored is
    unchanged: neither written nor announced. The number of statements does not depend on the number of rows, up to
    200,000 of them (`lot_rows`); of more, each lot takes the same statements again, all in one transaction.

    Raises:
        Refused: an atomic post has a refused row ("actuals_refused", with the faults of every row), a post of either
            mode has more faults than are kept ("faults_too_many", with those of the rows read so far), or the body
            has no table of rows (see `chassis.tabular.read`).
            Of one unit an import may have no more rows than a post of all ("actuals_too_many_of_unit").
        TooLarge: more rows than the body may have ("actuals_too_many").
    """
    tally = Tally()
    with Gathered(terms.lot_rows) as gathered:
        await _gather(db, caller, body, terms, (tally, gathered))
        written = await _write(db, caller, terms, (tally, gathered))
    return _result(db, terms, tally, written or (None, await write_token(db)))


State = tuple[Tally, Gathered]


async def _gather(db: Session, caller: Caller, body: Body, terms: PostTerms, state: State) -> None:
    """Read and judge all rows, lot by lot. Of several lots nothing is locked yet but the lists they rely on."""
    tally, gathered = state
    if await _gather_all(db, caller, body, terms, state):
        return
    # News were fetched after rows had been judged, and the lists those relied on may have changed since.
    tally.begin_again()
    gathered.clear()
    await _gather_all(db, caller, body, replace(terms, catch_up=None), state)


async def _gather_all(db: Session, caller: Caller, body: Body, terms: PostTerms, state: State) -> bool:
    """The same once; false where it has to begin again."""
    tally, gathered = state
    lots = Lots(body, terms.lot_rows)
    while (table := await _next(lots, body)) is not None:
        has_gathered = tally.received > 0
        tally.received += table.received
        # An import may last, and be taken over by another runner; it locks when all its rows are judged.
        is_only = lots.are_all_read and not has_gathered and terms.import_id is None
        look = partial(_look_ahead, db, caller, gathered) if is_only else _look_nowhere
        judged = await judge_lot(db, caller, table, (terms, tally), look)
        if judged.has_news and has_gathered:
            return False
        if tally.faults_total > terms.most_faults:
            await asyncio.to_thread(lots.close)
        _refuse_if_too_many(terms, tally)
        terms = replace(terms, catch_up=None) if judged.has_news else terms
        await asyncio.to_thread(gathered.add, judged.frame)
        await terms.progress(Progress(tally.received, tally.received))
    return True


async def _look_nowhere(_frame: pl.DataFrame, _codes: Codes) -> None:
    return None


async def _look_ahead(db: Session, caller: Caller, gathered: Gathered, frame: pl.DataFrame, codes: Codes) -> None:
    """Lock the heads of all units that the rows name and the caller acts for, and read what is stored, while the rows
    are judged: of most posts most rows are sound. Of sparse keys each is looked up later, if it is sound.

    Where no row can be sound, because no unit is the caller's or no indicator or period is known, nothing is locked.
    """
    known = codes.units.select("admin_unit", "province").iter_rows()
    units = [unit for unit, province in known if caller.covers(unit, province)]
    ranges = resolving.ranges_named(frame, codes, units)
    if all(ranges.values()) and are_filled(ranges, frame.height):
        heads = await outbox.lock(db, units)
        gathered.ahead = Ahead(heads, await posting.load_stored_within(db, ranges))


async def _next(lots: Lots, body: Body) -> Table | None:
    try:
        return await asyncio.to_thread(lots.next)
    except TooLarge as error:
        if error.rule is not ROWS_TOO_MANY:
            raise
        raise TooLarge(rules.ACTUALS_TOO_MANY, limit_rows=body.limits.rows) from error


async def _write(db: Session, caller: Caller, terms: PostTerms, state: State) -> tuple[UUID | None, str] | None:
    """Settle and write bucket by bucket; None where no row was left to settle.

    Raises:
        Refused: an atomic post has a refused row, or any post too many faults or rows of one unit.
    """
    tally, gathered = state
    units = gathered.units()
    _refuse_if_crowded(tally, units)
    if units.is_empty():
        _refuse_if_atomic(terms, tally)
        return None
    ahead = gathered.ahead or Ahead(await outbox.lock(db, units["admin_unit"].to_list()), None)
    writing = _Writing(db, caller, terms, tally, ahead)
    for bucket in gathered.buckets():
        await writing.add(await asyncio.to_thread(bucket))
    _refuse_if_atomic(terms, tally)
    return await writing.finish()


def _refuse_if_atomic(terms: PostTerms, tally: Tally) -> None:
    errors = tally.errors
    if errors.total and terms.mode is Mode.ATOMIC:
        raise PostRefused(errors, tally.received)


def _refuse_if_too_many(terms: PostTerms, tally: Tally) -> None:
    """Faults of any number would take any amount of memory."""
    if tally.faults_total > terms.most_faults:
        raise PostRefused(tally.errors, tally.received, rules.FAULTS_TOO_MANY, limit=terms.most_faults)


def _refuse_if_crowded(tally: Tally, units: pl.DataFrame) -> None:
    for unit, rows in units.sort("len", descending=True).select("admin_unit", "len").head(1).iter_rows():
        if rows > gathering.MOST_OF_UNIT:
            told = {"admin_unit": unit, "rows": rows, "limit": gathering.MOST_OF_UNIT}
            raise PostRefused(tally.errors, tally.received, rules.ACTUALS_TOO_MANY_OF_UNIT, **told)


class _Writing:
    """Figures on their way into the tables, under the heads of their units."""

    def __init__(self, db: Session, caller: Caller, terms: PostTerms, tally: Tally, ahead: Ahead) -> None:
        self._db = db
        self._caller = caller
        self._terms = terms
        self._tally = tally
        self._heads = ahead.heads
        self._stored = ahead.stored
        self._reserved: tuple[int, UUID] | None = None
        self._touched: list[pl.DataFrame] = []
        self._token: str | None = None
        self._written = 0

    async def add(self, rows: pl.DataFrame) -> None:
        """Settle rows and write those that change something."""
        collapsed = await asyncio.to_thread(settling.collapse, rows)
        self._tally.duplicates += collapsed.repeats
        self._tally.refuse(collapsed.findings)
        _refuse_if_too_many(self._terms, self._tally)
        if collapsed.frame.is_empty():
            return
        stored = self._stored or await posting.load_stored(self._db, collapsed.frame)
        settled = await asyncio.to_thread(settling.settle, collapsed.frame, stored.frame)
        self._note(settled)
        _refuse_if_too_many(self._terms, self._tally)
        changed = settling.changed(settled)
        if changed.is_empty() or (self._tally.faults and self._terms.mode is Mode.ATOMIC):
            return
        await self._keep(changed, stored)
        self._written += changed.height
        await self._terms.progress(Progress(self._tally.received, self._tally.received, self._written))

    def _note(self, settled: pl.DataFrame) -> None:
        tally = self._tally
        stale = settling.tell_stale(settled)
        counts = settling.counts(settled)
        tally.refuse(settling.refuse_withdrawals(settled))
        if self._terms.on_stale is OnStale.REFUSE:
            tally.refuse(stale)
            counts["stale"] = 0
        else:
            tally.warnings.add(stale)
        for name, count in counts.items():
            tally.outcomes[name] = tally.outcomes.get(name, 0) + count

    async def _keep(self, changed: pl.DataFrame, stored: Found) -> None:
        db, at = self._db, self._heads.at
        if self._reserved is None:
            self._reserved = await posting.reserve_posting(db, self._terms.import_id)
        number, import_id = self._reserved
        previous = await posting.load_previous(db, changed, stored)
        telling = asyncio.create_task(asyncio.to_thread(self._tell, changed, previous, import_id))
        try:
            updated = changed.filter(pl.col("old_version").is_not_null())
            if updated.height:
                await posting.supersede(db, updated, at, stored)
            await posting.write_figures(db, changed, number, at)
        finally:
            events, jumps = await telling
        self._tally.warnings.add(jumps)
        self._token = await outbox.append(db, self._heads, events)
        by_unit = changed.group_by("admin_unit", "admin_unit_id", "province", "outcome").len()
        self._touched.append(by_unit)

    def _tell(self, changed: pl.DataFrame, previous: pl.DataFrame, import_id: UUID) -> tuple[list[Event], Findings]:
        """What all may hear of changes, and what their sender should look at; made while the database writes."""
        return events_of(changed, import_id, self._caller), judging.tell_jumps(changed, previous)

    async def finish(self) -> tuple[UUID | None, str]:
        """Note the post and audit it; answers its id and the write token."""
        if self._reserved is None:
            if self._terms.import_id is None:
                return None, await write_token(self._db)
            self._reserved = await posting.reserve_posting(self._db, self._terms.import_id)
        touched = pl.concat(self._touched) if self._touched else None
        db, terms = self._db, self._terms
        facts = PostingFacts(
            self._caller,
            db.info.get("request_id"),
            terms.mode,
            self._tally.counts(),
            self._heads.at,
            terms.sha256,
            terms.reverts,
            () if touched is None else touched["admin_unit_id"].unique().sort().to_list(),
        )
        await posting.note_posting(db, self._reserved, facts)
        if touched is not None:
            await _audit(db, self._caller, self._reserved[1], touched)
        return self._reserved[1], self._token or await write_token(db)


async def _audit(db: Session, caller: Caller, import_id: UUID, touched: pl.DataFrame) -> None:
    """One row per unit, so that whoever answers for a unit finds every post that touched it."""
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for unit, province, outcome, count in touched.select("admin_unit", "province", "outcome", "len").iter_rows():
        counted.setdefault((unit, province), {"created": 0, "updated": 0})[outcome] += count
    deeds = [
        audit.Deed(unit, *place_of(unit, province), {"import_id": import_id, **counts})
        for (unit, province), counts in sorted(counted.items())
    ]
    await audit.record_all(db, caller, "actuals.posted", deeds)


def _result(db: Session, terms: PostTerms, tally: Tally, written: tuple[UUID | None, str]) -> PostResult:
    is_dry = bool(db.info.get("dry_run"))
    return PostResult(
        tally.counts(),
        terms.mode,
        is_dry,
        None if is_dry else written[0],
        tally.errors,
        tally.warnings,
        None if is_dry else written[1],
        clock.now(),
        tally.blank,
    )
