"""Figures over HTTP: posting them, the ones in force, their history."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from starlette.responses import Response

from chassis.answers import PageOf, answers
from chassis.bodies import Upload, receive
from chassis.database import Reading, Writing
from chassis.house import House
from chassis.idempotency import OnceIfKeyed
from chassis.listing import answer
from chassis.pages import Paging, chosen
from chassis.problems import fault_body, language_of
from chassis.receipts import Facts, sign_receipt
from chassis.replica import CatchUp
from chassis.replies import reply
from chassis.tabular import FILE_TYPES, Body, NumberStyle
from services.indicators.api.imports import accept_body
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
from services.indicators.domain.actuals.titles import TITLES
from services.indicators.domain.filters import ActualFilter
from services.indicators.schemas.actuals import ActualBody, ActualHistoryRow, ActualRow, Posted
from services.indicators.schemas.imports import Import
from services.indicators.service import actuals as service
from services.indicators.service.actuals import PostResult
from services.indicators.service.periods import period_codes
from services.indicators.service.terms import Mode, OnBlank, OnStale, PostTerms

TAGS: list[str | Enum] = ["actuals"]
SubPopulations = Annotated[list[str] | None, Query(alias="sub_population", description="The plan's words.")]
Periods = Annotated[list[str] | None, Query(alias="period", description="Codes of periods: 2026-Q2.")]
Sources = Annotated[list[str] | None, Query(alias="source", description="Sources; sample: made for the demo.")]
Statuses = Annotated[list[str] | None, Query(alias="data_status", description="estimated, preliminary, official.")]
Rows = Annotated[Upload, Depends(receive)]
Style = Annotated[
    NumberStyle | None,
    Query(description="How a file writes numbers: 1.670,5 (vi), 1,670.5 (en), 1670.5 (plain); absent: as it is clear."),
]

_ROWS = {"type": "array", "items": ActualBody.model_json_schema()}
_FILE = {"schema": {"type": "string", "format": "binary"}}
POST_BODY = {
    "requestBody": {
        "required": True,
        "description": "Rows, at most 200,000; packed with gzip or zstd if Content-Encoding says so.",
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [_ROWS, {"type": "object", "properties": {"actuals": _ROWS}, "required": ["actuals"]}]
                }
            },
            **dict.fromkeys(FILE_TYPES, _FILE),
        },
    }
}
_REFUSED = {422: "period_malformed"}
POST_ANSWERS = {
    202: {"model": Import, "description": "`Prefer: respond-async`: the body is an import now; watch its Location."},
    207: {"model": Posted, "description": "A partial post with refused rows: the rest is written."},
    **answers(
        Posted,
        {
            403: "scope_missing",
            409: "request_in_progress",
            413: "body_too_large, actuals_too_many, unpacked_too_large",
            415: "media_unsupported",
            422: "actuals_refused with the faults of every row, faults_too_many with the first of them, body_invalid, "
            "idempotency_key_reused",
            503: "file_readers_busy",
        },
    ),
}


@router.post("/actuals", tags=TAGS, responses=POST_ANSWERS, openapi_extra=POST_BODY)
async def post_actuals(
    request: Request,
    db: Writing,
    caller: ActualsWrite,
    rows: Rows,
    once: OnceIfKeyed,
    catch_up: CatchUp,
    mode: Annotated[Mode, Query(description="All rows or none, or the good ones.")] = Mode.ATOMIC,
    on_stale: Annotated[OnStale, Query(description="A row older than what is stored.")] = OnStale.REFUSE,
    on_blank: Annotated[
        OnBlank, Query(description="A row that names a figure and says nothing of it.")
    ] = OnBlank.REFUSE,
    number_style: Style = None,
    sheet: Annotated[str | None, Query(description="The sheet of a workbook; absent: the one with a table.")] = None,
    _prefer: Annotated[str | None, Header(alias="Prefer", description="respond-async: answer 202 at once.")] = None,
) -> Response:
    """Record figures, or withdraw them, under their full keys; at most 200,000 rows.

    received = created + updated + unchanged + stale + duplicates + refused. Without mode=partial one refused
    row refuses all (422); with it the good rows are written and the answer is 207. Percentages are 0-100
    unless the indicator's scale says 0-1. Posting the same again is harmless: unchanged rows are neither
    written nor announced. A wrong figure is withdrawn with a reason, never deleted. With `Prefer: respond-async`
    the rows are posted after the answer, as an import of up to 5,000,000 of them (202).
    """
    house = request.app.state.house
    terms = PostTerms(
        catch_up, house.settings.is_demo, mode, on_stale, on_blank, style=number_style, sha256=rows.sha256
    )
    body = Body(rows.content, rows.content_type, TITLES, name="actuals", sheet=sheet)
    language = language_of(request.headers.get("Accept-Language"))

    async def work() -> Response:
        if rows.is_for_later:
            return await accept_body(request, db, caller, rows, terms=terms, sheet=sheet)
        result = await service.post_actuals(db, caller, body, terms)
        return reply(posted(result, language, _receipt(house, result, rows.sha256)), status=status_of(result))

    return await once(work)


def _receipt(house: House, result: PostResult, sha256: bytes) -> str | None:
    """The signed receipt of a post; a dry run recorded nothing."""
    if result.is_dry_run:
        return None
    return sign_receipt(house, Facts(result.import_id, sha256, result.counts, result.write_token, result.at))


def status_of(result: PostResult) -> int:
    """207 where rows were refused and the rest was taken."""
    return 207 if result.counts["refused"] else 200


def posted(result: PostResult, language: str, receipt: str | None) -> dict[str, Any]:
    """What became of a post, in the reader's language; at most 1,000 faults and warnings, with their true totals."""
    return {
        **result.counts,
        "left_blank": result.blank,
        "mode": result.mode,
        "dry_run": result.is_dry_run,
        "import_id": result.import_id,
        "errors": [fault_body(fault, language) for fault in result.errors.listed()],
        "errors_total": result.errors.total,
        "warnings": [fault_body(fault, language) for fault in result.warnings.listed()],
        "warnings_total": result.warnings.total,
        "write_token": result.write_token,
        "receipt": receipt,
    }


@router.get("/actuals", tags=TAGS, responses=answers(PageOf[ActualRow], _REFUSED))
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
        periods=period_codes(chosen(period)),
        period_types=chosen(period_type),
        years=tuple(year or ()),
        sources=chosen(source),
        data_statuses=chosen(data_status),
    )
    return await answer(request, db, service.list_actuals(viewer_of(request, caller), wanted, page.known_at), page)


@router.get("/actuals/history", tags=TAGS, responses=answers(PageOf[ActualHistoryRow], _REFUSED))
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
        periods=period_codes(chosen(period)),
    )
    return await answer(request, db, service.list_history(viewer_of(request, caller), wanted), page)
