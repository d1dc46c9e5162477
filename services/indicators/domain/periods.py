"""Regimes as data: their windows, the periods they cut a span of years into, and when reports are due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chassis import periods
from chassis.errors import Fault
from chassis.periods import DueRule, Period, PeriodType, Window
from services.indicators.domain import rules

Side = Mapping[str, Any] | None  # what a regime said before, or says now; None: there was, or is, none
EVERYWHERE = "*"
REPORTING_WINDOW_DAYS = 10


@dataclass(frozen=True, slots=True)
class UnitDueRule:
    """A due rule and the unit that stated it; an empty unit means everybody under the regime."""

    rule: DueRule
    admin_unit: str = ""


@dataclass(frozen=True, slots=True)
class Regime:
    """A reporting regime: windows, kinds of periods, and the years its periods are kept for."""

    code: str
    opens_on_day: int
    period_types: tuple[PeriodType, ...]
    first_year: int
    last_year: int

    def periods(self) -> Iterator[tuple[Period, Window]]:
        """Every period of the span with its first and last day."""
        regime = periods.Regime(self.code, self.opens_on_day)
        for year in range(self.first_year, self.last_year + 1):
            for period_type in self.period_types:
                for period in periods.periods_of_year(year, period_type):
                    yield period, regime.window(period)


@dataclass(frozen=True, slots=True)
class Due:
    """One report that is expected: its period, the first day it can be handed in, and the last day on time."""

    period: Period
    opens_on: date
    due_on: date


def expected_reports(
    due_rules: list[DueRule], year: int, *, window_days: int, not_before: date | None = None
) -> list[Due]:
    """The reports a unit owes for a plan year, earliest first.

    Reports due before the plan was issued are not expected: nobody could have known of them.
    """
    dues = []
    for rule in due_rules:
        for period in periods.periods_of_year(year, rule.period_type):
            due_on = rule.due_on(period)
            if not_before is None or due_on >= not_before:
                dues.append(Due(period, due_on - timedelta(days=window_days), due_on))
    return sorted(dues, key=lambda due: due.due_on)


def rules_of_unit(stated: Iterable[UnitDueRule], admin_unit: str, province: str | None) -> list[DueRule]:
    """The due rules that hold for a unit: of each kind of period its own, else its province's, else everybody's."""
    nearest: dict[PeriodType, tuple[int, DueRule]] = {}
    for each in stated:
        distance = _distance(each.admin_unit, admin_unit, province)
        held = nearest.get(each.rule.period_type)
        if distance is not None and (held is None or distance < held[0]):
            nearest[each.rule.period_type] = (distance, each.rule)
    return [rule for _, rule in nearest.values()]


def own_rules(regime: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a regime says of single units: whether it is their default, and their own due rules."""
    units: dict[str, dict[str, Any]] = {
        unit: {"is_default": True, "due_rules": []} for unit in regime["default_for"] if unit != EVERYWHERE
    }
    for rule in regime["due_rules"]:
        if rule["admin_unit"]:
            own = units.setdefault(rule["admin_unit"], {"is_default": False, "due_rules": []})
            own["due_rules"].append(rule)
    return units


def default_changes(old: Side, new: Side) -> list[dict[str, Any]]:
    """The units, provinces or * whose default a regime becomes, or is no more."""
    before, after = (set(side["default_for"]) if side else set() for side in (old, new))
    return [{"scope": scope, "new": scope in after} for scope in sorted(before ^ after)]


def due_rule_changes(old: Side, new: Side) -> list[dict[str, Any]]:
    """The due rules of a regime that differ, each under its unit (None: everybody) and kind of period."""
    before, after = (_due_rules(side["due_rules"]) if side else {} for side in (old, new))
    return [
        {
            "admin_unit": unit or None,
            "period_type": kind,
            "old": before.get((unit, kind)),
            "new": after.get((unit, kind)),
        }
        for unit, kind in sorted({*before, *after})
        if before.get((unit, kind)) != after.get((unit, kind))
    ]


def _due_rules(rules: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (rule["admin_unit"] or "", rule["period_type"]): {
            name: rule[name] for name in ("day", "months_after", "source")
        }
        for rule in rules
    }


def due_on(rules: Iterable[DueRule], period: Period) -> date | None:
    """The due day of a period's report by the rules of a unit; None where none is stated for its kind."""
    rule = next((each for each in rules if each.period_type is period.period_type), None)
    return rule.due_on(period) if rule else None


def _distance(stated_by: str, admin_unit: str, province: str | None) -> int | None:
    near = (admin_unit, province, "")
    return near.index(stated_by) if stated_by in near else None


@dataclass(frozen=True, slots=True)
class Stated:
    """What the rules look at in one regime of a body."""

    code: str
    opens_on_day: int
    years: tuple[int, int]
    default_for: tuple[str, ...]
    due_rules: tuple[UnitDueRule, ...]


def check_regimes(stated: Sequence[Stated], defaults: Mapping[str, str]) -> list[Fault]:
    """Every fault of a set of regimes: each in itself, codes twice, one unit with two default regimes.

    `defaults` are the units whose default is a regime outside the set.
    """
    faults: list[Fault] = []
    codes: set[str] = set()
    taken = dict(defaults)
    for index, each in enumerate(stated):
        pointer = f"/regimes/{index}"
        faults += check_regime(each.code, each.opens_on_day, each.years, pointer) + _check_due_rules(each, pointer)
        if each.code in codes:
            faults.append(Fault(rules.KEY_TWICE, {"value": each.code}, pointer=f"{pointer}/code", value=each.code))
        codes.add(each.code)
        for unit in each.default_for:
            if taken.setdefault(unit, each.code) != each.code:
                values = {"unit": unit, "regime": taken[unit]}
                faults.append(Fault(rules.DEFAULT_TAKEN, values, pointer=f"{pointer}/default_for", value=unit))
    return faults


def _check_due_rules(stated: Stated, pointer: str) -> list[Fault]:
    seen: set[tuple[str, PeriodType]] = set()
    faults = []
    for index, each in enumerate(stated.due_rules):
        key = (each.admin_unit, each.rule.period_type)
        if key in seen:
            place = f"{pointer}/due_rules/{index}"
            faults.append(Fault(rules.KEY_TWICE, {"value": "/".join(key)}, pointer=place, value=each.admin_unit))
        seen.add(key)
    return faults


def check_regime(code: str, opens_on_day: int, years: tuple[int, int], pointer: str) -> list[Fault]:
    """Whether a regime can cut years at all: a day every month has, and a span that does not run backwards."""
    faults = []
    try:
        periods.Regime(code, opens_on_day)
    except periods.PeriodError:
        faults.append(Fault(rules.OPENING_DAY_INVALID, {"day": opens_on_day}, pointer=f"{pointer}/opens_on_day"))
    first, last = years
    if not periods.FIRST_YEAR < first <= last < periods.LAST_YEAR:
        faults.append(Fault(rules.SPAN_INVALID, {"first": first, "last": last}, pointer=f"{pointer}/first_year"))
    return faults
