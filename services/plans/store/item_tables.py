"""The tables of what a plan holds. The key holds the unit, so that data can be spread by commune."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from chassis.history import Versioned
from services.plans.store.columns import json_field, optional_text, texts, words
from services.plans.store.tables import Base, one_current


class ItemAddress(SQLModel):
    """Whose item it is, and which."""

    admin_unit: str = Field(primary_key=True, sa_type=Text)
    plan_key: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)


class PlanItem(Versioned, ItemAddress):
    """What every item has: its address, its place in the document, when it was known."""

    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    position: int = Field(sa_type=SmallInteger)
    note: str | None = optional_text()
    search_text: str = words()


class Task(PlanItem, Base, table=True):
    """A task, with the days its time implies."""

    __tablename__ = "task"
    group_vi: str | None = optional_text()
    title_vi: str = words()
    pillar: str | None = optional_text()
    pillar_stated: bool | None = None
    alternative_pillar: str | None = optional_text()
    lead_offices: list[str] = texts()
    lead_basis: str | None = optional_text()
    lead_ref: str | None = optional_text()
    lead_role: str | None = optional_text()
    coordinating_offices: list[str] = texts()
    supporting_offices: list[str] = texts()
    execution_time_kind: str | None = optional_text()
    execution_time: str | None = optional_text()
    execution_time_text: str | None = optional_text()
    execution_time_ref: str | None = optional_text()
    starts_on: date | None = None
    ends_on: date | None = None
    is_continuous: bool
    cadence: str | None = optional_text()
    source_ref: str | None = optional_text()
    budget_lines: list[str] = texts()
    budget_rule: str | None = optional_text()
    reporting_duty: str | None = optional_text()
    external_systems: list[str] = texts()
    delegated_to_annex: bool
    from_annex: bool


class LegalBasis(PlanItem, Base, table=True):
    """A legal basis, cited as written."""

    __tablename__ = "legal_basis"
    document_number: str | None = optional_text()
    document_kind: str = words()
    issued_on: date | None = None
    issuer: str | None = optional_text()
    issuer_level: str = words()
    subject_vi: str | None = optional_text()
    relation: str = words()
    amends: list[str] = texts()
    implements: list[str] = texts()
    variants: list[str] = texts()
    alias: str | None = optional_text()
    same_as: str | None = optional_text()
    cited_in: str | None = optional_text()
    funds_plan: bool
    discrepancy: str | None = optional_text()
    source_ref: str | None = optional_text()


class ReportingDuty(PlanItem, Base, table=True):
    """A reporting duty."""

    __tablename__ = "reporting_duty"
    cycle: str = words()
    due_rule: str = words()
    from_offices: list[str] = texts()
    to_offices: list[str] = texts()
    via_offices: list[str] = texts()
    content_vi: str = words()
    due_before_day: int | None = Field(default=None, sa_type=SmallInteger)
    due_months: list[int] = Field(sa_type=ARRAY(SmallInteger))
    due_month: str | None = optional_text()
    due_dates: list[str] = texts()
    source_ref: str | None = optional_text()


class BudgetRule(PlanItem, Base, table=True):
    """A rule a plan sets for its own money."""

    __tablename__ = "budget_rule"
    kind: str = words()
    rule_vi: str = words()
    params: dict[str, Any] | None = json_field()
    offices: list[str] = texts()
    discrepancy: str | None = optional_text()
    source_ref: str | None = optional_text()


class PriorYearResult(PlanItem, Base, table=True):
    """A result of the year before."""

    __tablename__ = "prior_year_result"
    area_vi: str = words()
    result_vi: str = words()
    value: Decimal | None = Field(default=None, sa_type=Numeric)
    measure_unit: str | None = optional_text()
    scope_count: int | None = None
    scope_unit: str | None = optional_text()
    difficulty_vi: str | None = optional_text()
    source_ref: str | None = optional_text()


class Recipient(PlanItem, Base, table=True):
    """A recipient."""

    __tablename__ = "recipient"
    raw_text: str = words()
    names_person: bool
    offices: list[str] = texts()
    source_ref: str | None = optional_text()


class ExternalSystem(PlanItem, Base, table=True):
    """A system the plan names, and whether data flow to it."""

    __tablename__ = "external_system"
    name_vi: str = words()
    boundary: str = words()
    owner_vi: str | None = optional_text()
    ask_vi: str = words()
    connection: str = words()
    last_success_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    source_refs: list[str] = texts()


class Discrepancy(PlanItem, Base, table=True):
    """Something in the document that does not fit."""

    __tablename__ = "discrepancy"
    location: str = words()
    issue_vi: str = words()
    type: str = words()


ITEM_TABLES: dict[str, type[SQLModel]] = {
    "legal_bases": LegalBasis,
    "tasks": Task,
    "reporting_duties": ReportingDuty,
    "budget_rules": BudgetRule,
    "prior_year_results": PriorYearResult,
    "recipients": Recipient,
    "external_systems": ExternalSystem,
    "discrepancies": Discrepancy,
}

for _table in ITEM_TABLES.values():
    one_current(_table, "admin_unit", "plan_key", "key")
