"""Statements on what plans hold: one list per kind of item, over all plans the caller may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, and_, cast, or_, select

from chassis.auth import Caller
from chassis.history import as_of
from chassis.listing import Listing
from services.plans.domain.filters import ItemFilter, PlanFilter
from services.plans.domain.items import OFFICE_FIELDS
from services.plans.store.headers import narrowed
from services.plans.store.item_tables import ITEM_TABLES
from services.plans.store.tables import Plan
from services.plans.store.visibility import contains, private, private_where, visible

_HOUSEKEEPING = frozenset({"admin_unit", "plan_key", "known_from", "known_to", "content_hash", "search_text"})
OF_PLAN = ("plan_key", "admin_unit", "province", "year", "plan_status")

# The item's own code a list can be narrowed by, beside pillar and office.
CODE_FIELDS = {
    "legal_bases": "relation",
    "reporting_duties": "cycle",
    "budget_rules": "kind",
    "external_systems": "connection",
    "discrepancies": "type",
}


def fields_of(name: str) -> tuple[str, ...]:
    """The fields of an item as they are served, place in the document first."""
    table = ITEM_TABLES[name]
    own = [field for field in table.model_fields if field not in _HOUSEKEEPING and field not in ("key", "position")]
    return ("key", "position", *own)


def item_columns(name: str, caller: Caller, table: Any) -> list[ColumnElement[Any]]:
    """The columns of an item under their own names; private ones empty for callers without a token."""
    hidden: dict[str, Callable[[Any], ColumnElement[Any]]] = {"note": lambda column: private(caller, column)}
    if name == "recipients":
        hidden["raw_text"] = lambda column: private_where(caller, table.names_person, column)
    return [hidden.get(field, _as_is)(getattr(table, field)) for field in fields_of(name)]


def _as_is(column: Any) -> ColumnElement[Any]:
    return column  # type: ignore[no-any-return]


def list_items(name: str, caller: Caller, wanted: ItemFilter, known_at: datetime | None) -> Listing:
    """Items of one kind, in the order of units, plans and documents."""
    table: Any = ITEM_TABLES[name]
    plan: Any = Plan
    of_plan = and_(plan.admin_unit == table.admin_unit, plan.plan_key == table.plan_key, as_of(plan, known_at))
    columns = [table.plan_key, table.admin_unit, plan.province, plan.year, plan.status.label("plan_status")]
    query = (
        select(*columns, *item_columns(name, caller, table))
        .join(plan, of_plan)
        .where(as_of(table, known_at), visible(caller), *_narrowed(name, table, wanted))
    )
    order = (table.admin_unit, table.plan_key, table.position, table.key)
    return Listing(query, order, (*OF_PLAN, *fields_of(name)))


def _narrowed(name: str, table: Any, wanted: ItemFilter) -> list[ColumnElement[bool]]:
    where = narrowed(PlanFilter(**{**_plain(wanted.plans), "words": None}), Plan)
    if wanted.plans.words:
        where.append(contains(table.search_text, wanted.plans.words))
    if wanted.keys:
        where.append(table.key.in_(wanted.keys))
    if wanted.pillars:
        where.append(or_(table.pillar.in_(wanted.pillars), table.alternative_pillar.in_(wanted.pillars)))
    if wanted.offices:
        asked = cast(list(wanted.offices), ARRAY(Text))
        where.append(or_(*(getattr(table, field).overlap(asked) for field in OFFICE_FIELDS[name])))
    if wanted.codes:
        where.append(getattr(table, CODE_FIELDS[name]).in_(wanted.codes))
    return where


def _plain(wanted: PlanFilter) -> dict[str, Any]:
    return {field: getattr(wanted, field) for field in PlanFilter.__dataclass_fields__}
