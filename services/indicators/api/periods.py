"""Regimes and periods over HTTP."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading, Writing
from chassis.listing import answer
from chassis.pages import Paging, chosen
from chassis.replica import CatchUp
from chassis.replies import reply
from services.indicators.api.router import CatalogueWrite, IndicatorsRead, PeriodTypes, Prune, Regimes, Years, router
from services.indicators.domain.filters import PeriodFilter
from services.indicators.schemas.periods import PeriodRow, RegimeRow, RegimesBody
from services.indicators.schemas.values import Applied
from services.indicators.service import periods as service
from services.indicators.service.applying import Terms

TAGS: list[str | Enum] = ["periods"]


@router.get("/regimes", tags=TAGS, responses=answers(PageOf[RegimeRow]))
async def list_regimes(
    request: Request,
    db: Reading,
    _caller: IndicatorsRead,
    page: Paging,
    code: Annotated[list[str] | None, Query(description="Codes of regimes.")] = None,
) -> Response:
    """Reporting regimes: when their periods open, which kinds of periods they have, when reports are due."""
    return await answer(request, db, service.list_regimes(chosen(code), page.known_at), page)


@router.put(
    "/regimes",
    tags=TAGS,
    responses=answers(
        Applied,
        {
            403: "scope_missing, unit_not_covered",
            409: "regime_in_use",
            422: "body_invalid with opening_day_invalid, span_invalid, key_twice, default_regime_taken, field_unknown, "
            "field_invalid",
        },
    ),
)
async def put_regimes(
    db: Writing, caller: CatalogueWrite, body: RegimesBody, catch_up: CatchUp, prune: Prune = False
) -> Response:
    """Make the regimes say what the body says, and make their periods for the years they state.

    Periods with figures keep their days: 409 `regime_in_use`; a new rule then gets a new code.
    """
    return reply(await service.apply_regimes(db, caller, body, Terms(catch_up, prune)))


@router.get("/periods", tags=TAGS, responses=answers(PageOf[PeriodRow], {422: "period_malformed"}))
async def list_periods(
    request: Request,
    db: Reading,
    _caller: IndicatorsRead,
    page: Paging,
    regime: Regimes = None,
    year: Years = None,
    period_type: PeriodTypes = None,
    type_: Annotated[list[str] | None, Query(alias="type", description="The same as period_type.")] = None,
    code: Annotated[list[str] | None, Query(description="Codes of periods: 2026-Q2.")] = None,
    on: Annotated[date | None, Query(description="Periods that hold this day.")] = None,
    admin_unit: Annotated[str | None, Query(description="The unit whose due days are shown.")] = None,
) -> Response:
    """Periods by regime and end, with first, last and due day; days are calendar days in Viet Nam."""
    kinds = (*chosen(period_type), *chosen(type_))
    wanted = PeriodFilter(
        chosen(regime), tuple(year or ()), kinds, service.period_codes(chosen(code), "code"), on, admin_unit
    )
    return await answer(request, db, service.list_periods(wanted, page.known_at), page)
