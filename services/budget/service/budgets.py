"""What happens to budgets: a plan's lines and groups are applied, read back, totalled and checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.errors import (
    BODY_INVALID,
    UNIT_NOT_COVERED,
    Conflict,
    Fault,
    Forbidden,
    NotFound,
    Refused,
)
from chassis.listing import Listing
from services.budget import store
from services.budget.domain.filters import Dimension, LineFilter, PlanFilter, Scope
from services.budget.domain.judging import CHECK_FIELDS, judge_plan
from services.budget.domain.lines import group_faults, line_faults, named_offices, office_faults, total_faults
from services.budget.domain.plan_life import PlanLife
from services.budget.domain.rules import BUDGET_ITEM_NEEDS_AMENDMENT, BUDGET_NEEDS_AMENDMENT, BUDGET_PLAN_UNKNOWN
from services.budget.domain.sets import budget_sets
from services.budget.schemas.bodies import BudgetBody
from services.budget.schemas.events import LINES_APPLIED

CatchUp = Callable[[Session], Awaitable[None]]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a set is applied: pruned or not, upon one version or any, as a correction and why; who fetches news."""

    catch_up: CatchUp
    prune: bool = False
    if_match: int | None = None
    correction: str | None = None


async def apply_budget(db: Session, caller: Caller, plan_key: str, body: BudgetBody, terms: Terms) -> dict[str, Any]:
    """Make a plan's lines, groups and cells say what the body says; what they said before stays readable.

    An unchanged set writes and announces nothing. What the body leaves out is kept unless it is pruned. Of an
    issued plan the budget is added once; then it changes with an amendment of the plan, or as a stated correction.

    Raises:
        NotFound: no such plan, also after asking the plans service ("budget_plan_unknown").
        Forbidden: the caller may not act for the plan's unit ("unit_not_covered").
        PreconditionFailed: the budget is not at the version asked for ("stale_version").
        Refused: faults in the body, each with its place ("body_invalid").
        Conflict: the plan is closed ("budget_plan_closed"), or was issued with another budget
            ("budget_needs_amendment").
    """
    try:
        return await _apply(db, caller, plan_key, body, terms)
    except Conflict as refused:
        if refused.rule is not BUDGET_NEEDS_AMENDMENT:
            raise
    # The amendment may have been stated a moment ago: it is asked for once, as an unknown plan is.
    await db.rollback()
    await terms.catch_up(db)
    return await _apply(db, caller, plan_key, body, terms)


async def _apply(db: Session, caller: Caller, plan_key: str, body: BudgetBody, terms: Terms) -> dict[str, Any]:
    given = body.model_dump()
    plan, offices = await _plan_and_offices(db, caller, plan_key, named_offices(given["lines"]), terms.catch_up)
    faults = [*line_faults(given["lines"]), *office_faults(given["lines"], plan.admin_unit, offices)]
    heads = await outbox.lock(db, [plan_key])
    heads.require(plan_key, terms.if_match)
    kept = {} if terms.prune else await store.load_amounts(db, plan)
    faults += [*group_faults(given["groups"], _line_keys(given, kept)), *total_faults(given, kept)]
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    sets = budget_sets(given, plan.year)
    diffs = await store.apply_sets(db, plan, sets, prune=terms.prune, at=heads.at)
    changed = [name for name, diff in diffs.items() if diff.has_changes]
    changes = [change for name in changed for change in await store.load_changes(db, plan, name, heads.at)]
    await _close_set(db, plan, changes, terms.correction)
    token = await _announce(db, caller, plan, (changes, heads), terms.correction)
    is_dry = bool(db.info.get("dry_run"))
    return {
        "plan_key": plan_key,
        "admin_unit": plan.admin_unit,
        "dry_run": is_dry,
        "changes": {name: diff.summary() for name, diff in diffs.items()},
        "version": heads.version(plan_key),
        "write_token": None if is_dry else token,
    }


async def _close_set(db: Session, plan: store.Plan, changes: Rows, correction: str | None) -> None:
    """Refuse what the plan's life does not allow; else remember for which revision the budget was applied.

    Another place in the order says nothing else.
    """
    restated = [change for change in changes if change["old"] != change["new"]]
    if not restated:
        return
    refusal = PlanLife(plan.status, plan.revision, await store.find_applied_revision(db, plan)).refusal(correction)
    if refusal is not None:
        faults = [_fault(change["set"], change["key"]) for change in restated]
        raise Conflict(refusal, faults=faults, plan_key=plan.plan_key)
    if correction is None:
        await store.note_applied(db, plan)


def _fault(name: str, key: str) -> Fault:
    return Fault(BUDGET_ITEM_NEEDS_AMENDMENT, {"field": name, "key": key}, pointer=f"/{name}", value=key)


