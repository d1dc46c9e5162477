"""The tables of the indicators service.

Codes live in small tables with an integer beside each; the large tables (targets, actuals, revisions) hold
the integers, the commune's first, so that a bulk post joins and compares numbers and a cluster can
distribute by commune. The large tables have no foreign keys: every integer in them was resolved by a join.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from chassis.database import model_base
from chassis.history import Versioned

if TYPE_CHECKING:
    Base = SQLModel  # a type checker cannot follow a base class that is made at run time
else:
    Base = model_base("indicators")

NOW = text("known_to IS NULL")


def _texts() -> Any:
    return Column(ARRAY(Text), nullable=False)


def _own_number(kind: type[Integer] | type[BigInteger] = Integer) -> Any:
    return Column(kind, Identity(always=False), primary_key=True)


class AdminUnit(Base, table=True):
    """The integer of a unit's code, with the names of its latest validity.

    A recycled code keeps its integer: its validities tell what it named when.
    """

    __tablename__ = "admin_unit"
    __table_args__ = (UniqueConstraint("code"), Index("ix_admin_unit_search_text", "search_text"))

    id: int = Field(sa_column=_own_number())
    code: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    name_vi: str = Field(sa_type=Text)
    name_en: str | None = Field(default=None, sa_type=Text)
    type: str = Field(sa_type=Text)
    province_code: str | None = Field(default=None, sa_type=Text)
    search_text: str = Field(sa_type=Text)


class AdminUnitValidity(Base, table=True):
    """A span of time in which a unit's code holds, as the plans service tells it; `valid_to` is exclusive."""

    __tablename__ = "admin_unit_validity"

    admin_unit_id: int = Field(primary_key=True, sa_type=Integer)
    valid_from: date = Field(primary_key=True, sa_type=Date)
    valid_to: date | None = Field(default=None, sa_type=Date)
    name_vi: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    province_code: str | None = Field(default=None, sa_type=Text)


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
    """The header of a plan, as the plans service tells it."""

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

    __table_args__ = (Index("ix_plan_admin_unit", "admin_unit"), Index("ix_plan_province_year", "province", "year"))


class IndicatorCode(Base, table=True):
    """The integer of an indicator's code; it never changes and is never used again."""

    __tablename__ = "indicator_code"
    __table_args__ = (UniqueConstraint("code"),)

    id: int = Field(sa_column=_own_number())
    code: str = Field(sa_type=Text)


class Indicator(Versioned, Base, table=True):
    """What is measured, in every version; `owner` is empty for the common catalogue, else a unit's code."""

    __tablename__ = "indicator"
    __table_args__ = (
        Index("uq_indicator_current", "key", unique=True, postgresql_where=NOW),
        Index("ix_indicator_indicator_id", "indicator_id"),
    )

    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    indicator_id: int = Field(sa_type=Integer)
    owner: str = Field(sa_type=Text)
    name_vi: str = Field(sa_type=Text)
    name_en: str = Field(sa_type=Text)
    pillar: str = Field(sa_type=Text)
    value_type: str = Field(sa_type=Text)
    measure_unit: str | None = Field(sa_type=Text)
    scale: str | None = Field(sa_type=Text)
    direction: str = Field(sa_type=Text)
    aggregation: str = Field(sa_type=Text)
    accumulation: str = Field(sa_type=Text)
    derived_from: str = Field(sa_type=Text)
    allows_above_100: bool
    numerator_vi: str | None = Field(sa_type=Text)
    denominator_vi: str | None = Field(sa_type=Text)
    related: list[str] = Field(sa_column=_texts())
    note: str | None = Field(sa_type=Text)
    search_text: str = Field(sa_type=Text)


class SubPopulation(Base, table=True):
    """The integer of a sub-population's words; 0 is the whole population (no words)."""

    __tablename__ = "sub_population"
    __table_args__ = (UniqueConstraint("words"),)

    id: int = Field(sa_column=_own_number())
    words: str = Field(sa_type=Text)


