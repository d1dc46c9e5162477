"""What each plan's budget adds up to: the facts that the checks look at, one row per plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, and_, exists, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from chassis.history import as_of
from chassis.listing import Listing
from services.budget.domain.filters import PlanFilter
from services.budget.store.filters import asked_plans, of_plan
from services.budget.store.lines import json_object, plan_columns
from services.budget.store.tables import CELL, GROUP, LINE, PLAN

Shape = Callable[[Mapping[str, Any]], dict[str, Any]]
Moment = datetime | None
_NO_ROWS: ColumnElement[Any] = literal_column("'[]'::jsonb")


def list_facts(caller: Caller, plans: PlanFilter, known_at: Moment, fields: tuple[str, ...], shape: Shape) -> Listing:
    """One row per plan, also for plans without a budget; `shape` judges what the row adds up to."""
    facts = {
        "lines": _sum(LINE, known_at),
        "cells": _sum(CELL, known_at),
        "groups": _sum(GROUP, known_at),
        "reserve": _sum(LINE, known_at, LINE.c.expenditure_kind == "reserve"),
        "amount_by_pillar": _amount_by_pillar(known_at),
        "parts": _parts(known_at),
        "uneven_cells": _uneven_cells(known_at),
        "uneven_groups": _uneven_groups(known_at),
        "misplaced_lines": _misplaced_lines(known_at),
        "lines_in_foreign_groups": _lines_in_foreign_groups(known_at),
    }
    named = [column.label(name) for name, column in facts.items()]
    query = select(*plan_columns(), PLAN.c.budget_total_vnd, PLAN.c.budget_rules, *named)
    return Listing(query.where(*asked_plans(caller, plans, known_at)), (PLAN.c.plan_key,), fields, shape=shape)


def _here(table: Table, known_at: Moment) -> ColumnElement[bool]:
    return and_(of_plan(table), as_of(table.c, known_at))


def _sum(table: Table, known_at: Moment, *which: ColumnElement[bool]) -> ColumnElement[Any]:
    total = func.coalesce(func.sum(table.c.amount_vnd), 0)
    query = select(json_object({"count": func.count(), "amount_vnd": total})).select_from(table)
    return query.where(_here(table, known_at), *which).correlate(PLAN).scalar_subquery()


def _amount_by_pillar(known_at: Moment) -> ColumnElement[Any]:
    sums = (
        select(LINE.c.pillar, func.sum(LINE.c.amount_vnd).label("amount_vnd"))
        .where(_here(LINE, known_at), LINE.c.pillar.is_not(None))
        .group_by(LINE.c.pillar)
        .correlate(PLAN)
        .subquery()
    )
    return select(func.jsonb_object_agg(sums.c.pillar, sums.c.amount_vnd)).correlate(PLAN).scalar_subquery()


def _rows(inner: Select[Any], *order: str) -> ColumnElement[Any]:
    """The rows of a statement about the plan, as one JSON array in order."""
    rows = inner.correlate(PLAN).subquery()
    in_order = aggregate_order_by(json_object({c.key: c for c in rows.c}), *(rows.c[name] for name in order))
    return select(func.coalesce(func.jsonb_agg(in_order), _NO_ROWS)).correlate(PLAN).scalar_subquery()


def _parts(known_at: Moment) -> ColumnElement[Any]:
    kind, years = LINE.c.expenditure_kind, LINE.c.budget_years
    parts = select(
        kind,
        years,
        func.count().label("count"),
        func.sum(LINE.c.amount_vnd).label("amount_vnd"),
        func.min(LINE.c.position).label("position"),
    )
    return _rows(parts.where(_here(LINE, known_at)).group_by(kind, years), "position")


def _uneven(whole: Table, part: Table, belongs: ColumnElement[bool], known_at: Moment) -> ColumnElement[Any]:
    """Wholes whose amount is not the sum of their parts."""
    found = func.coalesce(func.sum(part.c.amount_vnd), 0)
    uneven = (
        select(
            whole.c.key,
            whole.c.amount_vnd,
            found.label("parts_vnd"),
            (whole.c.amount_vnd - found).label("difference_vnd"),
        )
        .select_from(whole.outerjoin(part, and_(_here(part, known_at), belongs)))
        .where(_here(whole, known_at))
        .group_by(whole.c.key, whole.c.amount_vnd)
        .having(found != whole.c.amount_vnd)
    )
    return _rows(uneven, "key")


def _uneven_cells(known_at: Moment) -> ColumnElement[Any]:
    return _uneven(CELL, LINE, LINE.c.key == func.any(CELL.c.lines), known_at)


def _uneven_groups(known_at: Moment) -> ColumnElement[Any]:
    return _uneven(GROUP, CELL, CELL.c.group_key == GROUP.c.key, known_at)


def _line_keys(known_at: Moment, *which: ColumnElement[bool]) -> ColumnElement[Any]:
    in_order = aggregate_order_by(LINE.c.key, LINE.c.position, LINE.c.key)
    query = select(func.coalesce(func.jsonb_agg(in_order), _NO_ROWS)).select_from(LINE)
    return query.where(_here(LINE, known_at), *which).correlate(PLAN).scalar_subquery()


def _misplaced_lines(known_at: Moment) -> ColumnElement[Any]:
    cells = select(func.count()).select_from(CELL)
    holding = cells.where(_here(CELL, known_at), LINE.c.key == func.any(CELL.c.lines)).correlate(PLAN, LINE)
    return _line_keys(known_at, holding.scalar_subquery() != 1)


def _lines_in_foreign_groups(known_at: Moment) -> ColumnElement[Any]:
    placed: Select[Any] = (
        select(literal_column("1"))
        .select_from(CELL.join(GROUP, and_(_here(GROUP, known_at), GROUP.c.key == CELL.c.group_key)))
        .where(_here(CELL, known_at), LINE.c.key == func.any(CELL.c.lines))
        .correlate(PLAN, LINE)
    )
    # A line without a pillar belongs to a group without pillars: the reserve stands outside all of them.
    is_outside = and_(LINE.c.pillar.is_(None), func.cardinality(GROUP.c.pillars) == 0)
    at_home = placed.where(or_(LINE.c.pillar == func.any(GROUP.c.pillars), is_outside))
    return _line_keys(known_at, exists(placed), ~exists(at_home))
