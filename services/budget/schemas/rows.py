"""What is answered: rows of the lists, the budget of one plan, and what applying it changed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

from chassis.execution_time import ExecutionTimeKind
from services.budget.domain.checks import CheckVerdict
from services.budget.domain.filters import Dimension
from services.budget.domain.lines import ExpenditureKind, Pillar, Stage

Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]  # exact, and a number on the wire


class OfPlan(BaseModel):
    """Whose row it is."""

    plan_key: str = Field(examples=["25345-2026-digital-transformation-st-innovation"])
    admin_unit: str = Field(description="Code of the plan's unit.", examples=["25345"])
    province: str = Field(description="Code of its province.", examples=["75"])
    year: int = Field(description="The plan's year.")
    plan_status: str = Field(description="draft, issued, amended or closed.")


class Quantity(BaseModel):
    """How many of what."""

    value: Number
    unit: str


class BudgetIndex(BaseModel):
    """Codes of the state's budget index, with the version of the index."""

    version: str
    chapter_code: str | None
    category_code: str | None
    clause_code: str | None
    item_code: str | None
    subitem_code: str | None


class Line(BaseModel):
    """A budget line."""

    position: int = Field(description="Place in the document's list, from 1.")
    key: str
    number: str | None = Field(description="As written: 01, 16, VII.")
    title_vi: str
    title_en: str | None
    scope_vi: str | None = Field(description="Nội dung thực hiện.")
    amount_vnd: int = Field(description="Whole đồng.")
    stage: Stage = Field(description="What a plan states is an estimate (kinh phí dự kiến).")
    amount_kind: str | None = Field(description="The plan's own word for the amount.")
    budget_years: list[int] = Field(description="Several years: the plan does not divide the amount.")
    expenditure_kind: ExpenditureKind
    expenditure_kind_stated: bool = Field(description="False: inferred, not written in the plan.")
    pillar: Pillar | None = Field(description="Null: outside every pillar, as reserves are.")
    pillar_stated: bool = Field(description="False: inferred, not written in the plan.")
    funding_source: str | None
    lead_offices: list[str]
    coordinating_offices: list[str]
    beneficiaries: list[str]
    execution_time_text: str | None = Field(description="The plan's own words.")
    execution_time_kind: ExecutionTimeKind | None
    execution_time: str | None = Field(examples=["2026-Q2/2026-Q3"])
    starts_on: date | None = Field(description="First day implied by the time.")
    ends_on: date | None = Field(description="Last day implied by the time, inclusive.")
    is_continuous: bool = Field(description="Thường xuyên: no end is meant. Not chi thường xuyên.")
    quantity: Quantity | None
    phase: int | None
    tasks: list[str]
    targets: list[str]
    budget_index: BudgetIndex | None
    source_ref: str | None
    note: str | None = Field(description="Null to callers without a token.")
    known_from: datetime = Field(description="Since when it says this.")


class LineRow(Line, OfPlan):
    """A budget line with the plan and unit it belongs to."""


class Cell(BaseModel):
    """A money cell of a group and the lines it sums up."""

    key: str
    scope_vi: str
    objective_vi: str | None
    amount_vnd: int
    lines: list[str]
    source_ref: str | None
    note: str | None = Field(description="Null to callers without a token.")


class Group(BaseModel):
    """A group of the plan's table of money by pillar."""

    position: int
    key: str
    number: str | None
    title_vi: str
    pillars: list[Pillar] = Field(description="Empty: outside every pillar.")
    amount_vnd: int
    lines: list[str] = Field(description="The lines of its cells.")
    cells: list[Cell]
    source_ref: str | None
    note: str | None = Field(description="Null to callers without a token.")
    known_from: datetime


class GroupRow(Group, OfPlan):
    """A group with the plan and unit it belongs to."""


class TotalRow(BaseModel):
    """What lines add up to, in one plan or in all plans of a province and year."""

    plan_key: str | None = Field(description="Null where all plans of a province are added up.")
    admin_unit: str | None = Field(description="Null where all plans of a province are added up.")
    province: str
    year: int
    by: Dimension
    value: str | None = Field(description="Code or words; null: lines outside it (no pillar, no office).")
    stage: Stage
    plans: int
    lines: int
    amount_vnd: int = Field(description="Whole đồng.")
    multi_year_lines: int
    multi_year_amount_vnd: int = Field(description="Part of the amount that the plan does not divide by year.")
    shared_amount_vnd: int = Field(description="Part counted under each of several lead offices (by=office).")


class Figure(BaseModel):
    """A number a check looks at."""

    name: str
    value: Number | None
    unit: str = Field(description="vnd, percent, lines, or the plan's words.")
    count: int | None = Field(description="How many make it up.")


class Check(BaseModel):
    """One check: both numbers, the verdict, and why."""

    check_key: str = Field(description="A sum check's name, or the key of the plan's own rule.")
    verdict: CheckVerdict
    comparator: str | None
    found: Figure | None
    required: Figure | None
    difference: Number | None = Field(description="Found less required.")
    missing: list[str] = Field(description="Figures that are not in the system yet.")
    details: list[Any] = Field(description="The parts of the sums, or what does not fit.")
    reason_vi: str
    reason_en: str
    rule: dict[str, Any] | None = Field(description="The plan's rule; null for sum checks.")


class CheckRow(OfPlan):
    """A plan with its sums and rules checked; a plan without a budget says so."""

    has_budget: bool
    lines: int
    amount_vnd: int
    stated_total_vnd: int | None = Field(description="The total the plan states; null: it states none.")
    verdicts: dict[CheckVerdict, int]
    checks: list[Check]


class BudgetDocument(OfPlan):
    """The whole budget of one plan."""

    has_budget: bool
    stated_total_vnd: int | None
    amount_vnd: int
    lines: list[Line]
    groups: list[Group]


class SetChanges(BaseModel):
    """What applying one set changed, by keys."""

    created: list[str]
    updated: list[str]
    unchanged: int
    removed: list[str]
    kept: list[str] = Field(description="Missing from the body and not pruned.")


class BudgetApplied(BaseModel):
    """What applying a budget changed."""

    plan_key: str
    admin_unit: str
    dry_run: bool
    changes: dict[str, SetChanges]
    version: int
    write_token: str | None = Field(description="For X-Min-Version; null: nothing was written.")
