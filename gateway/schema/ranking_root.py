"""A province's communes by one indicator: like with like only, and the reply says what was compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from chassis.clock import today
from chassis.errors import NotFound, Refused, rule
from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import ACTUALS, INDICATORS
from gateway.types.enums import PeriodType
from gateway.types.fields import shown, told
from gateway.types.indicators import Actual, Indicator
from gateway.types.scalars import Date, Period
from gateway.types.scorecards import On, argument
from gateway.types.units import Commune, commune_of

INDICATOR_UNKNOWN = rule(
    "ranking_indicator_unknown", vi="Không có chỉ tiêu {indicator}.", en="There is no indicator {indicator}."
)
NOT_RANKABLE = rule(
    "ranking_not_possible",
    vi="Chỉ tiêu {indicator} không có con số để xếp hạng.",
    en="Indicator {indicator} has no figure to rank by.",
)
LOWER_IS_BETTER = "lower_is_better"


@shown
class RankedCommune:
    """One commune's place."""

    place: int = told("1 is best; equal figures share a place.")
    commune: Commune | None = told("The commune.", commune_of)
    actual: Actual = told("The figure it is ranked by; its period is shown, for it may be older than others'.")


@shown
class Ranking:
    """Communes of one province by their latest figure of one indicator, within one regime and kind of period."""

    province_code: str = told("Code of the province; communes of two provinces are never ranked together.")
    indicator: Indicator = told("What is compared.")
    sub_population: str | None = told("The part of the population compared; null: the whole.")
    regime: str | None = told("The regime whose figures are compared; null: there is no figure.")
    period_type: PeriodType | None = told("The kind of period compared; null: there is no figure.")
    on: Date = told("Latest is the greatest end on or before this day.")
    counted: int = told("How many communes have such a figure.")
    items: list[RankedCommune] = told("Best first.", size=100)


async def ranking(  # noqa: PLR0913  # the arguments of the field
    info: Info,
    *,
    province: Annotated[str, argument("Code of the province.")],
    indicator: Annotated[str, argument("Code of the indicator.")],
    sub_population: Annotated[str | None, argument("A part of the population; the whole where absent.")] = None,
    regime: Annotated[str | None, argument("A reporting regime; the one most communes report under.")] = None,
    period: Annotated[Period | None, argument("Figures of this period only; else each commune's latest.")] = None,
    on: On = None,
) -> Row:
    """Rank the communes of a province.

    Raises:
        NotFound: no such indicator ("ranking_indicator_unknown").
        Refused: its figures are words ("ranking_not_possible").
    """
    entry = await info.context.loaders.first(INDICATORS, indicator)
    if entry is None:
        raise NotFound(INDICATOR_UNKNOWN, indicator=indicator)
    if entry["value_type"] == "text":
        raise Refused(NOT_RANKABLE, indicator=indicator)
    filters = {"province": province, "indicator": indicator, "regime": regime, "period": period}
    day = on or Date(today().isoformat())
    rows = await info.context.services.rows("indicators", ACTUALS.path, filters)
    fitting = [row for row in rows if row["sub_population"] == sub_population and _is_fit(row, province, day)]
    chosen = like_with_like(fitting)
    return {
        "province_code": province,
        "indicator": entry,
        "sub_population": sub_population,
        "regime": chosen[0]["regime"] if chosen else None,
        "period_type": chosen[0]["period_type"] if chosen else None,
        "on": day,
        "counted": len(chosen),
        "items": placed(chosen, is_lower_better=entry["direction"] == LOWER_IS_BETTER),
    }


def _is_fit(row: Row, province: str, day: str) -> bool:
    """Whether a figure can be ranked: a commune's, ended by the day, and a number or a day."""
    return row["admin_unit"] != province and row["ends_on"] <= day and _figure(row) is not None


def like_with_like(rows: Sequence[Row]) -> list[Row]:
    """Each unit's latest figure within the one regime and kind of period that most units report."""
    groups = Counter({(row["admin_unit"], row["regime"], row["period_type"]): 1 for row in rows})
    units = Counter((regime, kind) for _, regime, kind in groups)
    if not units:
        return []
    most = min(units, key=lambda group: (-units[group], group))
    latest: dict[str, Row] = {}
    for row in rows:
        known = latest.get(row["admin_unit"])
        if (row["regime"], row["period_type"]) == most and (known is None or known["ends_on"] < row["ends_on"]):
            latest[row["admin_unit"]] = row
    return list(latest.values())


def placed(rows: Sequence[Row], *, is_lower_better: bool) -> list[Row]:
    """Rows with their places, best first; equal figures share a place, and the next place counts them."""
    figures = [(_figure(row) or Fraction(0), row) for row in rows]
    ordered = sorted(figures, key=lambda pair: (pair[0] if is_lower_better else -pair[0], pair[1]["admin_unit"]))
    items: list[Row] = []
    for at, (figure, row) in enumerate(ordered, 1):
        is_tied = at > 1 and ordered[at - 2][0] == figure
        items.append({"place": items[-1]["place"] if is_tied else at, "admin_unit": row["admin_unit"], "actual": row})
    return items


def _figure(row: Row) -> Fraction | None:
    """The figure unrounded: a ratio from its parts, an earlier day better than a later one."""
    if row["numerator"] is not None and row["denominator"]:
        return Fraction(row["numerator"]) / Fraction(row["denominator"])
    if row["done_on"] is not None:
        return Fraction(-int(row["done_on"].replace("-", "")))
    found: Any = next((row[name] for name in ("value", "level", "rank") if row[name] is not None), None)
    return Fraction(found) if isinstance(found, int | Decimal) else None