class Regime(Versioned, Base, table=True):
    """A reporting regime, in every version: when its periods open, which kinds and years it has."""

    __tablename__ = "regime"
    __table_args__ = (Index("uq_regime_current", "key", unique=True, postgresql_where=NOW),)

    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    name_vi: str = Field(sa_type=Text)
    name_en: str = Field(sa_type=Text)
    opens_on_day: int = Field(sa_type=SmallInteger)
    period_types: list[str] = Field(sa_column=_texts())
    first_year: int = Field(sa_type=SmallInteger)
    last_year: int = Field(sa_type=SmallInteger)
    default_for: list[str] = Field(sa_column=_texts())
    reporting_window_days: int = Field(sa_type=SmallInteger)
    source: str | None = Field(sa_type=Text)
    note: str | None = Field(sa_type=Text)


class DueRule(Versioned, Base, table=True):
    """When reports of one kind of period are due under a regime: for one unit, or (empty) for everybody."""

    __tablename__ = "due_rule"
    __table_args__ = (Index("uq_due_rule_current", "regime", "key", unique=True, postgresql_where=NOW),)

    regime: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    admin_unit: str = Field(sa_type=Text)
    period_type: str = Field(sa_type=Text)
    day: int = Field(sa_type=SmallInteger)
    months_after: int = Field(sa_type=SmallInteger)
    source: str | None = Field(sa_type=Text)


class Period(Base, table=True):
    """A period with the days its regime gives it; its integer stands in every figure."""

    __tablename__ = "period"
    __table_args__ = (UniqueConstraint("regime", "code"), Index("ix_period_regime_year", "regime", "year"))

    id: int = Field(sa_column=_own_number())
    regime: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    period_type: str = Field(sa_type=Text)
    year: int = Field(sa_type=SmallInteger)
    starts_on: date = Field(sa_type=Date)
    ends_on: date = Field(sa_type=Date)


class Target(Versioned, Base, table=True):
    """What a plan promises for an indicator, in every version, with the plan's own words."""

    __tablename__ = "target"
    __table_args__ = (
        Index("uq_target_current", "plan_key", "key", unique=True, postgresql_where=NOW),
        Index("ix_target_admin_unit_id", "admin_unit_id", postgresql_where=NOW),
        Index("ix_target_indicator_id", "indicator_id"),
    )

    admin_unit_id: int = Field(primary_key=True, sa_type=Integer)
    plan_key: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    known_from: datetime = Field(primary_key=True, sa_type=DateTime(timezone=True))
    position: int = Field(sa_type=Integer)
    indicator_id: int = Field(sa_type=Integer)
    sub_population_id: int = Field(sa_type=Integer)
    plan_row: str | None = Field(sa_type=Text)
    pillar: str = Field(sa_type=Text)
    plan_section: str | None = Field(sa_type=Text)
    name_vi: str = Field(sa_type=Text)
    value_type: str = Field(sa_type=Text)
    measure_unit: str | None = Field(sa_type=Text)
    comparator: str = Field(sa_type=Text)
    value: Decimal | None = Field(sa_type=Numeric(20, 6))
    raw_target: str = Field(sa_type=Text)
    population: str | None = Field(sa_type=Text)
    lead_offices: list[str] = Field(sa_column=_texts())
    coordinating_offices: list[str] = Field(sa_column=_texts())
    supporting_offices: list[str] = Field(sa_column=_texts())
    lead_via_tasks: list[str] = Field(sa_column=_texts())
    linked_tasks: list[str] = Field(sa_column=_texts())
    due_kind: str | None = Field(sa_type=Text)
    due_value: str | None = Field(sa_type=Text)
    due_from: date = Field(sa_type=Date)
    due_on: date = Field(sa_type=Date)
    trajectory: str = Field(sa_type=Text)
    baseline_value: Decimal | None = Field(sa_type=Numeric(20, 6))
    baseline_on: date | None = Field(sa_type=Date)
    at_risk_from: Decimal | None = Field(sa_type=Numeric(20, 6))
    parent_target: str | None = Field(sa_type=Text)
    expected_result: str | None = Field(sa_type=Text)
    source_refs: list[str] = Field(sa_column=_texts())
    source_lines: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    discrepancy: str | None = Field(sa_type=Text)
    note: str | None = Field(sa_type=Text)
    search_text: str = Field(sa_type=Text)


