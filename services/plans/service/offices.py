"""Offices of units and the shared kinds behind them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.errors import BODY_INVALID, Conflict, Fault, NotFound, Refused
from chassis.history import SetDiff
from chassis.listing import Listing
from chassis.write_tokens import write_token
from services.plans.domain.filters import OfficeFilter
from services.plans.domain.offices import KnownOffices, advice, alias_faults
from services.plans.domain.rules import (
    ITEM_KEY_REPEATED,
    OFFICE_IN_USE,
    OFFICE_KIND_IN_USE,
    OFFICE_KIND_UNKNOWN,
    UNIT_UNKNOWN,
)
from services.plans.domain.units import place_of
from services.plans.schemas.events import OFFICE_CHANGED, OFFICE_REMOVED, OfficeSaid
from services.plans.schemas.offices import OfficeKindsBody, OfficesBody
from services.plans.service.access import require_cover
from services.plans.service.units import UNITS, find_unit
from services.plans.store import offices as store

Row = dict[str, Any]
KINDS = "office_kinds"  # the aggregate of the shared list
_OF_KIND = ("name_vi", "name_en", "level", "aliases", "note")


def list_kinds(wanted: OfficeFilter, known_at: datetime | None) -> Listing:
    """The shared list of office kinds."""
    return store.list_kinds(wanted, known_at)


def list_offices(wanted: OfficeFilter, known_at: datetime | None) -> Listing:
    """Offices of units, by slug, level, words or exactly one of their names."""
    return store.list_offices(wanted, known_at)


async def load_known(db: ReadSession, admin_units: Collection[str]) -> KnownOffices:
    """The offices a plan may name: every kind, and the unit's and its province's own."""
    nameable = await store.load_nameable(db, admin_units)
    aliases = {key: office.slug for office in nameable for key in office.alias_keys}
    return KnownOffices(frozenset(office.slug for office in nameable), aliases)


async def put_kinds(db: Session, caller: Caller, body: OfficeKindsBody, *, prune: bool) -> Row:
    """Record the shared list; every office of a changed kind is announced.

    Raises:
        Forbidden: the token does not cover every unit ("unit_not_covered").
        Refused: a slug or a name twice ("body_invalid").
        Conflict: a kind to remove is in use ("office_kind_in_use").
    """
    require_cover(caller, "*", ())
    _refuse(_repeated(body.office_kinds, KINDS), alias_faults(body.office_kinds, field_name=KINDS))
    await outbox.hold(db, [KINDS])
    heads = await outbox.lock(db, [KINDS])
    before = {kind.key: {name: getattr(kind, name) for name in _OF_KIND} for kind in await store.load_kinds(db)}
    rows = [kind.model_dump() for kind in body.office_kinds]
    stood = await store.load_offices(db, [row["slug"] for row in rows], None)
    diff = await store.apply_kinds(db, rows, prune=prune, at=heads.at)
    await _refuse_used_kinds(db, diff.removed)
    offices = await store.load_offices(db, [*diff.created, *diff.updated], None) if diff.has_changes else []
    token = await _announce(db, caller, _changed(offices, stood))
    if diff.has_changes:
        change = _sides(diff, before, rows)
        await audit.record(db, caller, "office_kinds.put", KINDS, change=change)
    return await _answer(db, KINDS, diff, token)


async def put_offices(db: Session, caller: Caller, admin_unit: str, body: OfficesBody, *, prune: bool) -> Row:
    """Record the offices of a unit; what an office leaves out it takes from the kind of the same slug.

    Raises:
        Forbidden: the token does not cover the unit ("unit_not_covered").
        NotFound: no such unit ("unit_unknown").
        Refused: a slug twice, or an office that is neither of a known kind nor named itself ("body_invalid").
        Conflict: an office to remove is named by a plan ("office_in_use").
    """
    await outbox.rely(db, [UNITS, KINDS])
    await outbox.hold(db, [offices_of(admin_unit)])
    unit, _ = await find_unit(db, admin_unit, (date.min, date.max))
    require_cover(caller, admin_unit, [unit.province_code] if unit else [])
    if unit is None:
        raise NotFound(UNIT_UNKNOWN, code=admin_unit)
    kinds = {kind.key for kind in await store.load_kinds(db)}
    _refuse(_repeated(body.offices, "offices"), _unnamed(body, kinds))
    heads = await outbox.lock(db, [KINDS, offices_of(admin_unit)])
    before = await store.load_own(db, admin_unit)
    stood = await store.load_offices(db, list(before), admin_unit)
    rows = [office.model_dump() for office in body.offices]
    diff = await store.apply_offices(db, admin_unit, rows, prune=prune, at=heads.at)
    await _refuse_used_offices(db, diff.removed, admin_unit, kinds)
    changed = {*diff.created, *diff.updated}
    offices = await store.load_offices(db, changed, admin_unit) if changed else []
    token = await _announce(db, caller, [*_changed(offices, stood), *_removed(stood, diff.removed)])
    if diff.has_changes:
        units = place_of(admin_unit, unit.province_code)
        await audit.record(db, caller, "offices.put", admin_unit, units=units, change=_sides(diff, before, rows))
    return await _answer(db, "offices", diff, token)


def offices_of(admin_unit: str) -> str:
    """The list of a unit's offices, which its plans rely on."""
    return f"offices:{admin_unit}"


