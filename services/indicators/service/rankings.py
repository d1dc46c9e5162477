"""Rankings: communes of one province by one indicator, with what was compared and how complete it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chassis.listing import Listing
from chassis.periods import PeriodType, Window, parse_period
from services.indicators.domain.catalogue import Direction, ValueType
from services.indicators.domain.evaluation import Figure
from services.indicators.domain.filters import RankingFilter
from services.indicators.domain.ranking import Entrant, like_with_like, method_of, placed
from services.indicators.schemas.actuals import ActualRow
from services.indicators.schemas.rankings import RankingRow
from services.indicators.store import rankings as store
from services.indicators.store.visibility import Viewer

COLUMNS = tuple(RankingRow.model_fields)
_ACTUAL_FIELDS = tuple(ActualRow.model_fields)
_Key = tuple[str, str, str]


def year_of(year: int | None, period: str | None, on: date) -> int:
    """The year meant: the one asked for, else the period's, else the day's."""
    return year or (parse_period(period).year if period else on.year)


def list_rankings(viewer: Viewer, wanted: RankingFilter, known_at: datetime | None) -> Listing:
    """One ranking per province and indicator; indicators in words have none."""
    return store.list_rankings(viewer, wanted, known_at, COLUMNS, lambda row: ranking(row, wanted))


def ranking(row: Mapping[str, Any], wanted: RankingFilter) -> dict[str, Any]:
    """One ranking: the communes by place, what was compared, and how many of those with the target have one."""
    value_type = ValueType(row["value_type"])
    method = method_of(value_type, Direction(row["direction"]))
    figures = {_key(told): told for told in store.figures_of(row)}
    chosen = like_with_like([_entrant(told, value_type) for told in figures.values()], method)
    items = [
        {
            "place": each.place,
            "admin_unit": each.entrant.admin_unit,
            "actual": _actual(figures[_key_of(each.entrant)], row["indicator"]),
        }
        for each in placed(chosen, method)
    ]
    return {
        "province": row["province"],
        "indicator": row["indicator"],
        "sub_population": wanted.sub_population or None,
        "year": wanted.year,
        "on": wanted.on,
        "method": method,
        "regime": chosen[0].regime if chosen else None,
        "period_type": chosen[0].figure.period_type if chosen else None,
        "counted": len(chosen),
        "coverage": {
            "counted": len({each.admin_unit for each in chosen} & set(row["with_target"])),
            "communes": len(row["with_target"]),
        },
        "items": items,
    }


def _key(told: Mapping[str, Any]) -> _Key:
    return told["admin_unit"], told["regime"], told["period_type"]


def _key_of(entrant: Entrant) -> _Key:
    return entrant.admin_unit, entrant.regime, entrant.figure.period_type


def _entrant(told: Mapping[str, Any], value_type: ValueType) -> Entrant:
    figure = Figure(
        window=Window(told["starts_on"], told["ends_on"]),
        period_type=PeriodType(told["period_type"]),
        value=told["value"],
        numerator=told["numerator"],
        denominator=told["denominator"],
        done_on=told["done_on"],
        per_hundred=value_type is ValueType.PERCENT,
    )
    return Entrant(told["admin_unit"], told["regime"], figure)


def _actual(told: Mapping[str, Any], indicator: str) -> dict[str, Any]:
    shaped = store.actual_row({**told, "indicator": indicator})
    return {name: shaped[name] for name in _ACTUAL_FIELDS}
