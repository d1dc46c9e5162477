"""Budget lines, groups and cells: how they are asked for and how a plan's set is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, Text, func, literal, literal_column, or_, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.decimals import plain
from chassis.history import SetDiff, apply_set, as_of
from chassis.listing import Listing
from services.budget.domain.filters import LineFilter, PlanFilter
from services.budget.domain.sets import INDEX_CODES
from services.budget.store.filters import asked_lines, asked_plans, of_plan, says
from services.budget.store.tables import (
    APPLIED,
    CELL,
    GROUP,
    LINE,
    PLAN,
    Base,
    BudgetCell,
    BudgetGroup,
    BudgetLine,
    Plan,
)

PLAN_FIELDS = ("plan_key", "admin_unit", "province", "year", "plan_status")
_COLUMNS_OF_OBJECTS = {"quantity_value", "quantity_unit", "index_version", *INDEX_CODES}
_UNSAID = {"key", "position", "admin_unit", "plan_key", "known_from", "known_to", "content_hash", "search_text"}
_INTERNAL = {"admin_unit", "plan_key", "known_from", "known_to", "content_hash", "search_text"}


def _own_fields(table: Table) -> list[str]:
    return [column.name for column in table.c if column.name not in _INTERNAL | _COLUMNS_OF_OBJECTS]


LINE_FIELDS = (*PLAN_FIELDS, *_own_fields(LINE), "is_continuous", "quantity", "budget_index", "known_from")
GROUP_FIELDS = (*PLAN_FIELDS, *_own_fields(GROUP), "lines", "cells", "known_from")


def plan_columns() -> list[Any]:
    """What every row says of its plan."""
    return [PLAN.c.plan_key, PLAN.c.admin_unit, PLAN.c.province, PLAN.c.year, PLAN.c.status.label("plan_status")]


def _own_columns(caller: Caller, table: Table) -> list[Any]:
    """A set's own columns; remarks of the recorder are for callers with a token."""
    hidden = _INTERNAL - {"known_from"}
    shown = [column for column in table.c if column.name not in hidden]
    if not caller.is_anonymous:
        return shown
    return [literal(None, Text).label("note") if column.name == "note" else column for column in shown]


def list_lines(caller: Caller, plans: PlanFilter, lines: LineFilter, known_at: datetime | None) -> Listing:
    """Lines of every plan the caller may see, in the documents' order."""
    query = (
        select(*plan_columns(), *_own_columns(caller, LINE))
        .join_from(LINE, PLAN, of_plan(LINE))
        .where(as_of(LINE.c, known_at), *asked_plans(caller, plans, known_at), *asked_lines(lines))
    )
    return Listing(query, (PLAN.c.plan_key, LINE.c.position, LINE.c.key), LINE_FIELDS, shape=shape_line)


def shape_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line as callers see it: quantity and codes of the budget index as objects, or nothing."""
    quantity = None
    if row["quantity_value"] is not None:
        quantity = {"value": plain(row["quantity_value"]), "unit": row["quantity_unit"]}
    index = None
    if row["index_version"] is not None:
        index = {"version": row["index_version"], **{name: row[name] for name in INDEX_CODES}}
    is_continuous = row["execution_time_kind"] == "ongoing"
    return {**row, "quantity": quantity, "budget_index": index, "is_continuous": is_continuous}


def list_groups(caller: Caller, plans: PlanFilter, words: str | None, known_at: datetime | None) -> Listing:
    """Groups with their cells, in the documents' order."""
    query = (
        select(*plan_columns(), *_own_columns(caller, GROUP), _cells(caller, known_at).label("cells"))
        .join_from(GROUP, PLAN, of_plan(GROUP))
        .where(
            as_of(GROUP.c, known_at), *asked_plans(caller, plans, known_at), *([says(GROUP, words)] if words else [])
        )
    )
    return Listing(query, (PLAN.c.plan_key, GROUP.c.position, GROUP.c.key), GROUP_FIELDS, shape=shape_group)


_CELL_FIELDS = ("key", "scope_vi", "objective_vi", "amount_vnd", "lines", "source_ref", "note")


def _cells(caller: Caller, known_at: datetime | None) -> ColumnElement[Any]:
    shown: dict[str, ColumnElement[Any]] = {name: CELL.c[name] for name in _CELL_FIELDS}
    if caller.is_anonymous:
        shown["note"] = literal(None, Text)
    in_order = aggregate_order_by(json_object(shown), CELL.c.position, CELL.c.key)
    return (
        select(func.coalesce(func.jsonb_agg(in_order), literal_column("'[]'::jsonb")))
        .where(of_plan(CELL), CELL.c.group_key == GROUP.c.key, as_of(CELL.c, known_at))
        .correlate(PLAN, GROUP)
        .scalar_subquery()
    )


