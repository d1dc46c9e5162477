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
from services.plans.domain.units import COMMUNE_CODE_LENGTH
from services.plans.schemas.events import PlanChanged
from services.plans.service.access import as_keeper
from services.plans.store import plans as store

Row = dict[str, Any]
ANNOUNCED = tuple(PlanChanged.model_fields)


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
    units = (after["province"], _commune(after))
    old = {name: before[name] for name in changes["header"].updated} if before else None
    new = {"reason": act.reason, "header": {name: after[name] for name in changes["header"].updated}}
    summary = {name: diff.summary() for name, diff in changes.items() if diff.has_changes}
    await audit.record(db, caller, act.deed, plan_key, units=units, change=(old, {**new, "changes": summary}))
    token = await outbox.append(db, heads, [await _event(db, caller, after, act)])
    return _answer(db, after, changes, token)


async def _event(db: Session, caller: Caller, header: Row, act: Act) -> outbox.Event:
    announced = await store.find_announced(db, as_keeper(caller), header["plan_key"])
    return outbox.Event(
        act.event_type,
        header["plan_key"],
        {name: announced[name] for name in ANNOUNCED},
        province=header["province"],
        commune=_commune(header),
        is_public=header["status"] in PUBLIC_STATUSES,
    )


def _commune(header: Mapping[str, Any]) -> str | None:
    unit: str = header["admin_unit"]
    return unit if len(unit) == COMMUNE_CODE_LENGTH else None


def _answer(db: Session, header: Mapping[str, Any], changes: Mapping[str, SetDiff], token: str | None) -> Row:
    dry_run = bool(db.info.get("dry_run"))
    return {
        **{name: header[name] for name in ("plan_key", "plan_id", "revision", "status", "version")},
        "dry_run": dry_run,
        "changes": {name: diff.summary() for name, diff in changes.items()},
        "write_token": None if dry_run else token,
    }
