"""The end of every write of a plan: the header's new version, the audit row, the event, the reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.history import SetDiff
from services.plans.domain.plans import PUBLIC_STATUSES
from services.plans.domain.units import place_of
from services.plans.schemas.events import BudgetRuleSaid, PlanHeader
from services.plans.schemas.plans import PlanFields
from services.plans.service.access import as_keeper
from services.plans.store import plans as store

Row = dict[str, Any]
ANNOUNCED = tuple(name for name in PlanHeader.model_fields if name != "budget_rules")
RULE_SAID = tuple(BudgetRuleSaid.model_fields)
FIELDS = tuple(PlanFields.model_fields)


@dataclass(frozen=True, slots=True)
class Act:
    """What is stated of a plan: the event that announces it, the deed in the audit, and the reason given."""

    event_type: str
    deed: str
    reason: str | None = None


async def close(
    db: Session,
    caller: Caller,
    heads: outbox.Heads,
    headers: tuple[Mapping[str, Any] | None, Row | None],
    changes: Mapping[str, SetDiff],
    act: Act,
) -> Row:
    """Record the new header (None: nothing changed), note who did it, announce it, and answer."""
    before, after = headers
    if after is None:
        assert before is not None, "a plan that was never recorded has something new to say"
        return _answer(db, before, changes, None)
    plan_key = after["plan_key"]
    after = {**after, "version": heads.version(plan_key) + 1}
    await store.record_header(db, after, heads.at)
    units = place_of(after["admin_unit"], after["province"])
    said = (_said(before, changes), {"reason": act.reason, **(_said(after, changes) or {})})
    await audit.record(db, caller, act.deed, plan_key, units=units, change=said)
    now = await store.find_announced(db, as_keeper(caller), plan_key)
    said_to_all = {
        "client_id": caller.announced_as,
        **announced(now),
        "old": announced(before) if before else None,
        "items": items_changed(changes),
    }
    token = await outbox.append(db, heads, [_event(after, said_to_all, act)])
    return _answer(db, after, changes, token)


def announced(document: Mapping[str, Any]) -> Row:
    """The header of a document as it is announced: no signer, no remarks."""
    rules = [{**{name: rule[name] for name in RULE_SAID}, "note": None} for rule in document["budget_rules"]]
    return {**{name: document[name] for name in ANNOUNCED}, "budget_rules": rules}


def items_changed(changes: Mapping[str, SetDiff]) -> list[Row]:
    """The lists of a document with items that changed, by their keys."""
    return [
        {"name": name, "created": diff.created, "updated": diff.updated, "removed": diff.removed}
        for name, diff in changes.items()
        if name != "header" and diff.has_changes
    ]


def _event(header: Row, data: Row, act: Act) -> outbox.Event:
    province, commune = place_of(header["admin_unit"], header["province"])
    return outbox.Event(
        act.event_type,
        header["plan_key"],
        data,
        province=province,
        commune=commune,
        is_public=header["status"] in PUBLIC_STATUSES,
    )


def _said(document: Mapping[str, Any] | None, changes: Mapping[str, SetDiff]) -> Row | None:
    """What a document says in every place that changed: fields of its header, and items by list and key."""
    if document is None:
        return None
    fields = changes["header"].updated or (FIELDS if changes["header"].created else ())
    said: Row = {"header": {name: document[name] for name in fields}}
    for name, diff in changes.items():
        touched = {*diff.created, *diff.updated, *diff.removed}
        if name != "header" and touched:
            said[name] = {item["key"]: item for item in document[name] if item["key"] in touched}
    return said


def _answer(db: Session, header: Mapping[str, Any], changes: Mapping[str, SetDiff], token: str | None) -> Row:
    dry_run = bool(db.info.get("dry_run"))
    return {
        **{name: header[name] for name in ("plan_key", "plan_id", "revision", "status", "version")},
        "dry_run": dry_run,
        "changes": {name: diff.summary() for name, diff in changes.items()},
        "write_token": None if dry_run else token,
    }
