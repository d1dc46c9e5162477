"""Budgets over HTTP: lines and groups of plans, their totals, and the plans' own rules checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.auth import Caller, needs
from chassis.bodies import HouseRoute
from chassis.database import Reading, Writing
from chassis.listing import answer
from chassis.pages import KnownAt, Paging, chosen
from chassis.periods import FIRST_YEAR, LAST_YEAR
from chassis.replica import CatchUp
from chassis.replies import IfMatch, reply
from services.budget.domain.filters import Dimension, LineFilter, PlanFilter, Scope
from services.budget.domain.lines import ExpenditureKind
from services.budget.schemas.bodies import BudgetBody
from services.budget.schemas.rows import BudgetApplied, BudgetDocument, CheckRow, GroupRow, LineRow, TotalRow
from services.budget.service import budgets as service

TITLE = "Kinh phí – budget"
DESCRIPTION = (
    "Money as the plans state it: budget lines, the groups and cells of their tables, totals, and the plans' own money "
    "rules checked with both numbers shown. Amounts are whole đồng, as JSON integers.\n\n"
    "Every list takes `limit`, `cursor`, `fields` and `known_at`, and answers JSON pages, NDJSON or CSV by `Accept`, "
    "with the cursor to follow changes from in `Changes-Cursor`. Filters with several values are repeated or "
    "separated by commas. Callers without a token see issued plans only, without recorders' notes."
)

router = APIRouter(prefix="/v1/budget", route_class=HouseRoute, tags=["budget"])

REFUSALS = {
    403: "scope_missing, unit_not_covered",
    404: "budget_plan_unknown",
    409: "budget_plan_closed, budget_needs_amendment with budget_item_needs_amendment",
    412: "stale_version, if_match_invalid",
    422: "body_invalid with amount_not_whole_dong, amount_out_of_range, budget_key_repeated, budget_line_unknown, "
    "budget_office_unknown, reserve_in_pillar, budget_execution_time_invalid, budget_total_too_large, "
    "field_unknown, field_missing, field_invalid",
}

BudgetRead = Annotated[Caller, needs("budget:read", public=True)]
BudgetWrite = Annotated[Caller, needs("budget:write")]

Codes = list[str] | None
Year = Annotated[int, Query(ge=FIRST_YEAR, le=LAST_YEAR)]
Years = list[Annotated[int, Query(ge=FIRST_YEAR, le=LAST_YEAR)]] | None
Words = Annotated[str | None, Query(max_length=200, description="Words, with or without accents.")]


def _plan_filter(
    plan_key: Annotated[Codes, Query(description="Keys of plans; repeated or separated by commas.")] = None,
    admin_unit: Annotated[Codes, Query(description="Codes of units.")] = None,
    province: Annotated[Codes, Query(description="Codes of provinces.")] = None,
    year: Annotated[Years, Query(description="Years of plans.")] = None,
) -> PlanFilter:
    return PlanFilter(chosen(plan_key), chosen(admin_unit), chosen(province), year or ())


def _line_filter(
    expenditure_kind: Annotated[list[ExpenditureKind] | None, Query(description="Kinds of expenditure.")] = None,
    pillar: Annotated[Codes, Query(description="Pillars; `none`: outside every pillar.")] = None,
    office: Annotated[Codes, Query(description="Offices that lead or coordinate.")] = None,
    lead_office: Annotated[Codes, Query(description="Offices that lead.")] = None,
    funding_source: Annotated[Codes, Query(description="The plan's words for the source, exactly.")] = None,
    budget_year: Annotated[Years, Query(description="Years the money is for.")] = None,
) -> LineFilter:
    return LineFilter(
        expenditure_kinds=expenditure_kind or (),
        pillars=chosen(pillar),
        offices=chosen(office),
        lead_offices=chosen(lead_office),
        funding_sources=funding_source or (),
        budget_years=budget_year or (),
    )


Plans = Annotated[PlanFilter, Depends(_plan_filter)]
Lines = Annotated[LineFilter, Depends(_line_filter)]


@router.get("/lines", responses=answers(PageOf[LineRow]))
async def list_lines(
    request: Request,
    db: Reading,
    caller: BudgetRead,
    page: Paging,
    plans: Plans,
    lines: Lines,
    key: Annotated[Codes, Query(description="Keys of lines.")] = None,
    task: Annotated[Codes, Query(description="Keys of tasks the lines pay for.")] = None,
    target: Annotated[Codes, Query(description="Keys of targets the lines serve.")] = None,
    q: Words = None,
) -> Response:
    """Budget lines over all plans, in the documents' order.

    Amounts are whole đồng; what a plan states is an estimate. Reserves stand outside every pillar.
    """
    narrowed = replace(lines, keys=chosen(key), tasks=chosen(task), targets=chosen(target), words=q)
    return await answer(request, db, service.list_lines(caller, plans, narrowed, page.known_at), page)


@router.get("/lines/{plan_key}", responses=answers(BudgetDocument, {404: "budget_plan_unknown"}))
async def get_budget(db: Reading, caller: BudgetRead, plan_key: str, known_at: KnownAt) -> Response:
    """The whole budget of one plan: its lines, its groups with their cells, and what they add up to.

    The ETag names the version for If-Match, not with `known_at`: what was cannot be edited.
    A plan that states no budget answers with empty lists.
    A draft is found only by callers who act for its unit.
    """
    document, version = await service.get_budget(db, caller, plan_key, known_at)
    return reply(document, version=version)


@router.put("/lines/{plan_key}", responses=answers(BudgetApplied, REFUSALS))
async def put_budget(
    db: Writing,
    caller: BudgetWrite,
    plan_key: str,
    body: BudgetBody,
    catch_up: CatchUp,
    if_match: IfMatch,
    prune: Annotated[bool, Query(description="Remove what the body leaves out; else it is kept and named.")] = False,
    correction: Annotated[
        str | None,
        Query(min_length=5, max_length=400, description="Why what was recorded of an issued plan was wrong; kept."),
    ] = None,
) -> Response:
    """Make a plan's lines, groups and cells say what the body says; what they said before stays readable.

    Amounts are JSON integers of whole đồng, more than 0 and at most 2^53. An unchanged body writes nothing.
    Everything wrong with a body is listed at once, each fault with its place. The budget of an issued plan is added
    once; then it changes with an amendment of the plan (`POST /v1/plans/{plan_key}/amend`), a wrong entry is mended
    with `correction`.
    """
    terms = service.Terms(catch_up, prune=prune, if_match=if_match, correction=correction)
    applied = await service.apply_budget(db, caller, plan_key, body, terms)
    return reply(applied, version=applied["version"])


@router.get("/groups", responses=answers(PageOf[GroupRow]))
async def list_groups(
    request: Request, db: Reading, caller: BudgetRead, page: Paging, plans: Plans, q: Words = None
) -> Response:
    """Groups of the plans' tables of money by pillar, each with its cells, in the documents' order."""
    return await answer(request, db, service.list_groups(caller, plans, q, page.known_at), page)


@router.get("/totals", responses=answers(PageOf[TotalRow]))
async def list_totals(
    request: Request,
    db: Reading,
    caller: BudgetRead,
    page: Paging,
    plans: Plans,
    lines: Lines,
    by: Annotated[Dimension, Query(description="What the total is broken down by.")],
    per: Annotated[Scope, Query(description="Each plan by itself, or all plans of a province and year.")] = Scope.PLAN,
) -> Response:
    """What the lines add up to, by expenditure kind, pillar, lead office or funding source, in whole đồng.

    Lines outside (no pillar, no office) stand under null. A line of several years counts whole
    (`multi_year_amount_vnd`), a line with several leads counts under each (`shared_amount_vnd`).
    """
    listing = service.list_totals(caller, by, per, (plans, lines), page.known_at)
    return await answer(request, db, listing, page)


@router.get("/checks", responses=answers(PageOf[CheckRow]))
async def list_checks(request: Request, db: Reading, caller: BudgetRead, page: Paging, plans: Plans) -> Response:
    """Does each plan's money add up, and do the rules it set for itself hold: both numbers, verdict and reason.

    `not_measurable` names the figures that are missing; `qualitative` rules have no number; a plan without
    a budget answers `no_budget`.
    """
    return await answer(request, db, service.list_checks(caller, plans, page.known_at), page)
