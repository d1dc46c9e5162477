"""What the indicators service says: the data of every event type. No note, link or name is ever announced."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

ACTUALS_POSTED = "vn.chitieu.indicators.actuals.posted.v1"
TARGETS_APPLIED = "vn.chitieu.indicators.targets.applied.v1"
INDICATOR_CHANGED = "vn.chitieu.indicators.indicator.changed.v1"
REGIME_CHANGED = "vn.chitieu.indicators.regime.changed.v1"


class FigureSaid(BaseModel):
    """A figure: the fields of its kind only."""

    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    level: int | None = None
    rank: int | None = None
    text: str | None = None
    done_on: date | None = None
    data_status: str
    measured_on: date


class ActualChange(BaseModel):
    """One changed figure under its full key."""

    indicator: str
    sub_population: str | None = None
    regime: str
    period: str
    action: str
    old: FigureSaid | None = Field(description="Null: there was none, or it had been withdrawn.")
    new: FigureSaid | None = Field(description="Null: it was withdrawn.")
    version: int = Field(description="The figure's own version.")


class ActualsPosted(BaseModel):
    """The figures of one unit that a post changed; a long post is told in several parts."""

    admin_unit: str
    import_id: UUID
    client_id: str | None = Field(description="Null in public events.")
    source: str | None = Field(description="sample: every change here is a sample figure.")
    changes: list[ActualChange]


class TargetChange(BaseModel):
    """One changed target; old null: new, new null: removed."""

    key: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None


class TargetsApplied(BaseModel):
    """The targets of one plan that were changed."""

    plan_key: str
    admin_unit: str
    changes: list[TargetChange]


class EntryChanged(BaseModel):
    """A catalogue entry or regime after the change; old null: new, new null: removed."""

    code: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
