"""The life of a plan: issued, amended, closed. Each is a stated act, never guessed from a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chassis import clock, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.errors import BODY_INVALID, Conflict, Fault, NotFound, Refused
from services.plans.domain.plans import PlanAct, PlanStatus, issue_faults, refusal_of
from services.plans.domain.rules import PLAN_FIELD_ALREADY_STATED, PLAN_UNKNOWN
from services.plans.schemas.events import PLAN_AMENDED, PLAN_CLOSED, PLAN_ISSUED
from services.plans.schemas.plans import LISTS, AmendBody, CloseBody, IssueBody
from services.plans.service.access import as_keeper
from services.plans.service.announcing import Act, close
from services.plans.service.plans import (
    Change,
    header_diff,
    plain,
    read_key,
    refuse_faults,
    rely_on_unit,
    write_document,
)
from services.plans.store import plans as store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A plan held for an act: its lock and what is stored of it."""

    heads: outbox.Heads
    stored: Row
    province: str

    @property
    def header(self) -> Row:
        """The stored header, under the province the unit belongs to now."""
        header = {name: value for name, value in self.stored.items() if name not in LISTS}
        return {**header, "province": self.province}


async def issue_plan(db: Session, caller: Caller, plan_key: str, body: IssueBody, version: int | None) -> Row:
    """State that a plan has been issued: from now on it is public.

    A number or day that the draft leaves blank may be given here; one that stays blank must be named in
    `blank_in_source`.

    Raises:
        Forbidden, PreconditionFailed: as for every write of a plan.
        NotFound: no such plan ("plan_unknown").
        Conflict: issued already ("plan_already_issued"), or a field says otherwise ("plan_field_already_stated").
        Refused: a blank nobody explained ("plan_blank_unstated"), or a day to come ("plan_issued_in_future").
    """
    held = await _hold(db, caller, plan_key, PlanAct.ISSUE, version)
    header = held.header
    given = body.model_dump(exclude_none=True)
    for field, value in given.items():
        if header[field] is not None and plain(header[field]) != plain(value):
            raise Conflict(PLAN_FIELD_ALREADY_STATED, field=field, stated=header[field], value=value)
    header |= given
    faults = list(issue_faults(header, clock.today()))
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    header["status"] = PlanStatus.ISSUED
    return await _state(db, caller, held, header, Act(PLAN_ISSUED, "plan.issue"))


async def amend_plan(
    db: Session, caller: Caller, plan_key: str, body: AmendBody, *, prune: bool, version: int | None
) -> Row:
    """State that a plan has been amended: by which document, why, and how it reads now.

    The plan's next revision; the one before stays readable with `revision` or `known_at`.

    Raises:
        Forbidden, PreconditionFailed, NotFound: as for every act.
        Conflict: the plan is not in force ("plan_not_in_force").
        Refused: faults of the document, each with its place ("body_invalid").
    """
    held = await _hold(db, caller, plan_key, PlanAct.AMEND, version)
    key = read_key(plan_key)
    try:
        await refuse_faults(db, key, held.province, body.plan)
    except Refused as refused:
        raise _inside(refused, "/plan") from refused
    header = {
        **held.header,
        "revision": held.stored["revision"] + 1,
        "status": PlanStatus.AMENDED,
        "amendment": body.amendment.model_dump(),
    }
    act = Act(PLAN_AMENDED, "plan.amend", body.amendment.reason_vi)
    return await write_document(db, caller, held.heads, Change(header, held.stored, body.plan, act, prune=prune))


async def close_plan(db: Session, caller: Caller, plan_key: str, body: CloseBody, version: int | None) -> Row:
    """State that a plan is closed: it stays public and readable, and says nothing new.

    Raises:
        Forbidden, PreconditionFailed, NotFound: as for every act.
        Conflict: the plan is not in force ("plan_not_in_force").
    """
    held = await _hold(db, caller, plan_key, PlanAct.CLOSE, version)
    closing = {"closed_on": body.closed_on or clock.today(), "reason_vi": body.reason_vi}
    header = {**held.header, "status": PlanStatus.CLOSED, "closing": closing}
    return await _state(db, caller, held, header, Act(PLAN_CLOSED, "plan.close", body.reason_vi))


async def _hold(db: Session, caller: Caller, plan_key: str, act: PlanAct, version: int | None) -> Held:
    province = await rely_on_unit(db, caller, read_key(plan_key), None)
    heads = await outbox.lock(db, [plan_key])
    stored = await store.find_document(db, as_keeper(caller), plan_key)
    if stored is None:
        raise NotFound(PLAN_UNKNOWN, plan_key=plan_key)
    heads.require(plan_key, version)
    refusal = refusal_of(act, PlanStatus(stored["status"]))
    if refusal is not None:
        raise Conflict(refusal, plan_key=plan_key, status=stored["status"])
    return Held(heads, stored, province)


async def _state(db: Session, caller: Caller, held: Held, header: Row, act: Act) -> Row:
    changes = {"header": header_diff(held.stored, header)}
    return await close(db, caller, held.heads, (held.stored, header), changes, act)


def _inside(refused: Refused, prefix: str) -> Refused:
    """The same refusal with its places under the part of the body where the document stands."""
    faults = [
        Fault(fault.rule, fault.values, pointer=f"{prefix}{fault.pointer}", value=fault.value)
        for fault in refused.faults
    ]
    return Refused(refused.rule, faults=faults)
