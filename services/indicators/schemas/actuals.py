"""Figures as they cross the border.

Posted rows are read as columns (`domain.actuals`), so that every fault of every row has its row and column;
the models here are what the documentation shows and what lists answer.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from chassis.bodies import Body


class ActualBody(BaseModel):
    """One figure, or its withdrawal, under its full key."""

    admin_unit: str = Field(description="Code of the unit; `commune` is accepted.", examples=["26491"])
    indicator: str | None = Field(None, description="Its code; else plan_row.", examples=["VNEID_ACCOUNT_RATE"])
    plan_row: str | None = Field(None, description="The row of the unit's plan of that year.", examples=["III.14"])
    sub_population: str | None = Field(None, examples=["giáo viên"])
    regime: str | None = Field(None, description="Absent: the unit's default.", examples=["state"])
    period: str = Field(description="2026, 2026-S1, 2026-N, 2026-Q2, 2026-04 …", examples=["2026-Q3"])
    value: Decimal | None = Field(None, description="In the indicator's scale.", examples=[85.75])
    numerator: Decimal | None = None
    denominator: Decimal | None = Field(None, description="With the numerator; the value is computed exactly.")
    level: int | None = None
    rank: int | None = None
    text: str | None = None
    done_on: date | None = Field(None, description="Of milestones: the day of completion.")
    measured_on: date | None = Field(None, description="The day the figure describes; absent: the period's end.")
    data_status: Literal["estimated", "preliminary", "official"] | None = Field(
        None, description="Absent: estimated until the period has ended, preliminary afterwards."
    )
    source: str | None = None
    evidence_url: str | None = None
    note: str | None = None
    action: Literal["set", "withdraw"] = "set"
    reason: str | None = Field(None, description="Needed to withdraw.")
    base_version: int | None = Field(None, description="The version the row was made from; another one never wins.")


class PostedFault(BaseModel):
    """One fault or warning: which row (from 1), which column, what was seen."""

    code: str
    row: int | None = None
    column: str | None = None
    value: Any = Field(None, description="What the cell says, as text.")
    message: str


class Posted(BaseModel):
    """What became of a post: received = created + updated + unchanged + stale + duplicates + refused."""

    received: int
    created: int
    updated: int
    unchanged: int
    stale: int
    duplicates: int
    refused: int
    left_blank: int = Field(0, description="Rows of a form left out as on_blank=skip asked; not among those received.")
    mode: str
    dry_run: bool
    import_id: UUID | None = Field(description="Null where nothing was written.")
    errors: list[PostedFault] = Field(description="The first 1,000, by row.")
    errors_total: int
    warnings: list[PostedFault] = Field(description="The first 1,000, by row; these rows are kept.")
    warnings_total: int
    write_token: str | None = Field(description="Null in a dry run.")
    receipt: str | None = Field(description="Signed by the service (JWS); null in a dry run.")


class ActualRow(Body):
    """A figure in force, with the days of its period."""

    admin_unit: str
    province: str | None
    indicator: str
    sub_population: str | None
    regime: str
    period: str
    period_type: str
    starts_on: date
    ends_on: date
    due_on: date | None
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    level: int | None
    rank: int | None
    text: str | None
    done_on: date | None
    measured_on: date
    data_status: str
    source: str | None
    is_sample: bool
    evidence_url: str | None = Field(description="Null to callers who do not act for the unit.")
    note: str | None = Field(description="Null to callers who do not act for the unit.")
    version: int = Field(description="One more with every change; named by base_version.")
    recorded_at: datetime
    recorded_by: str | None = Field(description="Client; null to callers who do not act for the unit.")


class ActualHistoryRow(ActualRow):
    """One version of a figure; `superseded_at` is null for the one in force."""

    is_withdrawn: bool
    reason: str | None = Field(description="Null to callers who do not act for the unit.")
    superseded_at: datetime | None
