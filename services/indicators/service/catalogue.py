"""The catalogue: what is measured, common to all or local to one unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.errors import BODY_INVALID, UNIT_NOT_COVERED, Conflict, Fault, Forbidden, NotFound, Refused
from chassis.listing import Listing
from chassis.problems import unknown
from services.indicators.domain import rules
from services.indicators.domain.catalogue import check_catalogue
from services.indicators.domain.filters import CatalogueFilter
from services.indicators.schemas.catalogue import CatalogueBody, IndicatorBody
from services.indicators.schemas.events import INDICATOR_CHANGED, IndicatorSaid
from services.indicators.service.applying import CATALOGUE, Terms, answer, place_of, require_everywhere
from services.indicators.store import catalogue as store
from services.indicators.store import replicas
from services.indicators.store.visibility import Viewer

Place = tuple[str | None, str | None]


def list_indicators(viewer: Viewer, wanted: CatalogueFilter, known_at: datetime | None) -> Listing:
    """Catalogue entries, now or as they were known."""
    return store.list_indicators(viewer, wanted, known_at)


async def get_indicator(db: ReadSession, viewer: Viewer, code: str, known_at: datetime | None) -> dict[str, Any]:
    """One catalogue entry.

    Raises:
        NotFound: no such code ("indicator_unknown", with the nearest one).
    """
    found = await store.find_indicator(db, viewer, code, known_at)
    if found is None:
        codes = [entry["code"] for entry in await store.load_entries(db)]
        near: dict[str, Any] = unknown(code, codes)
        raise NotFound(rules.INDICATOR_UNKNOWN, value=code, **near)
    return found


async def apply_catalogue(db: Session, caller: Caller, body: CatalogueBody, terms: Terms) -> dict[str, Any]:
    """Make the common catalogue, or one unit's local codes, say what the body says.

    Earlier versions stay readable; an unchanged set writes and announces nothing.

    Raises:
        Forbidden: common codes by a token for some units only, or local codes of a unit it does not act for
            ("unit_not_covered").
        Refused: faults in the body, each with its place ("body_invalid"), or an unknown owner.
        Conflict: pruning would remove codes that are in use ("indicator_in_use").
    """
    owner = body.owner or ""
    place = await _check_owner(db, caller, owner, terms)
    await outbox.hold(db, [CATALOGUE])
    entries = await store.load_entries(db)
    faults = check_catalogue([each.entry() for each in body.indicators], owner, {entry["code"] for entry in entries})
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    before = {entry["code"]: entry for entry in entries if entry["owner"] == owner}
    after = {each.code: each.model_dump() for each in body.indicators}
    heads = await outbox.lock(db, [*before, *after, f"catalogue:{owner}"])
    if terms.prune:
        await _refuse_removing_used(db, [code for code in before if code not in after])
    diff = await store.apply_entries(db, owner, list(after.values()), prune=terms.prune, at=heads.at)
    changes = [_change(code, (before, after)) for code in (*diff.created, *diff.updated, *diff.removed)]
    token = await _announce(db, caller, (changes, heads), owner, place)
    return answer(db, {"indicators": diff}, token)


async def _check_owner(db: Session, caller: Caller, owner: str, terms: Terms) -> Place:
    """Let the caller write the codes of an owner; answers where the owner lies."""
    if not owner:
        require_everywhere(caller)
        return None, None
    unit = await replicas.find_unit(db, owner)
    if unit is None:
        await terms.catch_up(db)
        unit = await replicas.find_unit(db, owner)
    if unit is None:
        fault = Fault(rules.ADMIN_UNIT_UNKNOWN, {"value": owner, **unknown(owner, ())}, pointer="/owner", value=owner)
        raise Refused(BODY_INVALID, faults=[fault])
    if not caller.covers(*unit):
        raise Forbidden(UNIT_NOT_COVERED, admin_unit=owner)
    return place_of(*unit)


async def _refuse_removing_used(db: Session, codes: list[str]) -> None:
    used = await store.load_used(db, codes) if codes else []
    if used:
        raise Conflict(rules.INDICATOR_IN_USE, codes=", ".join(used))


async def _announce(
    db: Session, caller: Caller, done: tuple[Sequence[dict[str, Any]], outbox.Heads], owner: str, place: Place
) -> str:
    changes, heads = done
    if changes:
        before, after = ({each["code"]: each[side] for each in changes} for side in ("old", "new"))
        await audit.record(db, caller, "catalogue.applied", f"catalogue:{owner}", units=place, change=(before, after))
    return await outbox.append(db, heads, [_event(each, caller, place) for each in changes])


def _event(change: dict[str, Any], caller: Caller, place: Place) -> outbox.Event:
    """An entry as everybody hears it: no remarks."""
    sides = {side: change[side] and {name: change[side][name] for name in _SAID} for side in ("old", "new")}
    data = {"code": change["code"], "client_id": caller.announced_as, **sides}
    return outbox.Event(INDICATOR_CHANGED, change["code"], data, *place)


_FIELDS = tuple(IndicatorBody.model_fields)
_SAID = tuple(IndicatorSaid.model_fields)


def _change(code: str, sides: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    old, new = (side.get(code) for side in sides)
    return {"code": code, "old": old and {name: old[name] for name in _FIELDS}, "new": new}
