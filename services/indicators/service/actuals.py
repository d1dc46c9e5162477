"""Figures: posted by rows, judged, settled against what is stored, kept with their history, and announced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis import audit, clock, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.errors import Fault, Refused, TooLarge
from chassis.listing import Listing
from services.indicators.domain import rules
from services.indicators.domain.actuals.judging import Judged, duplicates, judge, warn
from services.indicators.domain.actuals.reading import MAX_ROWS, SAMPLE, Row, read_rows
from services.indicators.domain.actuals.settling import Outcome, Settled, announced, settle
from services.indicators.domain.filters import ActualFilter
from services.indicators.schemas.events import ACTUALS_POSTED
from services.indicators.service.applying import CATALOGUE, REGIMES, CatchUp, place_of
from services.indicators.service.refusing import refuse_unresolved
from services.indicators.store import figures, posting
from services.indicators.store.posting import Key, PostingFacts, Resolved
from services.indicators.store.visibility import Viewer


class Mode(StrEnum):
    """All or nothing, or what is good."""

    ATOMIC = "atomic"
    PARTIAL = "partial"


class OnStale(StrEnum):
    """What happens to a row that is older than what is stored."""

    REFUSE = "refuse"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class PostTerms:
    """How rows are posted, and who fetches news of units."""

    catch_up: CatchUp
    takes_samples: bool
    mode: Mode = Mode.ATOMIC
    on_stale: OnStale = OnStale.REFUSE


@dataclass(slots=True)
class Post:
    """One post under way: its rows, what they stand for, and every fault so far."""

    caller: Caller
    received: int
    rows: list[Row]
    faults: list[Fault]
    resolved: dict[int, Resolved] = field(default_factory=dict)
    warnings: list[Fault] = field(default_factory=list)
    repeats: int = 0
    settled: list[Settled] = field(default_factory=list)

    def drop_refused(self) -> None:
        """Leave out the rows that have a fault."""
        refused = self.refused
        self.rows = [row for row in self.rows if row.number not in refused]

    @property
    def refused(self) -> set[int | None]:
        """The numbers of refused rows."""
        return {fault.row for fault in self.faults}

    def count(self, outcome: Outcome) -> int:
        """How many rows came to an outcome."""
        return sum(one.outcome is outcome for one in self.settled)

    def key(self, settled: Settled) -> Key:
        """The key of a settled row."""
        return self.resolved[settled.judged.row.number].key

    @property
    def changed(self) -> list[Settled]:
        """The rows that write something."""
        return [one for one in self.settled if one.outcome in (Outcome.CREATED, Outcome.UPDATED)]

    @property
    def provinces(self) -> dict[str, str | None]:
        """The units that something is written for, with their provinces."""
        rows = [one.judged.row for one in self.changed]
        return {row.admin_unit: self.resolved[row.number].province for row in rows}


@dataclass(frozen=True, slots=True)
class PostResult:
    """What became of a post; faults and warnings are worded at the border."""

    counts: dict[str, int]
    mode: Mode
    is_dry_run: bool
    import_id: UUID | None
    errors: Sequence[Fault]
    warnings: Sequence[Fault]
    write_token: str | None


def list_actuals(viewer: Viewer, wanted: ActualFilter, known_at: datetime | None) -> Listing:
    """Figures in force, now or at a moment."""
    return figures.list_actuals(viewer, wanted, known_at)


def list_history(viewer: Viewer, wanted: ActualFilter) -> Listing:
    """Every version of the figures, withdrawals included."""
    return figures.list_history(viewer, wanted)


async def post_actuals(db: Session, caller: Caller, cells: Any, terms: PostTerms) -> PostResult:
    """Record figures: rows are read, resolved, judged, settled against what is stored, written and announced.

    Atomic posts write all rows or none; partial ones write the good rows. A row that says what is stored is
    unchanged: neither written nor announced. The number of statements does not depend on the number of rows.

    Raises:
        Refused: the body is no list of rows ("actuals_not_rows"), or an atomic post has a refused row
            ("actuals_refused", with every fault of every row).
        TooLarge: more than 1,000 rows ("actuals_too_many").
    """
    post = _read(caller, cells, terms)
    await _resolve(db, post, terms)
    judged = _judge(post)
    heads = await _settle(db, post, judged, terms)
    if post.faults and terms.mode is Mode.ATOMIC:
        faults = sorted(post.faults, key=lambda fault: fault.row or 0)
        raise Refused(rules.ACTUALS_REFUSED, faults=faults, refused=len(post.refused), received=post.received)
    import_id, token = await _write(db, post, heads, terms)
    return _result(db, post, terms, (import_id, token))


def _read(caller: Caller, cells: Any, terms: PostTerms) -> Post:
    rows = cells.get("actuals") if isinstance(cells, dict) and set(cells) == {"actuals"} else cells
    if not isinstance(rows, list):
        raise Refused(rules.ACTUALS_NOT_ROWS)
    if len(rows) > MAX_ROWS:
        raise TooLarge(rules.ACTUALS_TOO_MANY, limit_rows=MAX_ROWS, rows=len(rows))
    read, faults = read_rows(rows)
    if not terms.takes_samples:
        samples = [row for row in read if row.source == SAMPLE]
        faults += [Fault(rules.SAMPLES_REFUSED, row=row.number, column="source", value=SAMPLE) for row in samples]
    return Post(caller, len(rows), read, faults)


async def _resolve(db: Session, post: Post, terms: PostTerms) -> None:
    if not post.rows:
        return
    await outbox.rely(db, [CATALOGUE, REGIMES])
    post.resolved = await posting.resolve(db, post.rows)
    if any(found.admin_unit_id is None for found in post.resolved.values()):
        await terms.catch_up(db)
        await outbox.rely(db, [CATALOGUE, REGIMES])
        post.resolved = await posting.resolve(db, post.rows)
    told = {(fault.row, fault.column) for fault in post.faults}
    found = await refuse_unresolved(db, post.caller, post.rows, post.resolved)
    post.faults += [fault for fault in found if (fault.row, fault.column) not in told]
    post.drop_refused()


def _judge(post: Post) -> list[Judged]:
    today, passed = clock.today(), []
    for row in post.rows:
        found = post.resolved[row.number]
        assert found.measured is not None
        assert found.span is not None
        judged, faults = judge(row, found.measured, found.span, today)
        post.faults += faults
        if judged is not None:
            passed.append(judged)
            post.warnings += warn(judged, found.measured)
    keys = {row.number: post.resolved[row.number].key for row in post.rows}
    kept, post.repeats, contradictions = duplicates(passed, keys)
    post.faults += contradictions
    return kept


async def _settle(db: Session, post: Post, judged: Sequence[Judged], terms: PostTerms) -> outbox.Heads | None:
    if not judged:
        return None
    heads = await outbox.lock(db, {one.row.admin_unit for one in judged})
    keys = [post.resolved[one.row.number].key for one in judged]
    stored = await posting.load_stored(db, keys)
    for one, key in zip(judged, keys, strict=True):
        settled = settle(one, stored.get(key))
        is_refused = settled.outcome is Outcome.REFUSED
        if settled.fault and (is_refused or terms.on_stale is OnStale.REFUSE):
            post.faults.append(settled.fault)
        else:
            post.warnings += [settled.fault] if settled.fault else []
            post.settled.append(settled)
    return heads


async def _write(db: Session, post: Post, heads: outbox.Heads | None, terms: PostTerms) -> tuple[UUID | None, str]:
    if heads is None or not post.changed:
        return None, await outbox.write_token(db)
    facts = PostingFacts(post.caller, db.info.get("request_id"), terms.mode, post.received, heads.at)
    number, import_id = await posting.open_posting(db, facts)
    await posting.write_figures(db, [(post.key(one), one) for one in post.changed], number, heads.at)
    events = _events(post, import_id)
    await _audit(db, post, import_id)
    return import_id, await outbox.append(db, heads, events)


def _events(post: Post, import_id: UUID) -> list[outbox.Event]:
    """One event per unit, samples (public in the demo) apart from what is restricted, long ones in parts."""
    told: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for one in post.changed:
        row, found = one.judged.row, post.resolved[one.judged.row.number]
        key = {
            "indicator": row.indicator,
            "sub_population": row.sub_population or None,
            "regime": found.regime,
            "period": row.period,
        }
        told.setdefault((row.admin_unit, _is_sample(one)), []).append(announced(one, key))
    provinces = post.provinces
    return [
        outbox.Event(
            ACTUALS_POSTED,
            unit,
            {
                "admin_unit": unit,
                "import_id": import_id,
                "client_id": None if is_sample else post.caller.client_id,
                "source": SAMPLE if is_sample else None,
                "changes": part,
            },
            *place_of(unit, provinces[unit]),
            is_public=is_sample,
        )
        for (unit, is_sample), changes in sorted(told.items())
        for part in outbox.parts_of(changes)
    ]


def _is_sample(settled: Settled) -> bool:
    # A sample figure that a real one replaces says something about the real one: restricted.
    stored = settled.stored
    old = stored is None or stored.is_withdrawn or stored.source == SAMPLE
    return old and (settled.is_withdrawal or settled.judged.row.source == SAMPLE)


async def _audit(db: Session, post: Post, import_id: UUID) -> None:
    """One row per unit, so that whoever answers for a unit finds every post that touched it."""
    changed = Counter((one.judged.row.admin_unit, one.outcome) for one in post.changed)
    deeds = [
        audit.Deed(
            unit,
            *place_of(unit, province),
            {
                "import_id": import_id,
                "created": changed[unit, Outcome.CREATED],
                "updated": changed[unit, Outcome.UPDATED],
            },
        )
        for unit, province in sorted(post.provinces.items())
    ]
    await audit.record_all(db, post.caller, "actuals.posted", deeds)


def _result(db: Session, post: Post, terms: PostTerms, written: tuple[UUID | None, str]) -> PostResult:
    outcomes = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.STALE)
    counts = {outcome.value: post.count(outcome) for outcome in outcomes}
    is_dry = bool(db.info.get("dry_run"))
    return PostResult(
        {"received": post.received, **counts, "duplicates": post.repeats, "refused": len(post.refused)},
        terms.mode,
        is_dry,
        None if is_dry else written[0],
        sorted(post.faults, key=lambda fault: fault.row or 0),
        sorted(post.warnings, key=lambda fault: fault.row or 0),
        None if is_dry else written[1],
    )
