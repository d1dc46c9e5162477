"""Which plans and lines are asked for, as conditions that every statement shares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, and_, cast, or_
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from chassis.text import contains_pattern
from services.budget.domain.filters import OUTSIDE_PILLARS, LineFilter, PlanFilter
from services.budget.store.tables import LINE, PLAN
from services.budget.store.visibility import plan_visible

Conditions = list[ColumnElement[bool]]


def asked_plans(caller: Caller, wanted: PlanFilter, known_at: datetime | None) -> Conditions:
    """The plans that are asked for and that the caller may see as they were known."""
    fields: dict[str, Sequence[Any]] = {
        "plan_key": wanted.plan_keys,
        "admin_unit": wanted.admin_units,
        "province": wanted.provinces,
        "year": wanted.years,
    }
    return [plan_visible(caller, known_at), *(PLAN.c[name].in_(values) for name, values in fields.items() if values)]


def asked_lines(wanted: LineFilter) -> Conditions:
    """The lines that are asked for."""
    line = LINE.c
    office = or_(_overlap(line.lead_offices, wanted.offices), _overlap(line.coordinating_offices, wanted.offices))
    asked: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.keys, line.key.in_(wanted.keys)),
        (wanted.expenditure_kinds, line.expenditure_kind.in_(wanted.expenditure_kinds)),
        (wanted.pillars, _in_pillars(wanted.pillars)),
        (wanted.offices, office),
        (wanted.lead_offices, _overlap(line.lead_offices, wanted.lead_offices)),
        (wanted.funding_sources, line.funding_source.in_(wanted.funding_sources)),
        (wanted.budget_years, _overlap(line.budget_years, wanted.budget_years)),
        (wanted.tasks, _overlap(line.tasks, wanted.tasks)),
        (wanted.targets, _overlap(line.targets, wanted.targets)),
        (wanted.words, says(LINE, wanted.words or "")),
    ]
    return [condition for is_asked, condition in asked if is_asked]


def _in_pillars(pillars: Sequence[str]) -> ColumnElement[bool]:
    inside = LINE.c.pillar.in_([pillar for pillar in pillars if pillar != OUTSIDE_PILLARS])
    return or_(inside, LINE.c.pillar.is_(None)) if OUTSIDE_PILLARS in pillars else inside


def _overlap(column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    return column.bool_op("&&")(cast(list(values), column.type))


def says(table: Table, words: str) -> ColumnElement[bool]:
    """Rows whose folded text holds the words, accents or not."""
    return table.c.search_text.like(contains_pattern(words), escape="\\")


def of_plan(table: Table) -> ColumnElement[bool]:
    """Rows of a set that belong to the plan of the same statement."""
    return and_(table.c.admin_unit == PLAN.c.admin_unit, table.c.plan_key == PLAN.c.plan_key)
