"""The tables of the budget service: its own versioned sets, and replicas of units, offices and plan headers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from chassis.database import model_base
from chassis.history import Versioned
from chassis.money import MAX_VND

if TYPE_CHECKING:
    Base = SQLModel  # a type checker cannot follow a base class that is made at run time
else:
    Base = model_base("budget")


def _texts() -> Any:
    return Column(ARRAY(Text), nullable=False)


class AdminUnit(Base, table=True):
    """A unit under one code for one span of time, as the plans service tells it."""

    __tablename__ = "admin_unit"

    code: str = Field(primary_key=True, sa_type=Text)
    valid_from: date = Field(primary_key=True, sa_type=Date)
    valid_to: date | None = Field(default=None, sa_type=Date)
    name_vi: str = Field(sa_type=Text)
    name_en: str | None = Field(default=None, sa_type=Text)
    type: str = Field(sa_type=Text)
    province_code: str | None = Field(default=None, sa_type=Text)
    version: int = Field(sa_type=BigInteger)


class Office(Base, table=True):
    """An office of a unit, as the plans service tells it."""

    __tablename__ = "office"

    admin_unit: str = Field(primary_key=True, sa_type=Text)
    slug: str = Field(primary_key=True, sa_type=Text)
    name_vi: str = Field(sa_type=Text)
    name_en: str | None = Field(default=None, sa_type=Text)
    level: str = Field(sa_type=Text)
    aliases: list[str] = Field(sa_column=_texts())
    version: int = Field(sa_type=BigInteger)


class Plan(Base, table=True):
    """The header of a plan with its stated total and its own budget rules, as the plans service tells it."""

    __tablename__ = "plan"

    plan_key: str = Field(primary_key=True, sa_type=Text)
    plan_id: UUID = Field(sa_type=Uuid)
    admin_unit: str = Field(sa_type=Text)
    province: str = Field(sa_type=Text)
    year: int = Field(sa_type=SmallInteger)
    kind: str = Field(sa_type=Text)
    revision: int = Field(sa_type=Integer)
    status: str = Field(sa_type=Text)
    public_from: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    title_vi: str = Field(sa_type=Text)
    title_en: str | None = Field(default=None, sa_type=Text)
    document_number: str | None = Field(default=None, sa_type=Text)
    issued_on: date | None = Field(default=None, sa_type=Date)
    version: int = Field(sa_type=BigInteger)
    budget_total_vnd: int | None = Field(default=None, sa_type=BigInteger)
    budget_rules: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))

    __table_args__ = (Index("ix_plan_admin_unit", "admin_unit"), Index("ix_plan_province_year", "province", "year"))


class _Item(Versioned):
    """What every versioned row of a plan's budget has: whose it is, its key, and its place in the document."""

    admin_unit: str = Field(primary_key=True, sa_type=Text)
    plan_key: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    position: int = Field(sa_type=Integer)


def _constraints(table: str, *more: CheckConstraint) -> tuple[Any, ...]:
    """One current row of a key at most; the index also serves every reading of the present."""
    key = ("admin_unit", "plan_key", "key")
    current = Index(f"uq_{table}_current", *key, unique=True, postgresql_where=text("known_to IS NULL"))
    return (PrimaryKeyConstraint(*key, "known_from"), current, *more)


def _amount_in_range() -> CheckConstraint:
    return CheckConstraint(f"amount_vnd > 0 AND amount_vnd <= {MAX_VND}", name="amount_vnd")


class BudgetSet(Base, table=True):
    """For which revision of its plan a budget was last applied; a correction leaves it as it is."""

    __tablename__ = "budget_set"

    plan_key: str = Field(primary_key=True, sa_type=Text)
    revision: int = Field(sa_type=Integer)


class BudgetLine(_Item, Base, table=True):
    """A line of a plan's budget; the later ledger of movements names it by unit, plan and key."""

    __tablename__ = "budget_line"
    __table_args__ = _constraints(
        "budget_line",
        _amount_in_range(),
        CheckConstraint("stage = 'estimated'", name="stage"),
        CheckConstraint("expenditure_kind <> 'reserve' OR pillar IS NULL", name="reserve_outside_pillars"),
    )

    number: str | None = Field(sa_type=Text)
    title_vi: str = Field(sa_type=Text)
    title_en: str | None = Field(sa_type=Text)
    scope_vi: str | None = Field(sa_type=Text)
    amount_vnd: int = Field(sa_type=BigInteger)
    stage: str = Field(sa_type=Text)
    amount_kind: str | None = Field(sa_type=Text)
    budget_years: list[int] = Field(sa_column=Column(ARRAY(SmallInteger), nullable=False))
    expenditure_kind: str = Field(sa_type=Text)
    expenditure_kind_stated: bool
    pillar: str | None = Field(sa_type=Text)
    pillar_stated: bool
    funding_source: str | None = Field(sa_type=Text)
    lead_offices: list[str] = Field(sa_column=_texts())
    coordinating_offices: list[str] = Field(sa_column=_texts())
    beneficiaries: list[str] = Field(sa_column=_texts())
    execution_time_text: str | None = Field(sa_type=Text)
    execution_time_kind: str | None = Field(sa_type=Text)
    execution_time: str | None = Field(sa_type=Text)
    starts_on: date | None = Field(sa_type=Date)
    ends_on: date | None = Field(sa_type=Date)
    quantity_value: Decimal | None = Field(sa_type=Numeric(20, 6))
    quantity_unit: str | None = Field(sa_type=Text)
    phase: int | None = Field(sa_type=SmallInteger)
    tasks: list[str] = Field(sa_column=_texts())
    targets: list[str] = Field(sa_column=_texts())
    index_version: str | None = Field(sa_type=Text)
    chapter_code: str | None = Field(sa_type=Text)
    category_code: str | None = Field(sa_type=Text)
    clause_code: str | None = Field(sa_type=Text)
    item_code: str | None = Field(sa_type=Text)
    subitem_code: str | None = Field(sa_type=Text)
    source_ref: str | None = Field(sa_type=Text)
    note: str | None = Field(sa_type=Text)
    search_text: str = Field(sa_type=Text)


class BudgetGroup(_Item, Base, table=True):
    """A group of the plan's table of money by pillar."""

    __tablename__ = "budget_group"
    __table_args__ = _constraints("budget_group", _amount_in_range())

    number: str | None = Field(sa_type=Text)
    title_vi: str = Field(sa_type=Text)
    pillars: list[str] = Field(sa_column=_texts())
    amount_vnd: int = Field(sa_type=BigInteger)
    source_ref: str | None = Field(sa_type=Text)
    note: str | None = Field(sa_type=Text)
    search_text: str = Field(sa_type=Text)


class BudgetCell(_Item, Base, table=True):
    """A money cell of a group and the lines it sums up."""

    __tablename__ = "budget_cell"
    __table_args__ = _constraints("budget_cell", _amount_in_range())

    group_key: str = Field(sa_type=Text)
    scope_vi: str = Field(sa_type=Text)
    objective_vi: str | None = Field(sa_type=Text)
    amount_vnd: int = Field(sa_type=BigInteger)
    lines: list[str] = Field(sa_column=_texts())
    source_ref: str | None = Field(sa_type=Text)
    note: str | None = Field(sa_type=Text)


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


# The tables as statements name them.
UNIT, OFFICE, PLAN = _table(AdminUnit), _table(Office), _table(Plan)
LINE, GROUP, CELL = _table(BudgetLine), _table(BudgetGroup), _table(BudgetCell)
APPLIED = _table(BudgetSet)
