"""The service's tables. Every row says when it was known; nothing is overwritten unseen.

`search_text` is the folded text that `q` looks in; `sort_key` orders names as a Vietnamese dictionary does.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field, SQLModel

from chassis.database import model_base
from chassis.history import Versioned
from services.plans.store.columns import bytewise, json_field, optional_text, texts, words

if TYPE_CHECKING:
    Base = SQLModel  # a type checker cannot follow a base class that is made at run time
else:
    Base = model_base("plans")


def one_current(table: type[SQLModel], *key: str) -> None:
    """One present row of a key at most; the index also serves every reading of the present."""
    columns = [getattr(table, name) for name in key]
    is_current = text("known_to IS NULL")
    Index(f"uq_{table.__tablename__}_current", *columns, unique=True, postgresql_where=is_current)


class AdminUnit(Versioned, Base, table=True):
    """What a code means between two days."""

    __tablename__ = "admin_unit"
    __table_args__ = (CheckConstraint("valid_to > valid_from", name="validity"),)
    code: str = Field(primary_key=True, sa_type=Text)
    valid_from: date = Field(primary_key=True)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    valid_to: date | None = None
    name_vi: str = words()
    name_en: str = words()
    type: str = words()
    province_code: str | None = optional_text()
    agency_code: str | None = optional_text()
    sort_key: str = bytewise()
    search_text: str = words()


Index("ix_admin_unit_province", AdminUnit.province_code, AdminUnit.code)  # type: ignore[arg-type]


class OfficeKind(Versioned, Base, table=True):
    """A kind of office, shared by all units; `key` is its slug."""

    __tablename__ = "office_kind"
    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    name_vi: str = words()
    name_en: str = words()
    level: str = words()
    aliases: list[str] = texts()
    alias_keys: list[str] = texts()
    note: str | None = optional_text()
    sort_key: str = bytewise()
    search_text: str = words()


class Office(Versioned, Base, table=True):
    """An office of one unit; what it leaves out it takes from the kind of the same slug."""

    __tablename__ = "office"
    admin_unit: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    name_vi: str | None = optional_text()
    name_en: str | None = optional_text()
    level: str | None = optional_text()
    aliases: list[str] = texts()
    alias_keys: list[str] = texts()
    agency_code: str | None = optional_text()
    search_text: str = words()


class Plan(Versioned, Base, table=True):
    """The header of a plan: one row per version, the current one without `known_to`."""

    __tablename__ = "plan"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'issued', 'amended', 'closed')", name="status"),
        CheckConstraint("revision >= 1 AND version >= 1", name="counts"),
    )
    admin_unit: str = Field(primary_key=True, sa_type=Text)
    plan_key: str = Field(primary_key=True, sa_type=Text)
    version: int = Field(primary_key=True)
    plan_id: UUID
    province: str = words()
    year: int
    kind: str = words()
    phase: str | None = optional_text()
    revision: int
    status: str = words()
    title_vi: str = words()
    title_en: str = words()
    document_number: str | None = optional_text()
    document_number_raw: str | None = optional_text()
    issued_on: date | None = None
    issued_partial: str | None = optional_text()
    issuing_body: str = words()
    signer_name: str | None = optional_text()
    signer_role: str | None = optional_text()
    signer_on_behalf: str | None = optional_text()
    standing_office: str | None = optional_text()
    standing_office_ref: str | None = optional_text()
    proposal_document: dict[str, Any] | None = json_field()
    implements: list[str] = texts()
    implements_ref: str | None = optional_text()
    general_objectives: list[str] = texts()
    budget_total_vnd: int | None = Field(default=None, sa_type=BigInteger)
    budget_total_ref: str | None = optional_text()
    budget_total_computed: dict[str, Any] | None = json_field()
    prior_year_budget: dict[str, Any] | None = json_field()
    funding_sources: list[dict[str, Any]] = json_field()
    annexes: list[dict[str, Any]] = json_field()
    notes: list[str] = texts()
    blank_in_source: list[str] = texts()
    source_file: str | None = optional_text()
    slug: str | None = optional_text()
    amendment: dict[str, Any] | None = json_field()
    closing: dict[str, Any] | None = json_field()
    search_text: str = words()


Index("ix_plan_plan_key", Plan.plan_key, Plan.version)  # type: ignore[arg-type]
Index("ix_plan_province", Plan.province, Plan.year)  # type: ignore[arg-type]
one_current(Plan, "admin_unit", "year", "kind")
one_current(AdminUnit, "code", "valid_from")
one_current(OfficeKind, "key")
one_current(Office, "admin_unit", "key")
