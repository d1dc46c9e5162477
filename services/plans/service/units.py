"""Units: recorded as a list, read by code, day and words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.errors import BODY_INVALID, Conflict, Fault, NotFound, Refused
from chassis.history import SetDiff
from chassis.listing import Listing
from services.plans.domain.filters import PlanFilter, UnitFilter
from services.plans.domain.rules import UNIT_IN_USE, UNIT_UNKNOWN
from services.plans.domain.units import by_code, latest_within, place_of, unit_faults
from services.plans.schemas.events import ADMIN_UNIT_CHANGED
from services.plans.schemas.units import AdminUnitsBody
from services.plans.service.access import require_cover
from services.plans.store import units as store

Row = dict[str, Any]
Rows = list[Row]
UNITS = "admin_units"  # the list that plans and offices rely on


def list_units(wanted: UnitFilter, known_at: datetime | None) -> Listing:
    """Units by code, province, type, words and day."""
    return store.list_units(wanted, known_at)


def list_units_with_plans(caller: Caller, wanted: UnitFilter, known_at: datetime | None, year: int | None) -> Listing:
    """Units, each with the headers of its plans that the caller may see."""
    plans = PlanFilter(years=(year,) if year else ())
    return store.list_units_with_plans(caller, wanted, known_at, plans)


def list_missing_plans(province: str, year: int, on: date, known_at: datetime | None) -> Listing:
    """Communes of a province without a plan issued for the year."""
    return store.list_missing(province, year, on, known_at)


async def get_unit(db: ReadSession, code: str, on: date) -> Row:
    """One code: what it means on a day, and everything it has meant.

    Raises:
        NotFound: the code was never given ("unit_unknown").
    """
    listing = store.list_units(UnitFilter(codes=(code,)), None)
    found = await store.load_rows(db, listing)
    if not found:
        raise NotFound(UNIT_UNKNOWN, code=code)
    version = found[0]["version"]
    rows = [{name: row[name] for name in store.VALIDITY} for row in found]
    holding = [row for row in rows if row["valid_from"] <= on and (row["valid_to"] or date.max) > on]
    return {"code": code, "on": on, "current": holding[-1] if holding else None, "validities": rows, "version": version}


async def put_units(db: Session, caller: Caller, body: AdminUnitsBody, *, prune: bool) -> Row:
    """Record units: the rows of a code replace all its stored rows; a code that says the same is left alone.

    Raises:
        Forbidden: a code of a province the token does not cover ("unit_not_covered").
        Refused: overlapping or empty validities, unknown provinces, each with row and column ("body_invalid").
        Conflict: a code to remove is in use ("unit_in_use").
    """
    await outbox.hold(db, [UNITS])
    given = by_code(body.admin_units)
    stored = by_code(await store.load_validities(db, None if prune else list(given)))
    removed = [code for code in stored if code not in given] if prune else []
    for code in (*given, *removed):
        provinces = {row.province_code for row in (*given.get(code, ()), *stored.get(code, ()))}
        require_cover(caller, code, provinces)
    await _refuse_faults(db, body, prune=prune)
    await _refuse_used(db, removed)
    heads = await outbox.lock(db, [*given, *removed])
    now = {code: rows_of(rows) for code, rows in stored.items()}
    new = {code: rows_of(rows) for code, rows in given.items()}
    diff = _difference(now, new, removed)
    if not diff.has_changes:
        return _answer(db, diff, None)
    changed = [*diff.created, *diff.updated, *diff.removed]
    await store.replace_validities(db, changed, [row for code in changed for row in new.get(code, ())], heads.at)
    events = [_event(code, (now.get(code), new.get(code)), caller) for code in changed]
    token = await outbox.append(db, heads, events)
    deeds = [_deed(event, now.get(event.subject), new.get(event.subject)) for event in events]
    await audit.record_all(db, caller, "admin_units.put", deeds)
    return _answer(db, diff, token)


def rows_of(validities: Iterable[Any]) -> list[Row]:
    """Validities as plain rows, oldest first."""
    return [{name: getattr(validity, name) for name in store.VALIDITY} for validity in validities]


def _difference(now: Mapping[str, Any], new: Mapping[str, Any], removed: Sequence[str]) -> SetDiff:
    return SetDiff(
        created=[code for code in new if code not in now],
        updated=[code for code in new if code in now and now[code] != new[code]],
        unchanged=[code for code in new if now.get(code) == new[code]],
        removed=list(removed),
    )


async def _refuse_faults(db: Session, body: AdminUnitsBody, *, prune: bool) -> None:
    known: Sequence[Any] = () if prune else await store.load_provinces(db)
    faults = unit_faults(body.admin_units, known)
    if faults:
        raise Refused(BODY_INVALID, faults=faults)


async def _refuse_used(db: Session, codes: Collection[str]) -> None:
    used = await store.load_used_codes(db, codes) if codes else []
    if used:
        faults = [Fault(UNIT_IN_USE, {"code": code}, value=code) for code in used]
        raise Conflict(UNIT_IN_USE, faults=faults, code=used[0])


def _event(code: str, sides: tuple[Rows | None, Rows | None], caller: Caller) -> outbox.Event:
    old, new = (
        [{name: value for name, value in row.items() if name != "code"} for row in rows or ()] for rows in sides
    )
    province, commune = place_of(code, (new or old)[-1]["province_code"])
    data = {"code": code, "client_id": caller.announced_as, "validities": new, "old": old}
    return outbox.Event(ADMIN_UNIT_CHANGED, code, data, province=province, commune=commune)


def _deed(event: outbox.Event, old: Rows | None, new: Rows | None) -> audit.Deed:
    """One row per unit, so that whoever answers for a province finds what was done to its communes."""
    return audit.Deed(event.subject, event.province, event.commune, new, old=old)


def _answer(db: Session, diff: SetDiff, token: str | None) -> Row:
    dry_run = bool(db.info.get("dry_run"))
    return {
        "dry_run": dry_run,
        "changes": {"admin_units": diff.summary()},
        "write_token": None if dry_run else token,
    }


async def find_unit(db: ReadSession, code: str, days: tuple[date, date]) -> tuple[Any, list[Any]]:
    """What a code means at some time within two days (None: nothing), and everything it has meant."""
    validities = list(await store.load_validities(db, [code]))
    return latest_within(validities, *days), validities
