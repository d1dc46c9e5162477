"""Roots of units; what a query asks of their plans is fetched along, in the same call."""

from __future__ import annotations

from typing import Annotated

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import UNITS, Value
from gateway.schema.pages import DEFAULT_PAGE, After, First, read_page
from gateway.types.enums import AdminUnitType
from gateway.types.scalars import Date
from gateway.types.scorecards import argument
from gateway.types.units import Types, keep_plans, plans_year

COMMUNES = (AdminUnitType.COMMUNE, AdminUnitType.WARD, AdminUnitType.SPECIAL_ZONE)
PROVINCES = (AdminUnitType.PROVINCE, AdminUnitType.MUNICIPALITY)

Code = Annotated[str, argument("Official code, leading zeros kept.")]
Words = Annotated[str | None, argument("Words of the name, with or without accents.")]
ValidOn = Annotated[Date | None, argument("Units as they are on this day; today where absent.")]


async def _find(info: Info, code: str, on: Date | None, types: tuple[AdminUnitType, ...]) -> Row | None:
    year = plans_year(info)
    embedded: dict[str, Value] = {"with": "plans", "year": year} if year else {}
    unit = await info.context.loaders.first(UNITS, code, on=on, **embedded)
    if unit is None or unit["type"] not in types:
        return None
    keep_plans(info, [unit], year)
    return unit


async def commune(info: Info, code: Code, on: ValidOn = None) -> Row | None:
    """A commune by its code."""
    return await _find(info, code, on, COMMUNES)


async def province(info: Info, code: Code, on: ValidOn = None) -> Row | None:
    """A province by its code."""
    return await _find(info, code, on, PROVINCES)


async def communes(  # noqa: PLR0913  # the arguments of the field
    info: Info,
    *,
    province: Annotated[str | None, argument("Code of a province; every province where absent.")] = None,
    code: Annotated[list[str] | None, argument("Only communes of these codes.")] = None,
    type: Types = None,  # noqa: A002 - the field's name
    q: Words = None,
    on: ValidOn = None,
    first: First = DEFAULT_PAGE,
    after: After = None,
) -> Row:
    """Communes in the order of a Vietnamese dictionary."""
    year = plans_year(info, "nodes")
    filters: dict[str, Value | list[str]] = {
        "province": province,
        "code": code,
        "type": [kind.value for kind in (COMMUNES if type is None else type) if kind in COMMUNES],
        "q": q,
        "on": on,
        "with": "plans" if year else None,
        "year": year,
    }
    page = await read_page(info, "plans", UNITS.path, first, after, filters)
    keep_plans(info, page["nodes"], year)
    return page


async def provinces(
    info: Info, q: Words = None, on: ValidOn = None, first: First = DEFAULT_PAGE, after: After = None
) -> Row:
    """Provinces in the order of a Vietnamese dictionary."""
    return await read_page(info, "plans", UNITS.path, first, after, {"type": PROVINCES, "q": q, "on": on})