def json_object(fields: Mapping[str, Any]) -> ColumnElement[Any]:
    """Columns as one JSON object."""
    return func.jsonb_build_object(*(part for name, value in fields.items() for part in (f"{name}", value)))


def shape_group(row: Mapping[str, Any]) -> dict[str, Any]:
    """A group as callers see it; its lines are those of its cells."""
    return {**row, "lines": list(dict.fromkeys(key for cell in row["cells"] for key in cell["lines"]))}


async def load_lines(db: ReadSession, caller: Caller, plan: Plan, known_at: datetime | None) -> list[dict[str, Any]]:
    """Every line of one plan, as callers see it."""
    return await _load(db, list_lines(caller, PlanFilter((plan.plan_key,)), LineFilter(), known_at))


async def load_groups(db: ReadSession, caller: Caller, plan: Plan, known_at: datetime | None) -> list[dict[str, Any]]:
    """Every group of one plan with its cells, as callers see it."""
    return await _load(db, list_groups(caller, PlanFilter((plan.plan_key,)), None, known_at))


async def _load(db: ReadSession, listing: Listing) -> list[dict[str, Any]]:
    found = await db.execute(listing.query.order_by(*listing.order))
    fields = tuple(name for name in listing.columns if name not in PLAN_FIELDS)
    return [listing.row(row, fields) for row in found.mappings()]


async def load_amounts(db: ReadSession, plan: Plan) -> dict[str, dict[str, int]]:
    """The keys and amounts of a plan's present lines, groups and cells. One statement."""
    present = [
        select(literal(name, Text).label("name"), table.c.key, table.c.amount_vnd).where(
            table.c.admin_unit == plan.admin_unit, table.c.plan_key == plan.plan_key, as_of(table.c, None)
        )
        for name, table in _TABLES.items()
    ]
    amounts: dict[str, dict[str, int]] = {name: {} for name in _TABLES}
    for name, key, amount in await db.execute(union_all(*present)):
        amounts[name][key] = amount
    return amounts


async def load_version(db: ReadSession, plan_key: str) -> int:
    """The version of a plan's budget: 0 before it was first applied."""
    head = Base.metadata.tables["budget.aggregate_head"].c
    found = await db.execute(select(head.version).where(head.subject == plan_key))
    return found.scalar() or 0


_TABLES = {"lines": LINE, "groups": GROUP, "cells": CELL}
_SETS = {"lines": BudgetLine, "groups": BudgetGroup, "cells": BudgetCell}


async def apply_sets(
    db: Session, plan: Plan, sets: Mapping[str, Sequence[Mapping[str, Any]]], *, prune: bool, at: datetime
) -> dict[str, SetDiff]:
    """Make lines, groups and cells of a plan say what the body says: at most three statements each."""
    scope = {"admin_unit": plan.admin_unit, "plan_key": plan.plan_key}
    return {name: await apply_set(db, table, scope, sets[name], prune=prune, at=at) for name, table in _SETS.items()}


async def load_changes(db: ReadSession, plan: Plan, name: str, at: datetime) -> list[dict[str, Any]]:
    """What one moment changed in a set: per key everything it said before, and says now."""
    table = _TABLES[name].c
    fields = [column.name for column in table if column.name not in _UNSAID]
    found = await db.execute(
        select(table.key, table.known_from, *(table[field] for field in fields))
        .where(table.admin_unit == plan.admin_unit, table.plan_key == plan.plan_key)
        .where(or_(table.known_from == at, table.known_to == at))
        .order_by(table.position, table.key)
    )
    changes: dict[str, dict[str, Any]] = {}
    for row in found.mappings():
        change = changes.setdefault(row["key"], {"set": name, "key": row["key"], "old": None, "new": None})
        change["new" if row["known_from"] == at else "old"] = {field: row[field] for field in fields}
    return list(changes.values())


async def find_applied_revision(db: ReadSession, plan: Plan) -> int | None:
    """The revision of its plan for which a budget was last applied; None: it never was."""
    found = await db.execute(select(APPLIED.c.revision).where(APPLIED.c.plan_key == plan.plan_key))
    revision: int | None = found.scalar()
    return revision


async def note_applied(db: Session, plan: Plan) -> None:
    """Remember for which revision of its plan a budget was applied."""
    written = insert(APPLIED).values(plan_key=plan.plan_key, revision=plan.revision)
    newest = func.greatest(APPLIED.c.revision, written.excluded.revision)
    await db.execute(written.on_conflict_do_update(index_elements=["plan_key"], set_={"revision": newest}))