class TargetSet(Base, table=True):
    """For which revision of its plan a set of targets was last applied; a correction leaves it as it is."""

    __tablename__ = "target_set"

    plan_key: str = Field(primary_key=True, sa_type=Text)
    revision: int = Field(sa_type=Integer)


class Posting(Base, table=True):
    """One post of actuals: who sent it and what became of its rows; figures point here, so who and why stay."""

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("import_id"),
        Index("uq_posting_reverts", "reverts", unique=True, postgresql_where=text("reverts IS NOT NULL")),
    )

    id: int = Field(sa_column=_own_number(BigInteger))
    import_id: UUID = Field(sa_column=Column(Uuid, nullable=False, server_default=text("uuidv7()")))
    client_id: str = Field(sa_type=Text)
    caller_subject: str = Field(sa_type=Text)
    request_id: str | None = Field(sa_type=Text)
    mode: str = Field(sa_type=Text)
    received: int = Field(sa_type=Integer)
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    created: int = Field(sa_type=Integer)
    updated: int = Field(sa_type=Integer)
    unchanged: int = Field(sa_type=Integer)
    stale: int = Field(sa_type=Integer)
    duplicates: int = Field(sa_type=Integer)
    refused: int = Field(sa_type=Integer)
    sha256: bytes | None = Field(default=None, sa_type=LargeBinary)
    reverts: UUID | None = Field(default=None, sa_type=Uuid)
    admin_unit_ids: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


# A month's figures of a unit lie beside each other in the index, so that a post touches few of its pages, however many
# years are there: ADR 0020.
_BY_PERIOD = ("admin_unit_id", "period_id", "indicator_id", "sub_population_id")


class _Figure(Base):
    """The columns of a figure, in force or superseded; `kind` says which of its columns speak."""

    admin_unit_id: int = Field(primary_key=True, sa_type=Integer)
    indicator_id: int = Field(primary_key=True, sa_type=Integer)
    period_id: int = Field(primary_key=True, sa_type=Integer)
    sub_population_id: int = Field(primary_key=True, sa_type=Integer)
    version: int = Field(sa_type=Integer)
    kind: int = Field(sa_type=SmallInteger)
    value: Decimal | None = Field(sa_type=Numeric(20, 6))
    numerator: Decimal | None = Field(sa_type=Numeric(20, 6))
    denominator: Decimal | None = Field(sa_type=Numeric(20, 6))
    words: str | None = Field(sa_type=Text)
    done_on: date | None = Field(sa_type=Date)
    measured_on: date = Field(sa_type=Date)
    data_status: int = Field(sa_type=SmallInteger)
    is_withdrawn: bool = Field(sa_type=Boolean)
    source: str | None = Field(sa_type=Text)
    evidence_url: str | None = Field(sa_type=Text)
    note: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    posting_id: int = Field(sa_type=BigInteger)
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class Actual(_Figure, table=True):
    """The figure in force for its key (unit, indicator, period of a regime, sub-population)."""

    __tablename__ = "actual"
    __table_args__ = (PrimaryKeyConstraint(*_BY_PERIOD),)


class ActualRevision(_Figure, table=True):
    """A superseded figure: in force from `recorded_at` until `superseded_at`."""

    __tablename__ = "actual_revision"
    __table_args__ = (PrimaryKeyConstraint(*_BY_PERIOD, "version"),)

    version: int = Field(primary_key=True, sa_type=Integer)
    superseded_at: datetime = Field(sa_type=DateTime(timezone=True))


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model, for statements made of columns."""
    return Base.metadata.tables[f"indicators.{model.__tablename__}"]