async def _plan_and_offices(
    db: Session, caller: Caller, plan_key: str, named: Set[str], catch_up: CatchUp
) -> tuple[store.Plan, Mapping[str, str]]:
    """The plan to write to, and the offices it may name; what nobody has told of is asked for once."""
    plan, offices = await _find_plan_and_offices(db, caller, plan_key)
    if plan is None or named - set(offices.values()):
        await catch_up(db)
        plan, offices = await _find_plan_and_offices(db, caller, plan_key)
    # A draft of another unit is not even confirmed to exist.
    if plan is None:
        raise NotFound(BUDGET_PLAN_UNKNOWN, plan_key=plan_key)
    return plan, offices


async def _find_plan_and_offices(
    db: Session, caller: Caller, plan_key: str
) -> tuple[store.Plan | None, Mapping[str, str]]:
    plan = await store.find_visible_plan(db, caller, plan_key)
    if plan is None:
        return None, {}
    if not caller.covers(plan.admin_unit, plan.province):
        raise Forbidden(UNIT_NOT_COVERED, admin_unit=plan.admin_unit)
    return plan, await store.load_offices(db, [plan.admin_unit, plan.province])


def _line_keys(given: Mapping[str, Any], kept: Mapping[str, Mapping[str, int]]) -> list[str]:
    return sorted({line["key"] for line in given["lines"]} | set(kept.get("lines", {})))


async def _announce(
    db: Session, caller: Caller, plan: store.Plan, done: tuple[Rows, outbox.Heads], reason: str | None
) -> str | None:
    changes, heads = done
    if not changes:
        return None
    before, after = ({f"{each['set']}/{each['key']}": each[side] for each in changes} for side in ("old", "new"))
    units = (plan.province, None if plan.admin_unit == plan.province else plan.admin_unit)
    said = (before, {"reason": reason, **after})
    await audit.record(db, caller, "budget.applied", plan.plan_key, units=units, change=said)
    parts = outbox.parts_of([_announced(change) for change in changes])
    return await outbox.append(db, heads, [_event(plan, caller, part) for part in parts])


_ANNOUNCED = {
    "lines": ("amount_vnd", "expenditure_kind", "pillar", "budget_years"),
    "groups": ("amount_vnd", "pillars"),
    "cells": ("amount_vnd", "group_key", "lines"),
}


def _announced(change: dict[str, Any]) -> dict[str, Any]:
    """A change as everybody hears it: the money and what it is for, no remarks."""
    sides = {side: change[side] for side in ("old", "new")}
    fields = _ANNOUNCED[change["set"]]
    return {**change, **{side: said and {field: said[field] for field in fields} for side, said in sides.items()}}


def _event(plan: store.Plan, caller: Caller, changes: Rows) -> outbox.Event:
    is_public = plan.public_from is not None
    data = {"plan_key": plan.plan_key, "admin_unit": plan.admin_unit, "province": plan.province, "year": plan.year}
    return outbox.Event(
        type=LINES_APPLIED,
        subject=plan.plan_key,
        data={**data, "client_id": caller.announced_as, "changes": changes},
        province=plan.province,
        commune=plan.admin_unit,
        is_public=is_public,
    )


async def get_budget(
    db: ReadSession, caller: Caller, plan_key: str, known_at: datetime | None
) -> tuple[dict[str, Any], int | None]:
    """The whole budget of one plan: now, with the version an edit has to name, or as it was known.

    Raises:
        NotFound: no such plan, or not one the caller may see ("budget_plan_unknown").
    """
    plan = await store.find_visible_plan(db, caller, plan_key, known_at)
    if plan is None:
        raise NotFound(BUDGET_PLAN_UNKNOWN, plan_key=plan_key)
    lines = await store.load_lines(db, caller, plan, known_at)
    document = {
        "plan_key": plan.plan_key,
        "admin_unit": plan.admin_unit,
        "province": plan.province,
        "year": plan.year,
        "plan_status": plan.status,
        "has_budget": bool(lines),
        "stated_total_vnd": plan.budget_total_vnd,
        "amount_vnd": sum(line["amount_vnd"] for line in lines),
        "lines": lines,
        "groups": await store.load_groups(db, caller, plan, known_at),
    }
    return document, None if known_at else await store.load_version(db, plan_key)


def list_lines(caller: Caller, plans: PlanFilter, lines: LineFilter, known_at: datetime | None) -> Listing:
    """Lines over all plans the caller may see."""
    return store.list_lines(caller, plans, lines, known_at)


def list_groups(caller: Caller, plans: PlanFilter, words: str | None, known_at: datetime | None) -> Listing:
    """Groups with their cells over all plans the caller may see."""
    return store.list_groups(caller, plans, words, known_at)


def list_totals(
    caller: Caller, by: Dimension, per: Scope, wanted: tuple[PlanFilter, LineFilter], known_at: datetime | None
) -> Listing:
    """What lines add up to, by one dimension."""
    return store.list_totals(caller, by, per, wanted, known_at)


def list_checks(caller: Caller, plans: PlanFilter, known_at: datetime | None) -> Listing:
    """Every plan with its sums and its own rules checked; a plan without a budget says so."""
    return store.list_facts(caller, plans, known_at, CHECK_FIELDS, judge_plan)
