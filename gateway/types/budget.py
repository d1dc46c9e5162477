"""Money as plans state it: lines, groups, totals, and whether the plans' own rules hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry import Parent
from strawberry.scalars import JSON

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import (
    BUDGET_CHECKS,
    BUDGET_CHECKS_OF_PLAN,
    BUDGET_GROUPS,
    BUDGET_GROUPS_OF_PLAN,
    BUDGET_LINES,
    BUDGET_LINES_OF_PLAN,
    BUDGET_TOTALS,
    BUDGET_TOTALS_OF_PLAN,
    ListOf,
)
from gateway.types.enums import (
    BudgetDimension,
    BudgetStage,
    CheckVerdict,
    Comparator,
    ExecutionTimeKind,
    ExpenditureKind,
    Pillar,
)
from gateway.types.fields import shown, told
from gateway.types.nodes import Node, identified, unit_code
from gateway.types.offices import Office, offices
from gateway.types.scalars import Date, DateTime, Decimal, Vnd


@shown
class Quantity:
    """How many of what: 30 điểm, 15 ấp."""

    value: Decimal = told("How many.")
    unit: str = told("Of what.")


@shown
class BudgetIndex:
    """Codes of the state's budget index (mục lục ngân sách), with the version they belong to."""

    version: str = told("Version of the index.")
    chapter_code: str | None = told("Chương.")
    category_code: str | None = told("Loại.")
    clause_code: str | None = told("Khoản.")
    item_code: str | None = told("Mục.")
    subitem_code: str | None = told("Tiểu mục.")


@shown
class BudgetLine(Node):
    """One budget line as its plan states it."""

    id: strawberry.ID = identified("BudgetLine", "plan_key", "key")
    key: str = told("Key of the line, unique in its plan.")
    plan_key: str = told("Key of its plan.")
    admin_unit_code: str = told("Code of the plan's unit.", unit_code)
    position: int = told("Place in the document's list, from 1.")
    number: str | None = told("As written: 01, 16, VII.")
    title_vi: str = told("What the money is for.")
    title_en: str | None = told("The same in English, our translation.")
    scope_vi: str | None = told("Nội dung thực hiện.")
    amount_vnd: Vnd = told("Whole đồng.")
    stage: BudgetStage = told("Where the money stands; what a plan states is an estimate.")
    amount_kind: str | None = told("The plan's own word for the amount: dự kiến.")
    budget_years: list[int] = told("Years the money is for.")
    expenditure_kind: ExpenditureKind = told("Chi thường xuyên, đầu tư công or dự phòng.")
    expenditure_kind_stated: bool = told("False where we inferred it.")
    pillar: Pillar | None = told("Null: outside every pillar, as reserves are.")
    pillar_stated: bool = told("False where we inferred it.")
    funding_source: str | None = told("Nguồn kinh phí, as stated.")
    lead_offices: list[Office] | None = told("Who leads.", offices("lead_offices"), size=2)
    coordinating_offices: list[Office] | None = told("Who coordinates.", offices("coordinating_offices"), size=2)
    beneficiaries: list[Office] | None = told("Who receives.", offices("beneficiaries"), size=2)
    execution_time_text: str | None = told("The document's own words for the time.")
    execution_time_kind: ExecutionTimeKind | None = told("Form of `executionTime`.")
    execution_time: str | None = told("2026, 2026-Q2/2026-Q3, 2026/2027.")
    starts_on: Date | None = told("First day implied by the time.")
    ends_on: Date | None = told("Last day implied by the time, inclusive.")
    is_continuous: bool = told("Thường xuyên: no end is meant.")
    quantity: Quantity | None = told("How many of what.")
    phase: int | None = told("Number of the phase the plan puts it in.")
    tasks: list[str] = told("Keys of the plan's tasks this line pays for.")
    targets: list[str] = told("Keys of the plan's targets this line serves.")
    budget_index: BudgetIndex | None = told("Codes of the budget index.")
    source_ref: str | None = told("Where it stands in the document.")
    note: str | None = told("What the recorder remarks; null to callers without a token.")
    known_from: DateTime = told("Since when this version is known.")


@shown
class BudgetCell:
    """One money cell of a group, and the lines it sums up."""

    key: str = told("Key of the cell, unique in its plan.")
    scope_vi: str = told("What it is for.")
    objective_vi: str | None = told("The objective it serves.")
    amount_vnd: Vnd = told("Whole đồng, as the table states it.")
    lines: list[str] = told("Keys of the lines it sums up.")
    source_ref: str | None = told("Where it stands in the document.")
    note: str | None = told("What the recorder remarks; null to callers without a token.")


@shown
class BudgetGroup:
    """One group of the plan's table of money by pillar."""

    key: str = told("Key of the group, unique in its plan.")
    plan_key: str = told("Key of its plan.")
    position: int = told("Place in the document's table, from 1.")
    number: str | None = told("As written.")
    title_vi: str = told("Its heading.")
    pillars: list[Pillar] = told("The pillars it stands for.")
    amount_vnd: Vnd = told("Whole đồng.")
    lines: list[str] = told("Keys of the lines of its cells.")
    cells: list[BudgetCell] = told("Its money cells.", size=3)
    source_ref: str | None = told("Where it stands in the document.")
    note: str | None = told("What the recorder remarks; null to callers without a token.")
    known_from: DateTime = told("Since when this version is known.")


