"""What the budget service announces: the data of every event type. No personal data is ever announced."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from services.budget.domain.lines import ExpenditureKind, Pillar

LINES_APPLIED = "vn.chitieu.budget.lines.applied.v1"


class Announced(BaseModel):
    """What is announced of one line, group or cell; only the fields of its own set are there."""

    amount_vnd: int
    expenditure_kind: ExpenditureKind | None = None
    pillar: Pillar | None = None
    budget_years: list[int] | None = None
    pillars: list[Pillar] | None = None
    group_key: str | None = None
    lines: list[str] | None = None


class BudgetChange(BaseModel):
    """One change: no old values, it was created; no new ones, it was removed."""

    set: Literal["lines", "groups", "cells"]
    key: str
    old: Announced | None
    new: Announced | None


class LinesApplied(BaseModel):
    """The budget of one plan was applied and something changed; long changes come in several events."""

    plan_key: str
    admin_unit: str
    province: str
    year: int
    client_id: str | None = Field(description="Who applied it; null in public events.")
    version: int = Field(description="Consecutive within the plan's budget.")
    changes: list[BudgetChange]
