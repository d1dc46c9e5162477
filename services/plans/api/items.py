"""Lists of what plans hold, over all plans: the endpoints for batches of plans or units."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading
from chassis.listing import answer
from chassis.pages import Paging, chosen
from services.plans.api.router import OfficeSlugs, OfItems, PlansRead, router
from services.plans.domain.items import BasisRelation, Pillar, ReportingCycle, SystemConnection
from services.plans.schemas import rows
from services.plans.service.lists import list_items


@router.get("/tasks", tags=["plan items"], responses=answers(PageOf[rows.TaskRow]))
async def list_tasks(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    items: OfItems,
    pillar: Annotated[list[Pillar] | None, Query(description="Pillars, the alternative one included.")] = None,
    office: OfficeSlugs = None,
) -> Response:
    """Tasks: who leads, coordinates and supports, the words of their time beside the days they imply, their links."""
    wanted = replace(items, pillars=tuple(pillar or ()), offices=chosen(office))
    return await answer(request, db, list_items("tasks", caller, wanted, page.known_at), page)


@router.get("/legal-bases", tags=["plan items"], responses=answers(PageOf[rows.LegalBasisRow]))
async def list_legal_bases(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    items: OfItems,
    relation: Annotated[list[BasisRelation] | None, Query(description="How the document is cited.")] = None,
) -> Response:
    """Legal bases, cited as written: a citation may be wrong, and its discrepancy is told beside it."""
    wanted = replace(items, codes=tuple(relation or ()))
    return await answer(request, db, list_items("legal_bases", caller, wanted, page.known_at), page)


@router.get("/reporting-duties", tags=["plan items"], responses=answers(PageOf[rows.ReportingDutyRow]))
async def list_reporting_duties(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    items: OfItems,
    cycle: Annotated[list[ReportingCycle] | None, Query(description="How often.")] = None,
    office: OfficeSlugs = None,
) -> Response:
    """Reporting duties: who reports what to whom through whom, and when, in words and in days where stated."""
    wanted = replace(items, codes=tuple(cycle or ()), offices=chosen(office))
    return await answer(request, db, list_items("reporting_duties", caller, wanted, page.known_at), page)


@router.get("/budget-rules", tags=["plan items"], responses=answers(PageOf[rows.BudgetRuleRow]))
async def list_budget_rules(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    items: OfItems,
    kind: Annotated[list[str] | None, Query(description="Kinds of rules.")] = None,
    office: OfficeSlugs = None,
) -> Response:
    """Rules that plans set for their own money; the budget service checks them with numbers."""
    wanted = replace(items, codes=chosen(kind), offices=chosen(office))
    return await answer(request, db, list_items("budget_rules", caller, wanted, page.known_at), page)


@router.get("/prior-year-results", tags=["plan items"], responses=answers(PageOf[rows.PriorYearResultRow]))
async def list_prior_year_results(
    request: Request, db: Reading, caller: PlansRead, page: Paging, items: OfItems
) -> Response:
    """What plans say was reached in the year before, in their own words: no posted actuals."""
    return await answer(request, db, list_items("prior_year_results", caller, items, page.known_at), page)


@router.get("/recipients", tags=["plan items"], responses=answers(PageOf[rows.RecipientRow]))
async def list_recipients(
    request: Request, db: Reading, caller: PlansRead, page: Paging, items: OfItems, office: OfficeSlugs = None
) -> Response:
    """Recipients as written, with the offices meant; a line that names a person is shown with a token only."""
    wanted = replace(items, offices=chosen(office))
    return await answer(request, db, list_items("recipients", caller, wanted, page.known_at), page)


@router.get("/external-systems", tags=["plan items"], responses=answers(PageOf[rows.ExternalSystemRow]))
async def list_external_systems(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    items: OfItems,
    connection: Annotated[list[SystemConnection] | None, Query(description="Whether data flow.")] = None,
) -> Response:
    """Systems that plans name (IOC, ktxh, LGSP, …): what is asked, whether data flow, and the last success."""
    wanted = replace(items, codes=tuple(connection or ()))
    return await answer(request, db, list_items("external_systems", caller, wanted, page.known_at), page)


@router.get("/discrepancies", tags=["plan items"], responses=answers(PageOf[rows.DiscrepancyRow]))
async def list_discrepancies(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    items: OfItems,
    type: Annotated[list[str] | None, Query(description="Types of discrepancies.")] = None,  # noqa: A002 - a field
) -> Response:
    """What does not fit in the documents: blanks, numbers that contradict each other, damaged tables."""
    wanted = replace(items, codes=chosen(type))
    return await answer(request, db, list_items("discrepancies", caller, wanted, page.known_at), page)