@shown
class BudgetTotal:
    """What lines add up to under one value of a dimension, in whole đồng."""

    plan_key: str | None = told("Key of the plan; null: all plans of a province and year together.")
    admin_unit_code: str | None = told("Code of the plan's unit.", unit_code)
    province: str | None = told("Code of the province.")
    year: int = told("Year of the plans.")
    by: BudgetDimension = told("What the total is broken down by.")
    value: str | None = told("The value of that dimension; null: lines outside it.")
    stage: BudgetStage = told("Where the money stands.")
    plans: int = told("Plans that are counted.")
    lines: int = told("Lines that are counted.")
    amount_vnd: Vnd = told("Their sum.")
    multi_year_lines: int = told("Of these, lines over several years: they count whole.")
    multi_year_amount_vnd: Vnd = told("Their part of the sum.")
    shared_amount_vnd: Vnd = told("The part of lines led by several offices, counted whole under each.")


def _listed(of_unit: ListOf, of_plan: ListOf) -> Callable[..., Any]:
    async def resolve(row: Parent[Row], info: Info) -> list[Row]:
        return await _rows(row, info, of_unit, of_plan)

    return resolve


@shown
class CheckFigure:
    """A number as a check shows it."""

    name: str = told("What it is.")
    value: Decimal | None = told("The number; null: nobody stated it.")
    unit: str = told("vnd, percent, lines, or the document's words.")
    count: int | None = told("How many make it up.")


def _of_rule(field: str) -> Callable[..., Any]:
    def resolve(row: Parent[Row]) -> Any:
        return (row["rule"] or {}).get(field)

    return resolve


@shown
class BudgetCheck:
    """Whether a plan's money adds up, or one of its own rules holds: both numbers, verdict and reason."""

    check_key: str = told("Kind of sum, or key of the plan's rule.")
    verdict: CheckVerdict = told("How it stands.")
    reason_vi: str = told("Why, in one sentence.")
    reason_en: str = told("The same in English.")
    comparator: Comparator | None = told("How the numbers are held against each other.")
    found: CheckFigure | None = told("What is there.")
    required: CheckFigure | None = told("What is asked.")
    difference: Decimal | None = told("Found less required, where both are numbers of one unit.")
    missing: list[str] = told("Figures that are missing, where it is not measurable.")
    details: JSON = told("The parts, as a list of small objects.")
    rule_key: str | None = told("Key of the plan's rule; null: a sum.", _of_rule("key"))
    rule_kind: str | None = told("Kind of the plan's rule.", _of_rule("kind"))
    rule_vi: str | None = told("The rule in the document's words.", _of_rule("rule_vi"))


@shown
class CheckCounts:
    """How many checks stand how."""

    holds: int = told("That hold.")
    broken: int = told("That are broken.")
    not_measurable: int = told("That lack a figure.")
    qualitative: int = told("That are words only.")
    no_budget: int = told("1 for a plan that states no budget.")


@shown
class PlanChecks:
    """The checks of one plan: its sums first, then its own rules."""

    plan_key: str = told("Key of the plan.")
    admin_unit_code: str = told("Code of the plan's unit.", unit_code)
    year: int = told("Year of the plan.")
    has_budget: bool = told("Whether it states any line.")
    lines: int = told("How many lines it states.")
    amount_vnd: Vnd = told("What they add up to, whole đồng.")
    stated_total_vnd: Vnd | None = told("The total the plan states.")
    verdicts: CheckCounts = told("How many checks stand how.")
    checks: list[BudgetCheck] = told("Every check.", size=10)


async def _rows(row: Row, info: Info, of_unit: ListOf, of_plan: ListOf, **more: str) -> list[Row]:
    """Rows of a plan's budget, or of all budgets of a unit in a year."""
    known_at = row.get("known_at")
    if "plan_key" in row:
        return await info.context.loaders.rows(of_plan, row["plan_key"], known_at=known_at, **more)
    return await info.context.loaders.rows(of_unit, row["admin_unit"], year=row["year"], known_at=known_at, **more)


async def _totals(
    row: Parent[Row],
    info: Info,
    by: Annotated[BudgetDimension, strawberry.argument(description="What to break the sum down by.")],
) -> list[Row]:
    return await _rows(row, info, BUDGET_TOTALS, BUDGET_TOTALS_OF_PLAN, by=by.value)


@shown
class Budget:
    """The money of one plan, or of all plans of a unit in a year."""

    lines: list[BudgetLine] | None = told("Its lines.", _listed(BUDGET_LINES, BUDGET_LINES_OF_PLAN), size=15)
    groups: list[BudgetGroup] | None = told(
        "Its table by pillar.", _listed(BUDGET_GROUPS, BUDGET_GROUPS_OF_PLAN), size=7
    )
    totals: list[BudgetTotal] | None = told("What the lines add up to.", _totals, size=7)
    checks: list[PlanChecks] | None = told(
        "Whether sums and the plans' own rules hold, plan by plan.",
        _listed(BUDGET_CHECKS, BUDGET_CHECKS_OF_PLAN),
        size=2,
    )
