"""Administrative units over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis import clock
from chassis.answers import PageOf, answers
from chassis.bodies import decode_json, read_body
from chassis.database import Reading, Writing
from chassis.errors import MEDIA_UNSUPPORTED, Refused, UnsupportedMedia
from chassis.listing import answer
from chassis.pages import Paging, chosen
from chassis.problems import body_refusal
from chassis.replies import reply
from services.plans.api.router import DRY_RUN, InYear, PlansRead, Provinces, Prune, UnitPath, UnitsWrite, Words, router
from services.plans.domain.filters import UnitFilter
from services.plans.domain.rules import UNITS_UNREADABLE
from services.plans.domain.units import AdminUnitType
from services.plans.schemas.plans import ApplyChanges
from services.plans.schemas.units import AdminUnitHistory, AdminUnitRow, AdminUnitsBody, MissingPlanRow, read_units_csv
from services.plans.service import units as service

JSON, CSV = "application/json", "text/csv"
_ROWS = {"type": "array", "items": {"$ref": "#/components/schemas/AdminUnitBody"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"type": "object", "required": ["admin_units"], "properties": {"admin_units": _ROWS}}},
            CSV: {"schema": {"type": "string", "examples": ["code,name_vi,name_en,type,province_code,valid_from\n…"]}},
        },
    }
}
OnDay = Annotated[
    date | Literal["all"] | None,
    Query(description="Day on which the unit holds; left out: today in Viet Nam; `all`: every validity."),
]


@router.get("/admin-units", tags=["admin units"], responses=answers(PageOf[AdminUnitRow]))
async def list_units(
    request: Request,
    db: Reading,
    caller: PlansRead,
    page: Paging,
    code: Annotated[list[str] | None, Query(description="Unit codes.")] = None,
    province: Provinces = None,
    type: Annotated[list[AdminUnitType] | None, Query(description="Types of units.")] = None,  # noqa: A002 - a field
    q: Words = None,
    on: OnDay = None,
    with_: Annotated[Literal["plans"] | None, Query(alias="with", description="Embed the unit's plans.")] = None,
    year: InYear = None,
) -> Response:
    """Units by name (with `on=all`: by code), as they are on a day: communes of a province, or by code or words.

    `with=plans` embeds the headers of each unit's plans that the caller may see (of `year`), in the same statement.
    """
    day = None if on == "all" else on or clock.today()
    wanted = UnitFilter(chosen(code), chosen(province), tuple(type or ()), q, day)
    if with_ == "plans":
        listing = service.list_units_with_plans(caller, wanted, page.known_at, year)
    else:
        listing = service.list_units(wanted, page.known_at)
    return await answer(request, db, listing, page)


@router.get("/admin-units/{code}", tags=["admin units"], responses=answers(AdminUnitHistory, {404: "unit_unknown"}))
async def get_unit(
    db: Reading,
    _caller: PlansRead,
    code: UnitPath,
    on: Annotated[date | None, Query(description="Left out: today in Viet Nam.")] = None,
) -> Response:
    """One code: what it means on a day (today when left out), and everything it has meant.

    Codes are recycled: 26491 was Phú Đông until 30 June 2025 and is Đại Phước since.
    """
    found = await service.get_unit(db, code, on or clock.today())
    return reply(found, version=found["version"])


@router.put(
    "/admin-units",
    tags=["admin units"],
    dependencies=[DRY_RUN],
    openapi_extra=_BODY,
    responses=answers(
        ApplyChanges,
        {
            403: "scope_missing, unit_not_covered",
            409: "unit_in_use",
            415: "media_unsupported",
            422: "unit_validity_overlaps, unit_validity_empty, unit_type_mismatch, unit_province_missing, "
            "unit_province_unwanted, unit_province_unknown, units_unreadable, field_invalid",
        },
    ),
)
async def put_units(request: Request, db: Writing, caller: UnitsWrite, prune: Prune = False) -> Response:
    """Record units, thousands at once, as JSON or CSV: the rows of a code replace all its stored rows.

    Overlapping validities of a code are refused with row and column. The order of rows does not matter.
    """
    return reply(await service.put_units(db, caller, await _units(request), prune=prune))


async def _units(request: Request) -> AdminUnitsBody:
    kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind not in (JSON, CSV):
        raise UnsupportedMedia(MEDIA_UNSUPPORTED, content_type=kind or "—", accepted=f"{JSON}, {CSV}")
    content = await read_body(request, request.app.state.house.settings.max_document_bytes)
    if kind == CSV:
        return read_units_csv(_text(content))
    data = decode_json(content)
    try:
        return AdminUnitsBody.model_validate(data)
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        raise body_refusal(found, AdminUnitsBody) from error


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(UNITS_UNREADABLE, reason="not UTF-8") from error


@router.get("/missing", tags=["plans"], responses=answers(PageOf[MissingPlanRow]))
async def list_missing(
    request: Request,
    db: Reading,
    _caller: PlansRead,
    page: Paging,
    province: Annotated[str, Query(description="Code of the province.")],
    year: Annotated[int, Query(ge=1900, le=2200, description="Year of the plans.")],
    on: Annotated[date | None, Query(description="Communes valid on this day; left out: today.")] = None,
) -> Response:
    """Communes of a province that have no plan issued for the year."""
    listing = service.list_missing_plans(province, year, on or clock.today(), page.known_at)
    return await answer(request, db, listing, page)
