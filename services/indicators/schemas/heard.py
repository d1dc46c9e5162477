"""What is heard from the plans service; fields we do not need may be there and are left alone."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field


class UnitHeard(BaseModel):
    """One validity of a unit's code."""

    code: str
    valid_from: date
    valid_to: date | None = None
    name_vi: str
    name_en: str | None = None
    type: str
    province_code: str | None = None
    version: int


class OfficeHeard(BaseModel):
    """An office of a unit."""

    admin_unit: str
    slug: str
    name_vi: str
    name_en: str | None = None
    level: str
    aliases: list[str] = Field([])
    version: int


class PlanHeard(BaseModel):
    """The header of a plan; `public_from` is none for a draft."""

    plan_key: str
    plan_id: UUID
    admin_unit: str
    province: str
    year: int
    kind: str
    revision: int
    status: str
    public_from: datetime | None = None
    title_vi: str
    title_en: str | None = None
    document_number: str | None = None
    issued_on: date | None = None
    version: int
