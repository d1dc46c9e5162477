"""Statements on one plan: the whole document, and what is written of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, or_, select, update

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.execution_time import implied_days
from chassis.history import SetDiff, apply_set, as_of, content_hash
from chassis.text import fold
from services.plans.domain.filters import AsKnown, PlanFilter
from services.plans.store.headers import (
    ACTS,
    HEADER,
    IDENTITY,
    PRIVATE,
    STATED,
    header_columns,
    in_json,
    list_plans_with_rules,
    rows_as_json,
)
from services.plans.store.item_tables import ITEM_TABLES
from services.plans.store.items import item_columns
from services.plans.store.tables import Plan
from services.plans.store.visibility import visible

RECORDED = (*IDENTITY, *ACTS, *STATED)
LISTS = tuple(ITEM_TABLES)

# What `q` looks in; people's names and remarks are left out, so that searching cannot reveal them.
SEARCHED = {
    "legal_bases": ("document_number", "document_kind", "issuer", "subject_vi", "alias"),
    "tasks": ("title_vi", "group_vi", "cadence"),
    "reporting_duties": ("content_vi", "due_rule"),
    "budget_rules": ("rule_vi",),
    "prior_year_results": ("area_vi", "result_vi", "difficulty_vi"),
    "recipients": ("raw_text",),
    "external_systems": ("name_vi", "owner_vi", "ask_vi"),
    "discrepancies": ("location", "issue_vi"),
}


async def find_document(
    db: ReadSession, caller: Caller, plan_key: str, asked: AsKnown | None = None
) -> dict[str, Any] | None:
    """A whole plan as the caller may see it, in one statement; None if there is none."""
    found = await db.execute(_document(caller, plan_key, asked or AsKnown()))
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


def _document(caller: Caller, plan_key: str, asked: AsKnown) -> Select[Any]:
    plan: Any = Plan
    lists = [_items_of(name, caller).label(name) for name in LISTS]
    query = select(*header_columns(caller, plan), *lists).where(plan.plan_key == plan_key, visible(caller))
    if asked.revision is None:
        return query.where(as_of(plan, asked.known_at))
    query = query.where(plan.revision == asked.revision)
    if asked.known_at is not None:
        query = query.where(plan.known_from <= asked.known_at)
    return query.order_by(plan.version.desc()).limit(1)


def _items_of(name: str, caller: Caller) -> Any:
    """The items of the plan's row: those known when that row was recorded, since every change makes a new row."""
    table: Any = ITEM_TABLES[name]
    plan: Any = Plan
    columns = [column for column in item_columns(name, caller, table) if column.key != "position"]
    query = (
        select(*in_json(columns))
        .where(
            table.admin_unit == plan.admin_unit,
            table.plan_key == plan.plan_key,
            table.known_from <= plan.known_from,
            or_(table.known_to.is_(None), table.known_to > plan.known_from),
        )
        .order_by(table.position, table.key)
        .correlate_except(table)
    )
    return rows_as_json(query, f"the_{name}")


async def find_announced(db: ReadSession, caller: Caller, plan_key: str) -> dict[str, Any]:
    """The present header of a plan with its budget rules, for the event that announces it."""
    listing = list_plans_with_rules(caller, PlanFilter(plan_keys=(plan_key,)), None)
    row = (await db.execute(listing.query)).mappings().one()
    return {**{name: row[name] for name in HEADER if name not in PRIVATE}, "budget_rules": row["budget_rules"]}


async def record_header(db: Session, header: Mapping[str, Any], at: datetime) -> None:
    """Write a version of a header; the one before stays readable."""
    plan: Any = Plan
    row = {name: header[name] for name in RECORDED}
    await db.execute(
        update(plan)
        .where(plan.admin_unit == row["admin_unit"], plan.plan_key == row["plan_key"], plan.known_to.is_(None))
        .values(known_to=at)
        .execution_options(synchronize_session=False)
    )
    words = (row["title_vi"], row["title_en"], row["document_number"], row["issuing_body"], row["plan_key"])
    search_text = " | ".join(fold(part) for part in words if part)
    written = {**row, "known_from": at, "content_hash": content_hash(row), "search_text": search_text}
    await db.execute(insert(plan), [written])


async def apply_items(
    db: Session,
    scope: Mapping[str, str],
    lists: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    prune: bool,
    at: datetime,
) -> dict[str, SetDiff]:
    """Make the lists of one plan say what the body says: at most three statements per list."""
    changes = {}
    for name, items in lists.items():
        rows = [_row(name, position, item) for position, item in enumerate(items, 1)]
        changes[name] = await apply_set(db, ITEM_TABLES[name], scope, rows, prune=prune, at=at)
    return changes


def _row(name: str, position: int, item: Mapping[str, Any]) -> dict[str, Any]:
    searched = () if item.get("names_person") else SEARCHED[name]
    search_text = " | ".join(fold(item[field]) for field in searched if item[field])
    row = {**item, "position": position, "search_text": search_text}
    if name == "tasks":
        days = implied_days(item["execution_time_kind"], item["execution_time"])
        row |= {"starts_on": days.starts_on, "ends_on": days.ends_on, "is_continuous": days.is_continuous}
    return row
