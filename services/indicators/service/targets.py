"""Targets: what a plan promises, applied as a set and kept in every version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.errors import BODY_INVALID, UNIT_NOT_COVERED, Conflict, Fault, Forbidden, NotFound, Refused
from chassis.history import SetDiff
from chassis.listing import Listing
from services.indicators.domain import rules
from services.indicators.domain.catalogue import ValueType
from services.indicators.domain.filters import TargetFilter
from services.indicators.domain.targets import PlanFacts, PlanLife, check_targets, due_window
from services.indicators.schemas.events import TARGETS_APPLIED, TargetSaid
from services.indicators.schemas.targets import TargetBody, TargetsBody
from services.indicators.service.applying import CATALOGUE, CatchUp, Terms, answer, place_of
from services.indicators.store import catalogue, replicas
from services.indicators.store import targets as store
from services.indicators.store.replicas import PlanHeader
from services.indicators.store.visibility import Viewer

_SAID = tuple(TargetSaid.model_fields)


def list_targets(viewer: Viewer, wanted: TargetFilter, known_at: datetime | None) -> Listing:
    """Targets over all plans the caller may see."""
    return store.list_targets(viewer, wanted, known_at)


async def get_targets(db: ReadSession, viewer: Viewer, plan_key: str, known_at: datetime | None) -> dict[str, Any]:
    """All targets of one plan, now with the version an edit has to name, or as they were known.

    Raises:
        NotFound: no such plan, or not one the caller may see ("target_plan_unknown").
    """
    plan = await replicas.find_visible_plan(db, viewer, plan_key, known_at)
    if plan is None:
        raise NotFound(rules.PLAN_NOT_FOLLOWED, plan_key=plan_key)
    return {
        "plan_key": plan.plan_key,
        "admin_unit": plan.admin_unit,
        "province": plan.province,
        "year": plan.year,
        "plan_status": plan.status,
        "version": None if known_at else await store.load_version(db, plan_key),
        "targets": await store.load_targets(db, viewer, plan_key, known_at),
    }


async def apply_targets(db: Session, caller: Caller, plan_key: str, body: TargetsBody, terms: Terms) -> dict[str, Any]:
    """Make a plan's targets say what the body says; what they said before stays readable.

    An unchanged set writes and announces nothing. What the body leaves out is kept unless it is pruned. Of an
    issued plan the set is added once; then it changes with an amendment of the plan, or as a stated correction.

    Raises:
        NotFound: no such plan, also after asking the plans service ("target_plan_unknown").
        Forbidden: the caller may not act for the plan's unit ("unit_not_covered").
        PreconditionFailed: the targets are not at the version asked for ("stale_version").
        Refused: faults in the body, each with its place ("body_invalid").
        Conflict: the plan is closed ("targets_plan_closed"), or was issued with other targets
            ("targets_need_amendment").
    """
    try:
        return await _apply(db, caller, plan_key, body, terms)
    except Conflict as refused:
        if refused.rule is not rules.TARGETS_NEED_AMENDMENT:
            raise
    # The amendment may have been stated a moment ago: it is asked for once, as an unknown plan is.
    await db.rollback()
    await terms.catch_up(db)
    return await _apply(db, caller, plan_key, body, terms)


async def _apply(db: Session, caller: Caller, plan_key: str, body: TargetsBody, terms: Terms) -> dict[str, Any]:
    plan = await _plan_to_write(db, caller, plan_key, terms.catch_up)
    await outbox.rely(db, [CATALOGUE])
    entries = {entry["code"]: entry for entry in await catalogue.load_entries(db)}
    heads = await outbox.lock(db, [plan_key])
    heads.require(plan_key, terms.if_match)
    before = {row["key"]: row for row in await store.load_targets(db, Viewer(caller, False), plan_key, None)}
    _refuse_faults(body, plan, entries, {} if terms.prune else before)
    after = {each.key: _row(each, place, plan, entries) for place, each in enumerate(body.targets, 1)}
    diff = await store.apply_targets(db, plan, list(after.values()), prune=terms.prune, at=heads.at)
    await _close_set(db, plan, _restated(diff, before, after), terms.correction)
    token = await _announce(db, caller, plan, (diff, heads), (before, after), terms.correction)
    return answer(db, {"targets": diff}, token, plan_key=plan_key, version=heads.version(plan_key))


def _restated(diff: SetDiff, before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """The targets that say something else than before, each with its place; another order says nothing else."""
    fields = TargetBody.model_fields
    updated = [key for key in diff.updated if any(before[key][name] != after[key][name] for name in fields)]
    places = {key: f"/targets/{place}" for place, key in enumerate(after)}
    return {key: places.get(key, "/targets") for key in (*diff.created, *updated, *diff.removed)}


async def _close_set(db: Session, plan: PlanHeader, restated: dict[str, str], correction: str | None) -> None:
    """Refuse what the plan's life does not allow; else remember for which revision the set was applied."""
    if not restated:
        return
    applied = await store.find_applied_revision(db, plan.plan_key)
    refusal = PlanLife(plan.status, plan.revision, applied).refusal(correction)
    if refusal is not None:
        faults = [
            Fault(rules.TARGET_NEEDS_AMENDMENT, {"key": key}, pointer=place, value=key)
            for key, place in restated.items()
        ]
        raise Conflict(refusal, faults=faults, plan_key=plan.plan_key)
    if correction is None:
        await store.note_applied(db, plan)


