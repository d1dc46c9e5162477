"""One plan: read as the caller may see it, recorded as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec

from chassis import outbox
from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.errors import BODY_INVALID, Conflict, Fault, NotFound, Refused
from chassis.history import SetDiff
from chassis.replies import encode
from services.plans.domain.filters import AsKnown
from services.plans.domain.items import item_faults
from services.plans.domain.plans import (
    IN_FORCE,
    Content,
    PlanKey,
    PlanStatus,
    amendment_faults,
    key_faults,
    parse_plan_key,
    planned_days,
)
from services.plans.domain.rules import (
    PLAN_CLOSED,
    PLAN_KEY_INVALID,
    PLAN_NEEDS_AMENDMENT,
    PLAN_REVISION_UNKNOWN,
    PLAN_UNKNOWN,
    UNIT_NOT_VALID,
    UNIT_UNKNOWN,
)
from services.plans.domain.units import PROVINCE_TYPES
from services.plans.schemas.events import PLAN_RECORDED
from services.plans.schemas.plans import LISTS, PlanBody, PlanFields
from services.plans.service.access import as_keeper, require_cover
from services.plans.service.announcing import Act, close
from services.plans.service.offices import KINDS, load_known, offices_of
from services.plans.service.units import UNITS, find_unit
from services.plans.store import plans as store

Row = dict[str, Any]
FIELDS = tuple(PlanFields.model_fields)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a document is to be applied: removing what it leaves out, on which version, as a correction and why."""

    prune: bool = False
    version: int | None = None
    correction: str | None = None


async def get_plan(db: ReadSession, caller: Caller, plan_key: str, asked: AsKnown) -> Row:
    """A whole plan: now, as known at a moment, or the last state of a revision.

    Raises:
        NotFound: no such plan ("plan_unknown") or revision ("plan_revision_unknown"), or not for the caller's eyes.
    """
    found = await store.find_document(db, caller, plan_key, asked)
    if found is None and asked.revision is not None:
        raise NotFound(PLAN_REVISION_UNKNOWN, plan_key=plan_key, revision=asked.revision)
    if found is None:
        raise NotFound(PLAN_UNKNOWN, plan_key=plan_key)
    return found


async def apply_plan(db: Session, caller: Caller, plan_key: str, body: PlanBody, terms: Terms) -> Row:
    """Record the whole document of a plan; what it already says is neither written nor announced.

    A draft changes freely. Of a plan that was issued only blanks of the source are filled in and connections of
    external systems told, unless a correction of the record is stated with its reason.

    Raises:
        Forbidden: the token does not cover the unit ("unit_not_covered").
        PreconditionFailed: the plan changed since the version asked for ("stale_version").
        Refused: faults of the document, each with its place ("body_invalid"), or a key of the wrong form.
        Conflict: the plan is closed ("plan_closed"), or an issued plan says something new ("plan_needs_amendment").
    """
    key = read_key(plan_key)
    province = await rely_on_unit(db, caller, key, body.phase)
    heads = await outbox.lock(db, [plan_key])
    heads.require(plan_key, terms.version)
    stored = await store.find_document(db, as_keeper(caller), plan_key)
    await refuse_faults(db, key, province, body)
    if stored is not None and stored["status"] in IN_FORCE and terms.correction is None:
        _refuse_amendment(stored, body, prune=terms.prune)
    header = {**(stored or new_header(key)), "province": province}
    act = Act(PLAN_RECORDED, "plan.record", terms.correction)
    return await write_document(db, caller, heads, Change(header, stored, body, act, prune=terms.prune))


@dataclass(frozen=True, slots=True)
class Change:
    """A document to write: the header it starts from, what is stored, what is given, and the act that is stated."""

    header: Row
    stored: Row | None
    body: PlanBody
    act: Act
    prune: bool


async def write_document(db: Session, caller: Caller, heads: outbox.Heads, change: Change) -> Row:
    """Write header and lists of a document as far as they differ, and announce the act."""
    scope = {"admin_unit": change.header["admin_unit"], "plan_key": change.header["plan_key"]}
    lists = await store.apply_items(db, scope, change.body.lists(), prune=change.prune, at=heads.at)
    header = {**change.header, **change.body.header(), **change.body.lists()}
    diff = header_diff(change.stored, header)
    changes = {"header": diff, **lists}
    has_changes = any(part.has_changes for part in changes.values())
    if has_changes and header["status"] == PlanStatus.CLOSED:
        raise Conflict(PLAN_CLOSED, plan_key=header["plan_key"])
    return await close(db, caller, heads, (change.stored, header if has_changes else None), changes, change.act)


