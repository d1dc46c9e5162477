"""Figures over HTTP: posting them, the ones in force, their history."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from fastapi import Body, Query, Request
from pydantic import WithJsonSchema
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.database import Reading, Writing
from chassis.idempotency import OnceIfKeyed
from chassis.listing import answer
from chassis.pages import Paging, chosen
from chassis.problems import fault_body, language_of
from chassis.replica import CatchUp
from chassis.replies import reply
from services.indicators.api.router import (
    ActualsWrite,
    Indicators,
    IndicatorsRead,
    PeriodTypes,
    Provinces,
    Regimes,
    Units,
    Years,
    router,
    viewer_of,
)
from services.indicators.domain.actuals.reading import MAX_ROWS
from services.indicators.domain.filters import ActualFilter
from services.indicators.schemas.actuals import ActualBody, ActualHistoryRow, ActualRow, Posted
from services.indicators.service import actuals as service
from services.indicators.service.actuals import Mode, OnStale, PostResult, PostTerms

TAGS: list[str | Enum] = ["actuals"]
_ROWS = {"type": "array", "items": ActualBody.model_json_schema(), "maxItems": MAX_ROWS}
Rows = Annotated[
    Any,
    Body(description="Rows, bare or as `actuals`; at most 1,000."),
    WithJsonSchema({"anyOf": [_ROWS, {"type": "object", "properties": {"actuals": _ROWS}, "required": ["actuals"]}]}),
]
SubPopulations = Annotated[list[str] | None, Query(alias="sub_population", description="The plan's words.")]
Periods = Annotated[list[str] | None, Query(alias="period", description="Codes of periods: 2026-Q2.")]
Sources = Annotated[list[str] | None, Query(alias="source", description="Sources; sample: made for the demo.")]
Statuses = Annotated[list[str] | None, Query(alias="data_status", description="estimated, preliminary, official.")]

POST_ANSWERS = {
    207: {"model": Posted, "description": "A partial post with refused rows: the rest is written."},
    **answers(
        Posted,
        {
            403: "scope_missing",
            409: "request_in_progress",
            413: "actuals_too_many, body_too_large",
            422: "actuals_refused with the faults of every row, actuals_not_rows, idempotency_key_reused",
        },
    ),
}


@router.post("/actuals", tags=TAGS, responses=POST_ANSWERS)
async def post_actuals(
    request: Request,
    db: Writing,
    caller: ActualsWrite,
    rows: Rows,
    once: OnceIfKeyed,
    catch_up: CatchUp,
    mode: Annotated[Mode, Query(description="All rows or none, or the good ones.")] = Mode.ATOMIC,
    on_stale: Annotated[OnStale, Query(description="A row older than what is stored.")] = OnStale.REFUSE,
) -> Response:
    """Record figures, or withdraw them, under their full keys; at most 1,000 rows.

    received = created + updated + unchanged + stale + duplicates + refused. Without mode=partial one refused
    row refuses all (422); with it the good rows are written and the answer is 207. Percentages are 0-100
    unless the indicator's scale says 0-1. Posting the same again is harmless: unchanged rows are neither
    written nor announced. A wrong figure is withdrawn with a reason, never deleted.
    """
    terms = PostTerms(catch_up, request.app.state.house.settings.is_demo, mode, on_stale)
    language = language_of(request.headers.get("Accept-Language"))

    async def work() -> Response:
        return _answer(await service.post_actuals(db, caller, rows, terms), language)

    return await once(work)


def _answer(result: PostResult, language: str) -> Response:
    body = {
        **result.counts,
        "mode": result.mode,
        "dry_run": result.is_dry_run,
        "import_id": result.import_id,
        "errors": [fault_body(fault, language) for fault in result.errors],
        "warnings": [fault_body(fault, language) for fault in result.warnings],
        "write_token": result.write_token,
    }
    return reply(body, status=207 if result.counts["refused"] else 200)


@router.get("/actuals", tags=TAGS, responses=answers(PageOf[ActualRow]))
async def list_actuals(
    request: Request,
    db: Reading,
    caller: IndicatorsRead,
    page: Paging,
    admin_unit: Units = None,
    province: Provinces = None,
    indicator: Indicators = None,
    sub_population: SubPopulations = None,
    regime: Regimes = None,
    period: Periods = None,
    period_type: PeriodTypes = None,
    year: Years = None,
    source: Sources = None,
    data_status: Statuses = None,
) -> Response:
    """Figures in force by unit, indicator and period, now or at `known_at`; withdrawn ones are left out.

    Units the caller does not act for show public figures only, without note, evidence link and client.
    """
    wanted = ActualFilter(
        admin_units=chosen(admin_unit),
        provinces=chosen(province),
        indicators=chosen(indicator),
        sub_populations=tuple(sub_population or ()),
        regimes=chosen(regime),
        periods=chosen(period),
        period_types=chosen(period_type),
        years=tuple(year or ()),
        sources=chosen(source),
        data_statuses=chosen(data_status),
    )
    return await answer(request, db, service.list_actuals(viewer_of(request, caller), wanted, page.known_at), page)


@router.get("/actuals/history", tags=TAGS, responses=answers(PageOf[ActualHistoryRow]))
async def list_history(
    request: Request,
    db: Reading,
    caller: IndicatorsRead,
    page: Paging,
    admin_unit: Units = None,
    indicator: Indicators = None,
    sub_population: SubPopulations = None,
    regime: Regimes = None,
    period: Periods = None,
) -> Response:
    """Every version of the figures, oldest first within each key: superseded, withdrawn, in force."""
    wanted = ActualFilter(
        admin_units=chosen(admin_unit),
        indicators=chosen(indicator),
        sub_populations=tuple(sub_population or ()),
        regimes=chosen(regime),
        periods=chosen(period),
    )
    return await answer(request, db, service.list_history(viewer_of(request, caller), wanted), page)
