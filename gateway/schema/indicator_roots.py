"""Roots of what is measured and achieved."""

from __future__ import annotations

from typing import Annotated

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import ACTUALS, INDICATORS
from gateway.schema.pages import DEFAULT_PAGE, After, First, read_page
from gateway.types.enums import Pillar, ValueType
from gateway.types.scalars import Period
from gateway.types.scorecards import KnownAt, argument

Code = Annotated[str, argument("Code: common (DTI_SCORE), or local to a unit (25378:DTI_SCORE).")]


async def indicator(info: Info, code: Code) -> Row | None:
    """An indicator by its code."""
    return await info.context.loaders.first(INDICATORS, code)


async def indicators(  # the arguments of the field
    info: Info,
    pillar: Annotated[list[Pillar] | None, argument("Of these pillars only.")] = None,
    value_type: Annotated[list[ValueType] | None, argument("With figures of these kinds only.")] = None,
    q: Annotated[str | None, argument("Words of the name, with or without accents.")] = None,
    first: First = DEFAULT_PAGE,
    after: After = None,
) -> Row:
    """The catalogue."""
    filters = {"pillar": pillar, "value_type": value_type, "q": q}
    return await read_page(info, "indicators", INDICATORS.path, first, after, filters)


async def actuals(  # noqa: PLR0913  # the arguments of the field
    info: Info,
    *,
    province: Annotated[str | None, argument("Code of a province.")] = None,
    admin_unit: Annotated[list[str] | None, argument("Codes of units.")] = None,
    indicator: Annotated[list[str] | None, argument("Codes of indicators.")] = None,
    regime: Annotated[str | None, argument("Of this reporting regime only.")] = None,
    period: Annotated[Period | None, argument("Of this period only.")] = None,
    known_at: KnownAt = None,
    first: First = DEFAULT_PAGE,
    after: After = None,
) -> Row:
    """Figures in force."""
    filters = {
        "province": province,
        "admin_unit": admin_unit,
        "indicator": indicator,
        "regime": regime,
        "period": period,
        "known_at": known_at,
    }
    return await read_page(info, "indicators", ACTUALS.path, first, after, filters)
