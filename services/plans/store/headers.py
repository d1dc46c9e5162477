"""Plan headers: the columns a caller may see, and the statements that narrow and embed them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Integer, Select, and_, cast, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from chassis.auth import Caller
from chassis.history import as_of
from chassis.listing import Listing
from services.plans.domain.filters import PlanFilter
from services.plans.domain.plans import PUBLIC_STATUSES
from services.plans.store.item_tables import BudgetRule
from services.plans.store.tables import Plan
from services.plans.store.visibility import contains, private, visible

IDENTITY = ("plan_id", "plan_key", "admin_unit", "province", "year", "kind", "revision", "status", "version")
STATED = (
    "phase", "title_vi", "title_en", "document_number", "document_number_raw", "issued_on", "issued_partial",
    "issuing_body", "signer_name", "signer_role", "signer_on_behalf", "standing_office", "standing_office_ref",
    "proposal_document", "implements", "implements_ref", "general_objectives", "budget_total_vnd",
    "budget_total_ref", "budget_total_computed", "prior_year_budget", "funding_sources", "annexes", "notes",
    "blank_in_source", "source_file", "slug",
)  # fmt: skip
ACTS = ("amendment", "closing")
HEADER = (*IDENTITY, "recorded_at", "public_from", *ACTS, *STATED)
PRIVATE = frozenset({"signer_name", "notes"})
RULE_FIELDS = ("key", "kind", "rule_vi", "params", "offices", "discrepancy", "source_ref", "note")


def header_columns(caller: Caller, plan: Any) -> list[ColumnElement[Any]]:
    """The columns of a header under their own names; private ones empty for callers without a token."""
    columns: list[ColumnElement[Any]] = []
    for name in HEADER:
        if name == "recorded_at":
            columns.append(plan.known_from.label("recorded_at"))
        elif name == "public_from":
            columns.append(_public_from(plan))
        elif name in PRIVATE:
            columns.append(private(caller, getattr(plan, name)))
        else:
            columns.append(getattr(plan, name))
    return columns


def _public_from(plan: Any) -> ColumnElement[Any]:
    """When the first public version of a plan was recorded, as far as a version of it can tell."""
    public: Any = aliased(Plan)
    first = select(func.min(public.known_from)).where(
        public.admin_unit == plan.admin_unit,
        public.plan_key == plan.plan_key,
        public.version <= plan.version,
        public.status.in_(PUBLIC_STATUSES),
    )
    return first.correlate_except(public).scalar_subquery().label("public_from")


def narrowed(wanted: PlanFilter, plan: Any) -> list[ColumnElement[bool]]:
    """The conditions of a filter on plans."""
    columns = {
        "plan_keys": plan.plan_key,
        "admin_units": plan.admin_unit,
        "provinces": plan.province,
        "kinds": plan.kind,
        "statuses": plan.status,
    }
    where = [column.in_(getattr(wanted, name)) for name, column in columns.items() if getattr(wanted, name)]
    if wanted.years:
        where.append(or_(*(in_year(plan, year) for year in wanted.years)))
    if wanted.words:
        where.append(contains(plan.search_text, wanted.words))
    return where


def in_year(plan: Any, year: int) -> ColumnElement[bool]:
    """Whether a plan is of a year: its own, or one within its phase ("2026-2030")."""
    last = func.coalesce(cast(func.substr(plan.phase, 6), Integer), plan.year)
    return and_(plan.year <= year, last >= year)


def list_plans(caller: Caller, wanted: PlanFilter, known_at: datetime | None) -> Listing:
    """Headers of the plans the caller may see."""
    return Listing(_headers(caller, wanted, known_at), (Plan.admin_unit, Plan.plan_key), HEADER)  # type: ignore[arg-type]


def list_plans_with_rules(caller: Caller, wanted: PlanFilter, known_at: datetime | None) -> Listing:
    """The same, each with its budget rules."""
    rules = _rules_of(caller, Plan, known_at).label("budget_rules")
    query = _headers(caller, wanted, known_at).add_columns(rules)
    return Listing(query, (Plan.admin_unit, Plan.plan_key), (*HEADER, "budget_rules"))  # type: ignore[arg-type]


def _headers(caller: Caller, wanted: PlanFilter, known_at: datetime | None) -> Select[Any]:
    where = (as_of(Plan, known_at), visible(caller), *narrowed(wanted, Plan))
    return select(*header_columns(caller, Plan)).where(*where)


def in_json(columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The same columns for a JSON array: moments as the house writes them, in UTC with Z."""
    return [utc_text(column) if isinstance(column.type, DateTime) else column for column in columns]


def utc_text(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """A moment as text."""
    at_utc = func.timezone("UTC", moment)
    return func.to_char(at_utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"').label(str(moment.key))


def rows_as_json(query: Select[Any], name: str) -> ColumnElement[Any]:
    """The rows of a correlated query as one JSON array, in the query's order."""
    rows = query.subquery(name)
    array = func.coalesce(func.json_agg(func.row_to_json(rows.table_valued())), literal_column("'[]'::json"))
    return select(array.cast(JSON)).select_from(rows).scalar_subquery()


def headers_of_unit(caller: Caller, code: Any, wanted: PlanFilter, known_at: datetime | None) -> ColumnElement[Any]:
    """The headers of one unit's plans, as a JSON array."""
    plan: Any = aliased(Plan)
    query = (
        select(*in_json(header_columns(caller, plan)))
        .where(plan.admin_unit == code, as_of(plan, known_at), visible(caller, plan), *narrowed(wanted, plan))
        .order_by(plan.plan_key)
        .correlate_except(plan)
    )
    return rows_as_json(query, "header")


def _rules_of(caller: Caller, plan: Any, known_at: datetime | None) -> ColumnElement[Any]:
    rule: Any = aliased(BudgetRule)
    columns = [private(caller, rule.note) if name == "note" else getattr(rule, name) for name in RULE_FIELDS]
    query = (
        select(*columns)
        .where(rule.admin_unit == plan.admin_unit, rule.plan_key == plan.plan_key, as_of(rule, known_at))
        .order_by(rule.position, rule.key)
        .correlate_except(rule)
    )
    return rows_as_json(query, "rule")
