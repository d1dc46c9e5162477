"""Totals of what plans state: by expenditure kind, pillar, office or funding source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, cast, func, literal, select, true
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from chassis.history import as_of
from chassis.listing import Listing
from services.budget.domain.filters import Dimension, LineFilter, PlanFilter, Scope
from services.budget.store.filters import asked_lines, asked_plans, of_plan
from services.budget.store.tables import LINE, PLAN

TOTAL_FIELDS = (
    "plan_key",
    "admin_unit",
    "province",
    "year",
    "by",
    "value",
    "stage",
    "plans",
    "lines",
    "amount_vnd",
    "multi_year_lines",
    "multi_year_amount_vnd",
    "shared_amount_vnd",
)


def list_totals(
    caller: Caller, by: Dimension, per: Scope, wanted: tuple[PlanFilter, LineFilter], known_at: datetime | None
) -> Listing:
    """Sums of lines by one dimension; lines outside it (no pillar, no office) are summed under null.

    A line led by several offices counts whole under each: `shared_amount_vnd` is that part. A line over
    several years counts whole, because plans do not divide it: `multi_year_amount_vnd` is that part.
    """
    plans, lines = wanted
    source, value, is_shared = _source(by)
    keys = _keys(per)
    is_multi_year = func.cardinality(LINE.c.budget_years) > 1
    total = (
        source.add_columns(
            *keys,
            literal(by.value, Text).label("by"),
            cast(value, Text).label("value"),
            LINE.c.stage,
            func.count(PLAN.c.plan_key.distinct()).label("plans"),
            func.count().label("lines"),
            func.sum(LINE.c.amount_vnd).label("amount_vnd"),
            func.count().filter(is_multi_year).label("multi_year_lines"),
            _part(is_multi_year).label("multi_year_amount_vnd"),
            _part(is_shared).label("shared_amount_vnd"),
            func.coalesce(cast(value, Text), "").label("value_key"),
        )
        .where(as_of(LINE.c, known_at), *asked_plans(caller, plans, known_at), *asked_lines(lines))
        .group_by(*(key for key in keys if key.name != "scope_key"), value, LINE.c.stage)
    ).subquery("total")
    order = (total.c.scope_key, total.c.year, total.c.value_key, total.c.stage)
    return Listing(select(total), order, TOTAL_FIELDS, shape=_whole)


def _source(by: Dimension) -> tuple[Select[Any], ColumnElement[Any], ColumnElement[bool]]:
    """Where rows come from, what they are broken down by, and whether a row shares its line with others."""
    joined = LINE.join(PLAN, of_plan(LINE))
    if by is not Dimension.OFFICE:
        return select().select_from(joined), LINE.c[by.value], literal(False)
    office = func.unnest(LINE.c.lead_offices).table_valued("slug").render_derived("office").lateral()
    return (
        select().select_from(joined.outerjoin(office, true())),
        office.c.slug,
        func.cardinality(LINE.c.lead_offices) > 1,
    )


def _keys(per: Scope) -> list[Any]:
    if per is Scope.PLAN:
        keys = [PLAN.c.plan_key, PLAN.c.admin_unit, PLAN.c.province, PLAN.c.year]
        return [*keys, PLAN.c.plan_key.label("scope_key")]
    nothing = [literal(None, Text).label(name) for name in ("plan_key", "admin_unit")]
    return [*nothing, PLAN.c.province, PLAN.c.year, PLAN.c.province.label("scope_key")]


def _part(which: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(LINE.c.amount_vnd).filter(which), 0)


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """Sums of 64-bit integers come as decimals; they are whole đồng."""
    return {name: int(value) if name.endswith("_vnd") else value for name, value in row.items()}
