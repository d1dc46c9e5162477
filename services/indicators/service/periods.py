"""Regimes and the periods they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import Session
from chassis.errors import BODY_INVALID, Conflict, Fault, Refused
from chassis.listing import Listing
from chassis.periods import PeriodError, parse_period
from services.indicators.domain import rules
from services.indicators.domain.filters import PeriodFilter
from services.indicators.domain.periods import Regime, check_regimes, default_changes, due_rule_changes, own_rules
from services.indicators.schemas.events import REGIME_CHANGED, RegimeSaid
from services.indicators.schemas.periods import RegimeBody, RegimesBody
from services.indicators.service.applying import REGIMES, Terms, answer, place_of, require_everywhere
from services.indicators.store import periods as store

Sides = tuple[Any, Any]  # what was said before, and what is said now


def list_regimes(codes: Sequence[str], known_at: datetime | None) -> Listing:
    """Reporting regimes with their due rules."""
    return store.list_regimes(codes, known_at)


def period_codes(asked: Sequence[str], parameter: str = "period") -> tuple[str, ...]:
    """Codes of periods in the house's own spelling, in whichever they were asked for (2026Q2, 202604).

    Raises:
        Refused: words that name no period ("period_malformed").
    """
    codes: list[str] = []
    faults: list[Fault] = []
    for words in asked:
        try:
            codes.append(parse_period(words).code)
        except PeriodError:
            faults.append(Fault(rules.PERIOD_MALFORMED, column=parameter, value=words))
    if faults:
        raise Refused(rules.PERIOD_MALFORMED, faults=faults, value=faults[0].value)
    return tuple(codes)


def list_periods(wanted: PeriodFilter, known_at: datetime | None) -> Listing:
    """Periods with the days their regime gives them."""
    return store.list_periods(wanted, known_at)


async def apply_regimes(db: Session, caller: Caller, body: RegimesBody, terms: Terms) -> dict[str, Any]:
    """Make the regimes say what the body says, and make their periods for the span of years they state.

    Raises:
        Forbidden: the token names units ("unit_not_covered").
        Refused: an opening day or span that cannot be, a code twice, two defaults for a unit
            ("body_invalid").
        Conflict: periods with figures would get other days ("regime_in_use").
    """
    require_everywhere(caller)
    await outbox.hold(db, [REGIMES])
    bodies = {each.code: each.model_dump() for each in body.regimes}
    before = await store.load_regimes(db)
    staying = {} if terms.prune else {code: each for code, each in before.items() if code not in bodies}
    defaults = {unit: code for code, each in staying.items() for unit in each["default_for"]}
    faults = check_regimes([each.stated() for each in body.regimes], defaults)
    if faults:
        raise Refused(BODY_INVALID, faults=faults)
    heads = await outbox.lock(db, {*before, *bodies, "regimes"})
    regimes = [_rule(each) for each in body.regimes]
    moved = await store.find_moved(db, regimes)
    if moved:
        raise Conflict(rules.REGIME_IN_USE, regime=", ".join(moved))
    diffs = await store.apply_regimes(db, list(bodies.values()), prune=terms.prune, at=heads.at)
    changed = {key.split("/")[0] for diff in diffs.values() for key in (*diff.created, *diff.updated, *diff.removed)}
    if changed:
        await store.make_periods(db, regimes)
        await _note(db, caller, {code: (before.get(code), bodies.get(code)) for code in sorted(changed)})
    sides = {code: (before.get(code), bodies.get(code)) for code in sorted(changed)}
    events = [event for code, both in sides.items() for event in _events(code, both, caller)]
    return answer(db, diffs, await outbox.append(db, heads, events))


async def _note(db: Session, caller: Caller, changed: Mapping[str, Sides]) -> None:
    """One audit row per regime, and one per unit whose own due days or default regime it changes."""
    deeds = [audit.Deed(code, None, None, new, old=old) for code, (old, new) in changed.items()]
    touched = [(code, unit, sides) for code, both in changed.items() for unit, sides in _by_unit(both).items()]
    places = await store.load_places(db, {unit for _, unit, _ in touched})
    deeds += [audit.Deed(code, *place_of(unit, places.get(unit)), new, old=old) for code, unit, (old, new) in touched]
    await audit.record_all(db, caller, "regimes.applied", deeds)


def _by_unit(sides: Sides) -> dict[str, Sides]:
    """What a regime says of each unit that it names, before and after, where that differs."""
    old, new = ({} if side is None else own_rules(side) for side in sides)
    return {unit: (old.get(unit), new.get(unit)) for unit in sorted({*old, *new}) if old.get(unit) != new.get(unit)}


def _rule(body: RegimeBody) -> Regime:
    return Regime(body.code, body.opens_on_day, tuple(body.period_types), body.first_year, body.last_year)


def _events(code: str, sides: Sides, caller: Caller) -> list[outbox.Event]:
    """One event, or several when a regime has very many rules."""
    old, new = (side and {name: side[name] for name in RegimeSaid.model_fields} for side in sides)
    about = {"code": code, "client_id": caller.announced_as, "old": old, "new": new}
    changes = {"default_for": default_changes(*sides), "due_rules": due_rule_changes(*sides)}
    told = [{"list": name, "change": change} for name, some in changes.items() for change in some]
    parts = list(outbox.parts_of(told)) or [[]]
    return [outbox.Event(REGIME_CHANGED, code, {**about, **_lists(part)}) for part in parts]


def _lists(part: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("default_for", "due_rules")
    return {name: [each["change"] for each in part if each["list"] == name] for name in names}