def header_diff(stored: Mapping[str, Any] | None, header: Mapping[str, Any]) -> SetDiff:
    """Which fields of a header change."""
    if stored is None:
        return SetDiff(created=[header["plan_key"]])
    names = [name for name in header if name not in (*LISTS, "version", "recorded_at", "public_from")]
    changed = [name for name in names if plain(header[name]) != plain(stored[name])]
    return SetDiff(updated=changed, unchanged=[name for name in names if name not in changed])


def read_key(plan_key: str) -> PlanKey:
    """The parts of a plan's key.

    Raises:
        Refused: not of the form ("plan_key_invalid").
    """
    key = parse_plan_key(plan_key)
    if key is None:
        raise Refused(PLAN_KEY_INVALID, plan_key=plan_key)
    return key


async def rely_on_unit(db: Session, caller: Caller, key: PlanKey, phase: str | None) -> str:
    """Let the caller write the plan of a unit, which with all offices a plan may name stays until it is written.

    Answers the unit's province.

    Raises:
        Forbidden, Refused: as `require_plan_cover`.
    """
    await outbox.rely(db, [UNITS])
    province = await require_plan_cover(db, caller, key, phase)
    await outbox.rely(db, [KINDS, offices_of(key.admin_unit), offices_of(province)])
    return province


async def require_plan_cover(db: ReadSession, caller: Caller, key: PlanKey, phase: str | None) -> str:
    """Let the caller write the plan of a unit that is valid in its time; answers the unit's province.

    Raises:
        Forbidden: the token does not cover the unit ("unit_not_covered").
        Refused: no such unit ("unit_unknown"), or not valid in the plan's time ("unit_not_valid").
    """
    first_day, last_day = planned_days(key, phase)
    unit, validities = await find_unit(db, key.admin_unit, (first_day, last_day))
    known = unit or (validities[-1] if validities else None)
    require_cover(caller, key.admin_unit, [known.province_code] if known else [])
    if known is None:
        raise Refused(UNIT_UNKNOWN, code=key.admin_unit)
    if unit is None:
        raise Refused(UNIT_NOT_VALID, code=key.admin_unit, first_day=first_day, last_day=last_day)
    return key.admin_unit if unit.type in PROVINCE_TYPES else str(unit.province_code)


async def refuse_faults(db: ReadSession, key: PlanKey, province: str, body: PlanBody) -> None:
    """Check a whole document and refuse it with every fault at once.

    Raises:
        Refused: the faults, each with its place ("body_invalid").
    """
    offices = await load_known(db, {key.admin_unit, province})
    faults = [*key_faults(key, body.model_dump(include={"plan_key", "admin_unit", "year", "kind", "phase"}))]
    named = [(body.standing_office, "/standing_office")]
    if body.proposal_document is not None:
        named.append((body.proposal_document.office, "/proposal_document/office"))
    for office, pointer in named:
        faults += _at(offices.faults([office], pointer) if office else (), pointer)
    faults += item_faults(body.lists(), offices)
    if faults:
        raise Refused(BODY_INVALID, faults=faults)


def _at(faults: Any, pointer: str) -> Iterator[Fault]:
    """Faults of a list of one, at the field itself."""
    return (Fault(fault.rule, fault.values, pointer=pointer, value=fault.value) for fault in faults)


def _refuse_amendment(stored: Row, body: PlanBody, *, prune: bool) -> None:
    faults = amendment_faults(content_of(stored), content_of(_served(body)), prune=prune)
    if faults:
        raise Conflict(PLAN_NEEDS_AMENDMENT, faults=faults, plan_key=stored["plan_key"])


def _served(body: PlanBody) -> Row:
    return {**body.header(), **body.lists()}


def content_of(document: Mapping[str, Any]) -> Content:
    """What a document says, without what is derived, as plain JSON values so that two can be compared."""
    derived = {"starts_on", "ends_on", "is_continuous"}
    header = {name: plain(document[name]) for name in FIELDS}
    lists = {
        name: [{f: plain(v) for f, v in item.items() if f not in derived} for item in document[name]] for name in LISTS
    }
    return Content(header, lists)


def plain(value: Any) -> Any:
    """A value as it stands in JSON."""
    return msgspec.json.decode(encode(value))


def new_header(key: PlanKey) -> Row:
    """The header of a plan that is recorded for the first time: a draft."""
    return {
        "plan_id": uuid4(),
        "plan_key": key.plan_key,
        "admin_unit": key.admin_unit,
        "year": key.year,
        "kind": key.kind,
        "revision": 1,
        "status": PlanStatus.DRAFT,
        "amendment": None,
        "closing": None,
    }
