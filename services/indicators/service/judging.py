"""A lot of rows from its cells to its verdict, with what the database has to say of its codes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import polars as pl

from chassis import clock, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.tabular import Findings, Table, Values
from services.indicators.domain.actuals import judging, resolving
from services.indicators.domain.actuals.reading import left_blank, read_names, read_rows
from services.indicators.domain.actuals.resolving import Codes
from services.indicators.service.applying import CATALOGUE, REGIMES
from services.indicators.service.refusing import refuse_strangers
from services.indicators.service.terms import OnBlank, PostTerms, Tally
from services.indicators.store import posting


@dataclass(frozen=True, slots=True)
class Judged:
    """The sound rows of a lot in stored form, and whether news of units were fetched for them."""

    frame: pl.DataFrame
    has_news: bool


async def judge_lot(
    db: Session,
    caller: Caller,
    table: Table,
    state: tuple[PostTerms, Tally],
    meanwhile: Callable[[pl.DataFrame, Codes], Awaitable[None]],
) -> Judged:
    """Judge rows; their faults go into the tally. `meanwhile` may ask the database for more beside it."""
    terms, tally = state
    names = await asyncio.to_thread(read_names, table)
    finding = asyncio.create_task(_codes(db, names.frame, terms))
    judging_rows = asyncio.create_task(_read_and_judge(caller, table, names, finding, state))
    try:
        codes, has_news = await finding
        await meanwhile(names.frame, codes)
    finally:
        values, found, verdict = await judging_rows
    known = values.findings
    if verdict is None:
        known = Findings.together([known, await refuse_strangers(db, found)])
        verdict = await asyncio.to_thread(_judge_found, found, codes, caller, known)
    tally.refuse(known, verdict.findings)
    tally.warnings.add(verdict.warnings)
    return Judged(verdict.frame, has_news)


async def _read_and_judge(
    caller: Caller, table: Table, names: Values, finding: Awaitable[tuple[Codes, bool]], state: tuple[PostTerms, Tally]
) -> tuple[Values, pl.DataFrame, judging.Verdict | None]:
    """Read rows while the database finds what their codes stand for, then judge them by that."""
    terms, tally = state
    values = await asyncio.to_thread(read_rows, table, names, terms.style, takes_samples=terms.takes_samples)
    if terms.on_blank is OnBlank.SKIP:
        values = _without_blanks(values, tally)
    codes, _ = await finding
    return values, *await asyncio.to_thread(_judge, values, codes, caller)


def _without_blanks(values: Values, tally: Tally) -> Values:
    blank = left_blank(values)
    tally.blank += len(blank)
    tally.received -= len(blank)
    return Values(values.frame.filter(~pl.col("row").is_in(blank.implode())), values.findings)


async def _codes(db: Session, frame: pl.DataFrame, terms: PostTerms) -> tuple[Codes, bool]:
    """What the codes of rows stand for, and whether news of units were fetched for that."""
    named = resolving.named_in(frame)
    await outbox.rely(db, [CATALOGUE, REGIMES])
    codes = await posting.load_codes(db, named)
    has_news = terms.catch_up is not None and len(codes.units) < len(named.admin_units)
    if terms.catch_up is not None and has_news:
        await terms.catch_up(db)
        await outbox.rely(db, [CATALOGUE, REGIMES])
        codes = await posting.load_codes(db, named)
    return codes, has_news


def _judge(values: Values, codes: Codes, caller: Caller) -> tuple[pl.DataFrame, judging.Verdict | None]:
    """Rows with what their codes stand for, and the verdict on them; none yet where a code stands for nothing: its
    row gets advice first, from the database.
    """
    found = resolving.resolve(values.frame, codes)
    if any(resolving.strangers(found)):
        return found, None
    return found, _judge_found(found, codes, caller, values.findings)


def _judge_found(found: pl.DataFrame, codes: Codes, caller: Caller, known: Findings) -> judging.Verdict:
    refused = resolving.refuse_codes(found, codes, caller.admin_units)
    sound = judging.without(found, Findings.together([known, refused]))
    verdict = judging.judge_rows(sound, clock.today())
    findings = Findings.together([refused, verdict.findings])
    return judging.Verdict(verdict.frame, findings, verdict.warnings)
