"""The root of money over many plans: lists by pages, sums and checks."""

from __future__ import annotations

from typing import Annotated, Any

from strawberry import Parent

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import BUDGET_CHECKS, BUDGET_GROUPS, BUDGET_LINES, BUDGET_TOTALS
from gateway.schema.pages import DEFAULT_PAGE, After, First, read_page
from gateway.types.budget import BudgetGroup, BudgetLine, BudgetTotal, PlanChecks
from gateway.types.enums import BudgetDimension, BudgetScope, ExpenditureKind, Pillar
from gateway.types.fields import shown, told
from gateway.types.nodes import Connection
from gateway.types.scorecards import KnownAt, argument

Codes = Annotated[list[str] | None, argument("Codes of units.")]


async def _lines(  # noqa: PLR0913  # the arguments of the field
    row: Parent[Row],
    info: Info,
    *,
    pillar: Annotated[list[Pillar] | None, argument("Of these pillars only.")] = None,
    expenditure_kind: Annotated[list[ExpenditureKind] | None, argument("Of these kinds only.")] = None,
    office: Annotated[list[str] | None, argument("Led or coordinated by these offices, by slug.")] = None,
    q: Annotated[str | None, argument("Words of the line, with or without accents.")] = None,
    first: First = DEFAULT_PAGE,
    after: After = None,
) -> Row:
    more = {"pillar": pillar, "expenditure_kind": expenditure_kind, "office": office, "q": q}
    return await read_page(info, "budget", BUDGET_LINES.path, first, after, {**row, **more})


async def _groups(row: Parent[Row], info: Info, first: First = DEFAULT_PAGE, after: After = None) -> Row:
    return await read_page(info, "budget", BUDGET_GROUPS.path, first, after, row)


async def _checks(row: Parent[Row], info: Info, first: First = DEFAULT_PAGE, after: After = None) -> Row:
    return await read_page(info, "budget", BUDGET_CHECKS.path, first, after, row)


async def _totals(
    row: Parent[Row],
    info: Info,
    by: Annotated[BudgetDimension, argument("What to break the sum down by.")],
    per: Annotated[BudgetScope, argument("Each plan by itself, or a province's plans of a year together.")],
) -> list[Row]:
    return await info.context.services.rows("budget", BUDGET_TOTALS.path, {**row, "by": by.value, "per": per.value})


@shown
class BudgetOverview:
    """The money of many plans."""

    lines: Connection[BudgetLine] | None = told("Their lines, in the documents' order.", _lines)
    groups: Connection[BudgetGroup] | None = told("Their tables by pillar.", _groups)
    checks: Connection[PlanChecks] | None = told("Whether sums and the plans' own rules hold, plan by plan.", _checks)
    totals: list[BudgetTotal] | None = told("What the lines add up to.", _totals, size=50)


def budget(  # the arguments of the field
    province: Annotated[str | None, argument("Code of a province.")] = None,
    admin_unit: Codes = None,
    plan_key: Annotated[list[str] | None, argument("Keys of plans.")] = None,
    year: Annotated[int | None, argument("Year of the plans.")] = None,
    known_at: KnownAt = None,
) -> dict[str, Any]:
    """The money of the plans that fit."""
    return {
        "province": province,
        "admin_unit": admin_unit,
        "plan_key": plan_key,
        "year": year,
        "known_at": known_at,
    }
