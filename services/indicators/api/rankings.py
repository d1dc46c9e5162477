"""Rankings over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis import clock
from chassis.answers import PageOf, answers
from chassis.database import Reading
from chassis.listing import answer
from chassis.pages import Paging, many
from services.indicators.api.router import IndicatorsRead, Year, router, viewer_of
from services.indicators.domain.filters import RankingFilter
from services.indicators.schemas.rankings import RankingRow
from services.indicators.service import rankings as service
from services.indicators.service.periods import period_codes


@router.get("/rankings", tags=["rankings"], responses=answers(PageOf[RankingRow], {422: "period_malformed"}))
async def list_rankings(  # the parameters of the list
    request: Request,
    db: Reading,
    caller: IndicatorsRead,
    page: Paging,
    *,
    province: Annotated[list[str], Query(description="Province codes; each is ranked by itself.")],
    indicator: Annotated[list[str], Query(description="Indicator codes; each is ranked by itself.")],
    sub_population: Annotated[str, Query(description="The plan's words; absent: the whole population.")] = "",
    regime: Annotated[str | None, Query(description="Absent: the one most communes report under.")] = None,
    period: Annotated[str | None, Query(description="Figures of this period only; absent: the latest.")] = None,
    year: Annotated[Year | None, Query(description="Absent: the year of the period, else of the day.")] = None,
    on: Annotated[date | None, Query(description="The day ranked for; absent: today in Viet Nam.")] = None,
) -> Response:
    """The communes of a province by their latest figure of one indicator: who is best, and how it was compared.

    Only figures of one regime and one kind of period are compared, those most communes report; ratios by their
    parts, unrounded; equal figures share a place. Indicators in words have no ranking and are left out.
    """
    day = on or clock.today()
    of_period = period_codes([period])[0] if period else None
    asked = RankingFilter(
        provinces=tuple(many(province)),
        indicators=tuple(many(indicator)),
        on=day,
        year=service.year_of(year, of_period, day),
        sub_population=sub_population,
        regime=regime,
        period=of_period,
    )
    return await answer(request, db, service.list_rankings(viewer_of(request, caller), asked, page.known_at), page)
