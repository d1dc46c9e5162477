"""A province's communes by one indicator, as the indicators service ranks them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from chassis.errors import NotFound, rule
from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import INDICATORS, RANKINGS
from gateway.types.enums import PeriodType, RankingMethod
from gateway.types.fields import shown, told
from gateway.types.indicators import Actual, Indicator
from gateway.types.scalars import Date, Period
from gateway.types.scorecards import On, argument
from gateway.types.units import Commune, commune_of

RANKING_UNKNOWN = rule(
    "ranking_unknown",
    vi="Không có xếp hạng của chỉ tiêu {indicator} ở tỉnh {province}: mã không có, hoặc chỉ tiêu bằng chữ.",
    en="Province {province} has no ranking by {indicator}: a code is unknown, or its figures are words.",
)


@shown
class RankedCommune:
    """One commune's place."""

    place: int = told("1 is best; equal figures share a place.")
    commune: Commune | None = told("The commune.", commune_of)
    actual: Actual = told("The figure it is ranked by; its period is shown, for it may be older than others'.")


@shown
class RankingCoverage:
    """How many of the communes whose plans have the target are ranked."""

    counted: int = told("Communes with the target that have a place.")
    communes: int = told("Communes whose plans of the year, as far as the caller sees, have the target.")


@shown
class Ranking:
    """Communes of one province by their latest figure of one indicator, within one regime and kind of period."""

    province_code: str = told("Code of the province; communes of two provinces are never ranked together.")
    indicator: Indicator = told("What is compared.")
    sub_population: str | None = told("The part of the population compared; null: the whole.")
    regime: str | None = told("The regime whose figures are compared; null: there is no figure.")
    period_type: PeriodType | None = told("The kind of period compared; null: there is no figure.")
    year: int = told("The year whose figures and plans count.")
    on: Date = told("Latest is the greatest end on or before this day.")
    method: RankingMethod = told("Which figure comes first.")
    counted: int = told("How many communes have such a figure.")
    coverage: RankingCoverage = told("How many of the communes with the target are ranked.")
    items: list[RankedCommune] = told("Best first.", size=100)


async def ranking(  # noqa: PLR0913  # the arguments of the field
    info: Info,
    *,
    province: Annotated[str, argument("Code of the province.")],
    indicator: Annotated[str, argument("Code of the indicator.")],
    sub_population: Annotated[str | None, argument("A part of the population; the whole where absent.")] = None,
    regime: Annotated[str | None, argument("A reporting regime; the one most communes report under.")] = None,
    period: Annotated[Period | None, argument("Figures of this period only; else each commune's latest.")] = None,
    year: Annotated[int | None, argument("Year of the figures; of the period, else of the day, where absent.")] = None,
    on: On = None,
) -> Row:
    """Rank the communes of a province.

    Raises:
        NotFound: no such province or indicator, or its figures are words ("ranking_unknown").
    """
    filters = {"indicator": indicator, "sub_population": sub_population or None, "regime": regime, "period": period}
    found, entry = await asyncio.gather(
        info.context.loaders.first(RANKINGS, province, year=year, on=on, **filters),
        info.context.loaders.first(INDICATORS, indicator),
    )
    if found is None or entry is None:
        raise NotFound(RANKING_UNKNOWN, province=province, indicator=indicator)
    return {**found, "province_code": found["province"], "indicator": entry}
