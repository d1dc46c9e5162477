"""What the plans service says: the data of every event type. No personal data is ever announced."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.plans.domain.offices import OfficeLevel
from services.plans.domain.plans import PlanStatus
from services.plans.domain.units import AdminUnitType
from services.plans.schemas.items import BudgetRuleBody

ADMIN_UNIT_CHANGED = "vn.chitieu.plans.admin_unit.changed.v1"
OFFICE_CHANGED = "vn.chitieu.plans.office.changed.v1"
OFFICE_REMOVED = "vn.chitieu.plans.office.removed.v1"
PLAN_RECORDED = "vn.chitieu.plans.plan.recorded.v1"
PLAN_ISSUED = "vn.chitieu.plans.plan.issued.v1"
PLAN_AMENDED = "vn.chitieu.plans.plan.amended.v1"
PLAN_CLOSED = "vn.chitieu.plans.plan.closed.v1"


class UnitValidity(BaseModel):
    """What a code means between two days."""

    name_vi: str
    name_en: str
    type: AdminUnitType
    province_code: str | None
    agency_code: str | None
    valid_from: date
    valid_to: date | None = Field(description="First day on which it no longer holds.")


class AdminUnitChanged(BaseModel):
    """Everything a code means and has meant; no validities: the code was removed."""

    code: str
    version: int
    validities: list[UnitValidity]


class OfficeChanged(BaseModel):
    """An office of a unit, with what its kind gives it."""

    admin_unit: str
    slug: str
    name_vi: str
    name_en: str
    level: OfficeLevel
    aliases: list[str]
    agency_code: str | None
    version: int


class OfficeRemoved(BaseModel):
    """An office that its unit no longer has."""

    admin_unit: str
    slug: str
    version: int


class PlanChanged(BaseModel):
    """The header of a plan after the change: recorded (a draft, or a blank filled in), issued, amended, closed."""

    plan_key: str
    plan_id: UUID
    admin_unit: str
    province: str
    year: int
    phase: str | None
    kind: str
    revision: int
    status: PlanStatus
    public_from: datetime | None = Field(description="When the plan became public; null: it is a draft.")
    title_vi: str
    title_en: str
    document_number: str | None
    issued_on: date | None
    version: int
    budget_total_vnd: int | None = Field(description="Total the document states, whole đồng.")
    budget_rules: list[BudgetRuleBody] = Field(description="Without the recorder's notes.")