def _refuse(*groups: Any) -> None:
    faults = [fault for group in groups for fault in group]
    if faults:
        raise Refused(BODY_INVALID, faults=faults)


def _repeated(rows: Sequence[Any], field: str) -> list[Fault]:
    slugs = [row.slug for row in rows]
    return [
        Fault(ITEM_KEY_REPEATED, {"key": slug, "field": field}, pointer=f"/{field}/{at}/slug", value=slug)
        for at, slug in enumerate(slugs)
        if slug in slugs[:at]
    ]


def _unnamed(body: OfficesBody, kinds: Collection[str]) -> list[Fault]:
    return [
        Fault(OFFICE_KIND_UNKNOWN, {"slug": office.slug, **advice(None)}, pointer=f"/offices/{at}/slug")
        for at, office in enumerate(body.offices)
        if office.slug not in kinds and not (office.name_vi and office.name_en and office.level)
    ]


async def _refuse_used_kinds(db: Session, slugs: Collection[str]) -> None:
    if not slugs:
        return
    used = {*await store.load_kinds_of_units(db, slugs), *await store.load_used_slugs(db, slugs, None)}
    if used:
        faults = [Fault(OFFICE_KIND_IN_USE, {"slug": slug}, value=slug) for slug in sorted(used)]
        raise Conflict(OFFICE_KIND_IN_USE, faults=faults, slug=min(used))


async def _refuse_used_offices(db: Session, slugs: Sequence[str], admin_unit: str, kinds: Collection[str]) -> None:
    """An office of a known kind may go: plans name it by its kind all the same."""
    own = [slug for slug in slugs if slug not in kinds]
    used = await store.load_used_slugs(db, own, admin_unit) if own else []
    if used:
        faults = [Fault(OFFICE_IN_USE, {"slug": slug}, value=slug) for slug in used]
        raise Conflict(OFFICE_IN_USE, faults=faults, slug=used[0])


@dataclass(frozen=True, slots=True)
class _News:
    """An office that changed or went: what is said of it, and where it is."""

    event_type: str
    data: Row
    province: str | None


async def _announce(db: Session, caller: Caller, news: Sequence[_News]) -> str | None:
    if not news:
        return None
    heads = await outbox.lock(db, [_subject(each.data) for each in news])
    return await outbox.append(db, heads, [_event(caller, each) for each in news])


def _changed(offices: Sequence[Row], stood: Sequence[Row]) -> list[_News]:
    """Offices as they are now, each with what it was."""
    before = {_subject(office): _said(office) for office in stood}
    return [
        _News(OFFICE_CHANGED, {**_said(office), "old": before.get(_subject(office))}, office["province"])
        for office in offices
    ]


def _removed(stood: Sequence[Row], slugs: Collection[str]) -> list[_News]:
    """Offices that went, each with what it was."""
    gone = [office for office in stood if office["slug"] in slugs]
    return [
        _News(
            OFFICE_REMOVED,
            {"admin_unit": office["admin_unit"], "slug": office["slug"], "old": _said(office)},
            office["province"],
        )
        for office in gone
    ]


def _said(office: Row) -> Row:
    return {name: office[name] for name in OfficeSaid.model_fields}


def _event(caller: Caller, news: _News) -> outbox.Event:
    province, commune = place_of(news.data["admin_unit"], news.province)
    data = {**news.data, "client_id": caller.announced_as}
    return outbox.Event(news.event_type, _subject(news.data), data, province=province, commune=commune)


def _subject(office: Mapping[str, Any]) -> str:
    return f"{office['admin_unit']}/{office['slug']}"


def _sides(diff: SetDiff, before: Mapping[str, Row], rows: Sequence[Row]) -> tuple[Row, Row]:
    """What every changed office said before, and says now."""
    after = {row["slug"]: {name: value for name, value in row.items() if name != "slug"} for row in rows}
    changed = [*diff.created, *diff.updated, *diff.removed]
    return {slug: before.get(slug) for slug in changed}, {slug: after.get(slug) for slug in changed}


async def _answer(db: Session, name: str, diff: SetDiff, token: str | None) -> Row:
    if diff.has_changes:
        token = token or await write_token(db)
    dry_run = bool(db.info.get("dry_run"))
    return {"dry_run": dry_run, "changes": {name: diff.summary()}, "write_token": None if dry_run else token}