async def _plan_to_write(db: Session, caller: Caller, plan_key: str, catch_up: CatchUp) -> PlanHeader:
    viewer = Viewer(caller, shows_samples=False)
    plan = await replicas.find_visible_plan(db, viewer, plan_key)
    if plan is None:
        await catch_up(db)
        plan = await replicas.find_visible_plan(db, viewer, plan_key)
    # A draft of another unit is not even confirmed to exist.
    if plan is None:
        raise NotFound(rules.PLAN_NOT_FOLLOWED, plan_key=plan_key)
    if not caller.covers(plan.admin_unit, plan.province):
        raise Forbidden(UNIT_NOT_COVERED, admin_unit=plan.admin_unit)
    return plan


def _refuse_faults(body: TargetsBody, plan: PlanHeader, entries: dict[str, Any], kept: dict[str, Any]) -> None:
    facts = PlanFacts(
        plan.year,
        plan.admin_unit,
        {code: ValueType(entry["value_type"]) for code, entry in entries.items()},
        {code: entry["scale"] for code, entry in entries.items()},
    )
    stated = {each.key for each in body.targets}
    staying = [TargetBody(**_body(row)).promise() for key, row in kept.items() if key not in stated]
    faults = check_targets([*(each.promise() for each in body.targets), *staying], facts)
    if faults:
        raise Refused(BODY_INVALID, faults=faults)


def _body(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in TargetBody.model_fields}


def _row(body: TargetBody, place: int, plan: PlanHeader, entries: dict[str, Any]) -> dict[str, Any]:
    due = body.due
    window = due_window(due.kind if due else None, due.value if due else None, plan.year)
    return {
        **body.model_dump(),
        "position": place,
        "indicator_id": entries[body.indicator]["indicator_id"],
        "due_kind": due.kind if due else None,
        "due_value": due.value if due else None,
        "due_from": window.starts_on,
        "due_on": window.ends_on,
    }


async def _announce(
    db: Session,
    caller: Caller,
    plan: PlanHeader,
    done: tuple[SetDiff, outbox.Heads],
    sides: tuple[dict[str, Any], dict[str, Any]],
    reason: str | None,
) -> str:
    diff, heads = done
    changes = [_change(key, sides) for key in (*diff.created, *diff.updated, *diff.removed)]
    if changes:
        before, after = ({each["key"]: each[side] for each in changes} for side in ("old", "new"))
        units = place_of(plan.admin_unit, plan.province)
        said = ({"targets": before}, {"reason": reason, "targets": after})
        await audit.record(db, caller, "targets.applied", plan.plan_key, units=units, change=said)
    return await outbox.append(db, heads, [_event(plan, caller, part) for part in outbox.parts_of(changes)])


def _change(key: str, sides: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    old, new = (side.get(key) for side in sides)
    return {"key": key, "old": old and _said(old), "new": new and _said(new)}


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SAID}


def _event(plan: PlanHeader, caller: Caller, changes: list[dict[str, Any]]) -> outbox.Event:
    about = {"plan_key": plan.plan_key, "admin_unit": plan.admin_unit, "client_id": caller.announced_as}
    data = {**about, "changes": changes}
    place = place_of(plan.admin_unit, plan.province)
    return outbox.Event(
        TARGETS_APPLIED,
        plan.plan_key,
        data,
        *place,
        is_public=plan.is_public,
    )
