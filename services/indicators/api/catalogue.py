"""The catalogue over HTTP."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading, Writing
from chassis.listing import answer
from chassis.pages import KnownAt, Paging, chosen
from chassis.replica import CatchUp
from chassis.replies import reply
from services.indicators.api.router import CatalogueWrite, IndicatorsRead, Pillars, Prune, Words, router, viewer_of
from services.indicators.domain.filters import CatalogueFilter
from services.indicators.schemas.catalogue import CatalogueBody, IndicatorRow
from services.indicators.schemas.values import Applied
from services.indicators.service import catalogue as service
from services.indicators.service.applying import Terms

TAGS: list[str | Enum] = ["catalogue"]
FAULTS = (
    "body_invalid with indicator_code_malformed, indicator_of_another_owner, scale_malformed, scale_missing, "
    "ratio_parts_mismatch, direction_mismatch, related_unknown, key_twice, field_unknown, field_invalid"
)


@router.get("/catalogue", tags=TAGS, responses=answers(PageOf[IndicatorRow]))
async def list_catalogue(
    request: Request,
    db: Reading,
    caller: IndicatorsRead,
    page: Paging,
    code: Annotated[list[str] | None, Query(description="Indicator codes.")] = None,
    owner: Annotated[list[str] | None, Query(description="Units whose local codes are meant.")] = None,
    pillar: Pillars = None,
    value_type: Annotated[list[str] | None, Query(description="Kinds of figures.")] = None,
    q: Words = None,
) -> Response:
    """What is measured, by code: common indicators, and local codes (`25378:…`) of units.

    `used_by` names the units whose plans have a target for the indicator.
    """
    wanted = CatalogueFilter(chosen(code), chosen(owner), chosen(pillar), chosen(value_type), q)
    return await answer(request, db, service.list_indicators(viewer_of(request, caller), wanted, page.known_at), page)


@router.get("/catalogue/{code}", tags=TAGS, responses=answers(IndicatorRow, {404: "indicator_unknown"}))
async def get_indicator(
    request: Request, db: Reading, caller: IndicatorsRead, code: str, known_at: KnownAt
) -> Response:
    """One indicator, now or as it was known."""
    return reply(await service.get_indicator(db, viewer_of(request, caller), code, known_at))


@router.put(
    "/catalogue",
    tags=TAGS,
    responses=answers(Applied, {403: "scope_missing, unit_not_covered", 409: "indicator_in_use", 422: FAULTS}),
)
async def put_catalogue(
    db: Writing, caller: CatalogueWrite, body: CatalogueBody, catch_up: CatchUp, prune: Prune = False
) -> Response:
    """Make the common catalogue (or with `owner` one unit's local codes) say what the body says.

    Earlier versions stay readable with `known_at`. Codes that are in use are never pruned.
    """
    return reply(await service.apply_catalogue(db, caller, body, Terms(catch_up, prune)))
