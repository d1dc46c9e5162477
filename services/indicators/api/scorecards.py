"""Scorecards over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from chassis import clock
from chassis.answers import PageOf, answers
from chassis.database import Reading
from chassis.listing import answer
from chassis.pages import Paging, chosen
from services.indicators.api.router import IndicatorsRead, OfTargets, PeriodTypes, router, viewer_of
from services.indicators.domain.filters import ScorecardFilter
from services.indicators.schemas.scorecards import ScorecardRow
from services.indicators.service import scorecards as service


@router.get("/scorecards", tags=["scorecards"], responses=answers(PageOf[ScorecardRow]))
async def list_scorecards(
    request: Request,
    db: Reading,
    caller: IndicatorsRead,
    page: Paging,
    wanted: OfTargets,
    on: Annotated[date | None, Query(description="The day evaluated for; absent: today in Viet Nam.")] = None,
    regime: Annotated[str | None, Query(description="Absent: each unit's default regime.")] = None,
    period_type: PeriodTypes = None,
) -> Response:
    """Every target with its latest figure and the verdict on a day, each verdict explained in one sentence.

    Latest is the figure of the plan's year with the greatest end on or before the day, within one regime and
    kind of period, which the row names. Ratio is figure over target: 0.95 is 95 %.
    """
    asked = ScorecardFilter(on or clock.today(), wanted, regime, chosen(period_type))
    return await answer(request, db, service.list_scorecards(viewer_of(request, caller), asked, page.known_at), page)
