"""Offices and office kinds over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading, Writing
from chassis.listing import answer
from chassis.pages import Paging, chosen
from chassis.replies import reply
from services.plans.api.router import DRY_RUN, PlansRead, PlansWrite, Prune, UnitPath, Units, UnitsWrite, Words, router
from services.plans.domain.filters import OfficeFilter
from services.plans.domain.offices import OfficeLevel
from services.plans.schemas.offices import OfficeKindRow, OfficeKindsBody, OfficeRow, OfficesBody
from services.plans.schemas.plans import ApplyChanges
from services.plans.service import offices as service

Slugs = Annotated[list[str] | None, Query(alias="slug", description="Slugs.")]
Levels = Annotated[list[OfficeLevel] | None, Query(alias="level", description="Levels.")]
Alias = Annotated[
    str | None, Query(description="A name or spelling as found in a document, whatever its accents and case.")
]


@router.get("/office-kinds", tags=["offices"], responses=answers(PageOf[OfficeKindRow]))
async def list_kinds(
    request: Request,
    db: Reading,
    _caller: PlansRead,
    page: Paging,
    slug: Slugs = None,
    level: Levels = None,
    alias: Alias = None,
    q: Words = None,
) -> Response:
    """The shared list of office kinds, by name; `alias` finds the kind behind a spelling."""
    wanted = OfficeFilter((), chosen(slug), tuple(level or ()), q, alias)
    return await answer(request, db, service.list_kinds(wanted, page.known_at), page)


@router.put(
    "/office-kinds",
    tags=["offices"],
    dependencies=[DRY_RUN],
    responses=answers(
        ApplyChanges,
        {
            403: "scope_missing, unit_not_covered",
            409: "office_kind_in_use",
            422: "office_alias_ambiguous, item_key_repeated, field_invalid",
        },
    ),
)
async def put_kinds(db: Writing, caller: UnitsWrite, body: OfficeKindsBody, prune: Prune = False) -> Response:
    """Record the shared list of office kinds; a spelling that two kinds share is refused."""
    return reply(await service.put_kinds(db, caller, body, prune=prune))


@router.get("/offices", tags=["offices"], responses=answers(PageOf[OfficeRow]))
async def list_offices(
    request: Request,
    db: Reading,
    _caller: PlansRead,
    page: Paging,
    admin_unit: Units = None,
    slug: Slugs = None,
    level: Levels = None,
    alias: Alias = None,
    q: Words = None,
) -> Response:
    """Offices of units, with what their kinds give them, by unit and slug."""
    wanted = OfficeFilter(chosen(admin_unit), chosen(slug), tuple(level or ()), q, alias)
    return await answer(request, db, service.list_offices(wanted, page.known_at), page)


@router.put(
    "/offices/{admin_unit}",
    tags=["offices"],
    dependencies=[DRY_RUN],
    responses=answers(
        ApplyChanges,
        {
            403: "scope_missing, unit_not_covered",
            404: "unit_unknown",
            409: "office_in_use",
            422: "office_kind_unknown, item_key_repeated, field_invalid",
        },
    ),
)
async def put_offices(
    db: Writing, caller: PlansWrite, admin_unit: UnitPath, body: OfficesBody, prune: Prune = False
) -> Response:
    """Record the offices of a unit; an office of a shared kind needs its slug only."""
    return reply(await service.put_offices(db, caller, admin_unit, body, prune=prune))
