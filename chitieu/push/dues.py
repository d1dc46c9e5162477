"""When reports of what was pushed are due: by the units and periods of the rows, as the service knows their days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from anyio import to_thread

from chassis import tabular
from chassis.errors import HouseError
from chassis.periods import PeriodError, format_date_vi, format_period_vi, parse_period
from chitieu.client import AsyncClient, Body, ClientError
from services.indicators.domain.actuals.titles import TITLES

LARGEST = 4 * 1024 * 1024
MOST_UNITS, MOST_PERIODS, MOST_LINES = 50, 12, 6
_FIELDS = "admin_unit,period,due_on"


async def due_lines(client: AsyncClient, body: Body, sheet: str | None = None) -> list[str]:
    """One phrase per period with a due day; nothing where rows, rights or days are not there to tell."""
    if body.size > LARGEST or body.content_encoding is not None:
        return []
    units, periods = await to_thread.run_sync(_keys, body, sheet)
    if not 0 < len(units) <= MOST_UNITS or not 0 < len(periods) <= MOST_PERIODS:
        return []
    asked = {"admin_unit": ",".join(units), "period": ",".join(periods), "fields": _FIELDS, "limit": 1000}
    try:
        found = (await client.read("/v1/indicators/actuals", asked))["items"]
    except ClientError:
        return []
    return _phrases(found)


def _keys(body: Body, sheet: str | None) -> tuple[list[str], list[str]]:
    """The units and periods a body names."""
    sent = tabular.Body(body.read(0, body.size), body.content_type, TITLES, name="actuals", sheet=sheet)
    try:
        cells = tabular.read_whole(sent).cells
    except HouseError:
        return [], []
    units = {unit for name in ("admin_unit", "commune") for unit in cells[name].drop_nulls().unique()}
    periods = {_code(words) for words in cells["period"].drop_nulls().unique()}
    return sorted(unit.strip() for unit in units), sorted(code for code in periods if code)


def _code(words: str) -> str | None:
    try:
        return parse_period(words.strip()).code
    except PeriodError:
        return None


def _phrases(figures: list[Mapping[str, Any]]) -> list[str]:
    days: dict[str, dict[str, set[str]]] = {}
    for figure in figures:
        if figure["due_on"]:
            days.setdefault(figure["period"], {}).setdefault(figure["due_on"], set()).add(figure["admin_unit"])
    phrases = []
    for period, by_day in sorted(days.items()):
        for day, units in sorted(by_day.items()):
            whose = f" (đơn vị {', '.join(sorted(units))})" if len(by_day) > 1 else ""
            phrases.append(f"{format_period_vi(period)}: {format_date_vi(date.fromisoformat(day))}{whose}")
    return phrases[:MOST_LINES]
