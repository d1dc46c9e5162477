"""Rows whose codes stand for nothing, or for what their sender may not write: refused with advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis.auth import Caller
from chassis.database import ReadSession
from chassis.errors import UNIT_NOT_COVERED, Fault, Rule
from chassis.text import fold, suggest
from services.indicators.domain import rules
from services.indicators.domain.actuals.reading import Row
from services.indicators.store import posting
from services.indicators.store.posting import Advice, Resolved


async def refuse_unresolved(
    db: ReadSession, caller: Caller, rows: Sequence[Row], resolved: Mapping[int, Resolved]
) -> list[Fault]:
    """Every fault of rows that name what is not there, is not valid then, or is not theirs to write."""
    faults = [fault for row in rows for fault in _found_but_refused(caller, row, resolved[row.number])]
    missing = [row for row in rows if _is_missing(resolved[row.number])]
    if missing:
        advice = await posting.load_advice(db, sorted({row.admin_unit for row in missing}))
        faults += [fault for row in missing for fault in _not_found(row, resolved[row.number], advice)]
    return faults


def _is_missing(found: Resolved) -> bool:
    return None in (found.admin_unit_id, found.indicator_id, found.sub_population_id, found.period_id)


def _found_but_refused(caller: Caller, row: Row, found: Resolved) -> list[Fault]:
    faults = []
    if found.admin_unit and not caller.covers(found.admin_unit, found.province):
        faults.append(_fault(row, UNIT_NOT_COVERED, "admin_unit", row.admin_unit, admin_unit=row.admin_unit))
    if found.admin_unit and found.span and not found.is_valid:
        faults.append(_fault(row, rules.ADMIN_UNIT_NOT_VALID, "admin_unit", row.admin_unit, period=row.period))
    if found.owner and found.owner != row.admin_unit:
        faults.append(_fault(row, rules.INDICATOR_OF_ANOTHER_OWNER, "indicator", row.indicator))
    return faults


def _not_found(row: Row, found: Resolved, advice: Advice) -> list[Fault]:
    faults = []
    if found.admin_unit_id is None:
        faults.append(_unit_fault(row, advice))
    if found.indicator_id is None:
        faults.append(_indicator_fault(row, advice))
    elif found.sub_population_id is None:
        near = _suggestion(row.sub_population, advice.sub_populations)
        faults.append(_fault(row, rules.SUB_POPULATION_UNKNOWN, "sub_population", row.sub_population, **near))
    if found.period_id is None and found.admin_unit_id is not None:
        faults.append(_period_fault(row, found))
    return faults


def _unit_fault(row: Row, advice: Advice) -> Fault:
    name = fold(row.admin_unit)
    meant = [
        code for known, codes in advice.units.items() if name == known or name.endswith(f" {known}") for code in codes
    ]
    if meant:
        codes = ", ".join(sorted(meant))
        return _fault(row, rules.ADMIN_UNIT_NAMED_NOT_CODED, "admin_unit", row.admin_unit, codes=codes)
    near = _suggestion(row.admin_unit, advice.unit_codes)
    return _fault(row, rules.ADMIN_UNIT_UNKNOWN, "admin_unit", row.admin_unit, **near)


def _indicator_fault(row: Row, advice: Advice) -> Fault:
    code = advice.indicators.get(fold(row.indicator))
    if code:
        return _fault(row, rules.INDICATOR_NAMED_NOT_CODED, "indicator", row.indicator, code=code)
    near = _suggestion(row.indicator, advice.codes)
    return _fault(row, rules.INDICATOR_UNKNOWN, "indicator", row.indicator, **near)


def _period_fault(row: Row, found: Resolved) -> Fault:
    if found.regime is None:
        return _fault(row, rules.REGIME_UNKNOWN, "regime", row.regime)
    return _fault(row, rules.PERIOD_UNKNOWN, "period", row.period, regime=found.regime)


def _suggestion(word: str, known: Sequence[str]) -> dict[str, str]:
    near = suggest(word, known)
    return {
        "suggestion_vi": f" Có phải là {near}?" if near else "",
        "suggestion_en": f" Did you mean {near}?" if near else "",
    }


def _fault(row: Row, rule: Rule, column: str, value: object, **values: object) -> Fault:
    return Fault(rule, {"column": column, "value": value, **values}, row=row.number, column=column, value=value)
