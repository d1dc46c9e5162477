"""The same rows in every form in which people and programs send them, and posts of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import zstandard

from services.indicators.service import hearing
from tests.chassis.tabular.bodies import CSV, JSON, NDJSON, PARQUET, XLS, XLSX, Sheet, ndjson, parquet, xls
from tests.house import House
from tests.indicators.given import ACTUALS, unit

TSV = "text/tab-separated-values"
OUTCOMES = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
COLUMNS = (
    "admin_unit", "indicator", "period", "value", "numerator", "denominator", "level", "rank", "text", "done_on",
    "measured_on", "data_status", "note",
)  # fmt: skip
VIETNAMESE = (
    "Mã xã", "Mã chỉ tiêu", "Kỳ báo cáo", "Kết quả thực hiện", "Tử số", "Mẫu số", "Cấp độ", "Thứ hạng", "Nội dung",
    "Ngày hoàn thành", "Tính đến ngày", "Trạng thái số liệu", "Ghi chú",
)  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"admin_unit": "26491", "indicator": "VNEID_ACCOUNT_RATE", "period": "2026-Q3", "value": 85.75, "note": 'a "x"; ữ'},
    {"admin_unit": "26491", "indicator": "DTI_SCORE", "period": "2026-Q3", "value": 0.7214},
    {"admin_unit": "26491", "indicator": "WIFI_POINTS", "period": "2026-Q3", "value": 1670},
    {"admin_unit": "26434", "indicator": "INFOSEC_LEVEL", "period": "2026-S1", "level": 2},
    {"admin_unit": "26434", "indicator": "DTI_PROVINCIAL_RANK", "period": "2026-Q3", "rank": 8},
    {"admin_unit": "26434", "indicator": "MEETING_ROOM", "period": "2026-Q3", "done_on": "2026-09-01"},
    {"admin_unit": "26434", "indicator": "BUDGET_WORDS", "period": "2026-Q3", "text": "Đúng, đủ, sạch, sống"},
    {
        "admin_unit": "26434", "indicator": "CASHLESS_RATE", "period": "2026-07", "numerator": 2, "denominator": 3,
        "measured_on": "2026-07-10", "data_status": "official",
    },
]  # fmt: skip
# What a list then says, beside keys, days, status and note: unit, indicator, period, figure.
KEPT = [
    ("26434", "BUDGET_WORDS", "2026-Q3", {"text": "Đúng, đủ, sạch, sống"}),
    ("26434", "CASHLESS_RATE", "2026-07", {"value": 66.666667, "numerator": 2, "denominator": 3}),
    ("26434", "DTI_PROVINCIAL_RANK", "2026-Q3", {"rank": 8}),
    ("26434", "INFOSEC_LEVEL", "2026-S1", {"level": 2}),
    ("26434", "MEETING_ROOM", "2026-Q3", {"done_on": "2026-09-01"}),
    ("26491", "DTI_SCORE", "2026-Q3", {"value": 0.7214}),
    ("26491", "VNEID_ACCOUNT_RATE", "2026-Q3", {"value": 85.75}),
    ("26491", "WIFI_POINTS", "2026-Q3", {"value": 1670}),
]


def cells(rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Rows as lists of cells in the order of the columns."""
    return [[row.get(name) for name in COLUMNS] for row in rows]


def separated(rows: Sequence[Mapping[str, Any]], separator: str, titles: Sequence[str] = COLUMNS) -> str:
    """Rows as a text with separators."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(titles)
    writer.writerows([["" if cell is None else cell for cell in row] for row in cells(rows)])
    return text.getvalue()


def workbook(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a workbook of Excel, days as days."""
    sheet = Sheet().rows(VIETNAMESE, *([None] * len(COLUMNS) for _ in rows))
    for at, row in enumerate(cells(rows), 1):
        for place, cell in enumerate(row):
            is_day = COLUMNS[place] in ("done_on", "measured_on") and cell
            if is_day:
                sheet.write(at, place, date.fromisoformat(cell), "dd/mm/yyyy")
            elif cell is not None:
                sheet.write(at, place, cell)
    return sheet.body()


def frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as typed columns."""
    kinds: dict[str, Any] = {
        **dict.fromkeys(COLUMNS, pl.String),
        **dict.fromkeys(("value", "numerator", "denominator"), pl.Decimal(20, 6)),
        **dict.fromkeys(("level", "rank"), pl.Int64),
        **dict.fromkeys(("done_on", "measured_on"), pl.Date),
    }
    typed = [[_typed(name, cell) for name, cell in zip(COLUMNS, row, strict=True)] for row in cells(rows)]
    return pl.DataFrame(typed, kinds, orient="row")


def _typed(name: str, cell: Any) -> Any:
    if cell is None:
        return None
    if name in ("value", "numerator", "denominator"):
        return Decimal(str(cell))
    return date.fromisoformat(cell) if name in ("done_on", "measured_on") else cell


FORMS: dict[str, tuple[str, Callable[[Sequence[Mapping[str, Any]]], bytes]]] = {
    "json": (JSON, lambda rows: json.dumps(rows).encode()),
    "json by name": (JSON, lambda rows: json.dumps({"actuals": rows}, ensure_ascii=False, indent=1).encode()),
    "ndjson": (NDJSON, lambda rows: ndjson(*rows)),
    "csv": (CSV, lambda rows: separated(rows, ",").encode()),
    "csv of vietnamese spreadsheets": (CSV, lambda rows: separated(rows, ";", VIETNAMESE).encode("utf-8-sig")),
    "csv in utf-16": (CSV, lambda rows: separated(rows, ";", VIETNAMESE).encode("utf-16")),
    "csv with tabs": (CSV, lambda rows: separated(rows, "\t", VIETNAMESE).encode()),
    "tsv": (TSV, lambda rows: separated(rows, "\t").encode()),
    "xlsx": (XLSX, workbook),
    "xls": (XLS, lambda rows: xls(VIETNAMESE, *cells(rows))),
    "parquet": (PARQUET, lambda rows: parquet(frame(rows), compression="zstd")),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": lambda body: zstandard.compress(body),
}


async def send(
    house: House, body: bytes, content_type: str, *, headers: Mapping[str, str] | None = None, **params: Any
) -> Any:
    """A post of a body as it is, by the administrator unless said otherwise."""
    asked = {"Accept-Language": "en", "Content-Type": content_type, **house.admin, **(headers or {})}
    return await house.client.post(ACTUALS, content=body, headers=asked, params=params)


def outcomes(response: Any) -> dict[str, int]:
    """The counts of a reply that are not nought; they always add up."""
    body = response.json()
    found = {name: body[name] for name in OUTCOMES}
    assert found["received"] == sum(found[name] for name in OUTCOMES[1:])
    return {name: number for name, number in found.items() if number}


def said(response: Any) -> list[tuple[int | None, str | None, str]]:
    """Row, column and code of every fault of a reply."""
    return [(each.get("row"), each.get("column"), each["code"]) for each in response.json()["errors"]]


async def crowd(house: House, count: int) -> list[str]:
    """Communes heard of beside the stock's: their codes."""
    codes = [f"3{number:04d}" for number in range(count)]
    async with house.database("indicators").write() as db:
        told = [unit(code, f"Xã {code}", "commune", "75", "2025-07-01") for code in codes]
        await hearing.hear_listed_units(db, told)
    return codes


MEASURED = ("VNEID_ACCOUNT_RATE", "CASHLESS_RATE", "SCHOOL_RATE", "WIFI_POINTS", "LATE_COUNT")
SPANS = (
    *(f"2026-{month:02d}" for month in range(1, 12)),
    *(f"2025-{month:02d}" for month in range(9, 13)),
    *("2026-Q1", "2026-Q2", "2026-Q3", "2026-S1", "2026-N"),
)


def many(codes: Sequence[str], value: Any = 1) -> list[dict[str, Any]]:
    """100 rows for each unit, of different keys."""
    return [
        {"admin_unit": code, "indicator": indicator, "period": period, "value": value}
        for code in codes
        for indicator in MEASURED
        for period in SPANS
    ]
