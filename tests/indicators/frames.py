"""Rows and lists of codes as frames: what tests of the columnar domain start from."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from chassis.errors import Fault
from chassis.tabular import Body, Findings, NumberStyle, Table, Values, read_whole
from services.indicators.domain.actuals import resolving
from services.indicators.domain.actuals.judging import KIND_OF, Verdict, judge_rows
from services.indicators.domain.actuals.reading import read_names, read_rows
from services.indicators.domain.actuals.resolving import Codes, resolve
from services.indicators.domain.actuals.settling import STORED, collapse, settle
from services.indicators.domain.actuals.titles import TITLES
from services.indicators.domain.catalogue import ValueType, owner_of, parse_scale

TODAY = date(2026, 11, 22)
CELLS: dict[str, Any] = {"admin_unit": "26491", "indicator": "RATE", "period": "2026-Q3", "value": 85.5}
WITHDRAWN: dict[str, Any] = {"value": None, "action": "withdraw", "reason": "nhầm xã"}

OF_NONE: dict[str, Any] = {"value": None}

# Code, value type, scale, whether above 100 is allowed.
INDICATORS = (
    ("RATE", ValueType.PERCENT, "0-100", False),
    ("OPEN_RATE", ValueType.PERCENT, "0-100", True),
    ("INDEX", ValueType.INDEX, "0-1", False),
    ("POINTS", ValueType.INDEX, "0-100", False),
    ("SHARE", ValueType.PERCENT, "0-1", False),
    ("COUNT", ValueType.COUNT, None, False),
    ("AMOUNT", ValueType.AMOUNT, None, False),
    ("LEVEL", ValueType.LEVEL, "1-5", False),
    ("RANK", ValueType.RANK, None, False),
    ("DONE", ValueType.MILESTONE, None, False),
    ("WORDS", ValueType.TEXT, None, False),
    ("26434:OWN", ValueType.PERCENT, "0-100", False),
)
UNITS = (
    ("26491", 1, "75", "state"),
    ("26434", 2, "75", "state"),
    ("14161", 3, "37", "state"),
    ("75", 4, "75", "state"),
)
VALIDITIES = (
    ("26491", date(2025, 7, 1), None),
    ("26434", date(2025, 7, 1), None),
    ("14161", date(2026, 7, 1), None),
    ("75", date(2025, 7, 1), None),
)
SUB_POPULATIONS = ((1, "giáo viên", 5), (1, "học sinh", 6))
PERIODS = (
    ("state", "2026-Q3", 30, date(2026, 6, 15), date(2026, 9, 14), 20),
    ("state", "2026-Q2", 20, date(2026, 3, 15), date(2026, 6, 14), None),
    ("state", "2026", 50, date(2025, 12, 15), date(2026, 12, 14), None),
    ("state", "2027", 60, date(2026, 12, 15), date(2027, 12, 14), 50),
    ("state", "2025-Q2", 10, date(2025, 3, 15), date(2025, 6, 14), None),
    ("calendar", "2026-Q3", 31, date(2026, 7, 1), date(2026, 9, 30), None),
)


def rows(*cells: Any) -> bytes:
    """Rows as JSON, each a sound one but for the cells given; what is no dict stands as it is."""
    return json.dumps([{**CELLS, **one} if isinstance(one, dict) else one for one in cells]).encode()


def ratio(numerator: Any, denominator: Any, **cells: Any) -> dict[str, Any]:
    """Cells of a row that gives its figure as a ratio."""
    return {**OF_NONE, "numerator": numerator, "denominator": denominator, **cells}


def of(indicator: str, **cells: Any) -> dict[str, Any]:
    """Cells of a row of an indicator, without a value but those given."""
    return {**OF_NONE, "indicator": indicator, **cells}


def read(*cells: Any, takes_samples: bool = True) -> Values:
    """Rows read, of a JSON body."""
    table = whole(rows(*cells), "application/json")
    return read_rows(table, read_names(table), None, takes_samples=takes_samples)


def read_csv(text: str, style: NumberStyle | None = None) -> Values:
    """Rows read, of a CSV file."""
    table = whole(text.encode(), "text/csv")
    return read_rows(table, read_names(table), style, takes_samples=True)


def whole(body: bytes, content_type: str) -> Table:
    """A body of rows as a table of cells."""
    return read_whole(Body(body, content_type, TITLES, name="actuals"))


def codes(*plan_rows: tuple[str, str, str, str, str | None]) -> Codes:
    """The lists of codes; `plan_rows`: unit, row, year, indicator, sub-population."""
    indicators = []
    for number, (code, value_type, scale, allows_above_100) in enumerate(INDICATORS, 1):
        ends = parse_scale(scale)
        bounds = (ends.lowest, ends.highest, allows_above_100)
        indicators.append((code, number, KIND_OF[value_type], value_type.value, scale, *bounds, owner_of(code)))
    return Codes(
        pl.DataFrame(UNITS, resolving.UNITS, orient="row"),
        pl.DataFrame(VALIDITIES, resolving.VALIDITIES, orient="row"),
        pl.DataFrame(indicators, resolving.INDICATORS, orient="row"),
        pl.DataFrame(SUB_POPULATIONS, resolving.SUB_POPULATIONS, orient="row"),
        frozenset({"state", "calendar"}),
        pl.DataFrame(PERIODS, resolving.PERIODS, orient="row"),
        pl.DataFrame(plan_rows, resolving.PLAN_ROWS, orient="row"),
    )


def resolved(*cells: Any, known: Codes | None = None) -> pl.DataFrame:
    """Sound rows with what their codes stand for."""
    values = read(*cells)
    assert told(values.findings) == []
    return resolve(values.frame, known or codes())


def verdict(*cells: Any) -> Verdict:
    """Rows read, resolved and judged."""
    return judge_rows(resolved(*cells), TODAY)


def judged(*cells: Any) -> pl.DataFrame:
    """Sound rows in stored form."""
    found = verdict(*cells)
    assert told(found.findings) == []
    return found.frame


STORED_FIGURE: dict[str, Any] = {
    "admin_unit_id": 1,
    "indicator_id": 1,
    "period_id": 30,
    "sub_population_id": 0,
    "version": 3,
    "kind": 1,
    "value": Decimal("85.500000"),
    "numerator": None,
    "denominator": None,
    "words": None,
    "done_on": None,
    "measured_on": date(2026, 9, 14),
    "data_status": 2,
    "is_withdrawn": "f",
    "source": None,
    "evidence_url": None,
    "note": None,
}


def stored(*figures: dict[str, Any]) -> pl.DataFrame:
    """Figures as they are stored: 85.5 in version 3 but for what is given."""
    return pl.DataFrame([{**STORED_FIGURE, **figure} for figure in figures], STORED)


def settled(cells: dict[str, Any], *figures: dict[str, Any]) -> pl.DataFrame:
    """A row settled against what is stored."""
    return settle(collapse(judged(cells)).frame, stored(*figures))


def told(findings: Findings) -> list[tuple[int | None, str | None, str]]:
    """What was found: row, column and code, in the order of rows."""
    return [(fault.row, fault.column, fault.rule.code) for fault in findings.listed()]


def only(findings: Findings) -> Fault:
    """The one thing found."""
    (fault,) = findings.listed()
    return fault


def sentence(fault: Fault, language: str = "vi") -> str:
    """A fault as people read it."""
    return fault.rule.sentence(language, fault.values)
