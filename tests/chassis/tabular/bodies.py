"""Bodies as people and programs make them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import xlsxwriter
import xlwt

from chassis.errors import HouseError
from chassis.tabular import Body, Findings, Kind, Table, Titles, folded, read_whole
from chassis.tabular.jobs import Job
from chassis.tabular.table import table_of
from chassis.tabular.workbooks import is_workbook

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS, PARQUET = "application/vnd.ms-excel", "application/vnd.apache.parquet"
ALIASES = {
    "Mã đơn vị": "admin_unit",
    "Mã xã": "admin_unit",
    "Chỉ tiêu": "indicator",
    "Giá trị": "value",
    "Ngày số liệu": "measured_on",
    "Ghi chú": "note",
    "STT": None,
}
COLUMNS = ("admin_unit", "indicator", "value", "measured_on", "note")
TITLES = Titles(
    COLUMNS, {folded(title): column for title, column in ALIASES.items()}, spanning=frozenset({"admin_unit"})
)


def read(body: bytes, content_type: str, titles: Titles = TITLES, **terms: Any) -> Table:
    """Read a body with our titles; foreign files here and not in a process of their own, which test_apart.py tests."""
    whole = Body(body, content_type, titles, **terms)
    if content_type not in (XLSX, XLS, PARQUET) or (content_type == XLS and not is_workbook(body)):
        return read_whole(whole)
    job = Job(content_type == PARQUET, titles, whole.limits, whole.sheet, None)
    tables = list(job.tables(body))
    nothing = pl.DataFrame(schema={"row": pl.UInt32})
    return Table.together(tables or [table_of(nothing, titles, Findings.none(), is_strict=job.is_parquet)])


def cells(table: Table, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a table: their numbers and the cells of some columns."""
    return table.cells.select("row", *(names or table.cells.columns[1:])).rows()


def kinds(table: Table, name: str) -> list[Kind]:
    """The kinds of a column."""
    return [Kind(kind) for kind in table.kinds[name]]


def found(table: Any) -> list[tuple[int | None, str | None, str]]:
    """What was found: row, column and code, in the order of rows."""
    return [(fault.row, fault.column, fault.rule.code) for fault in table.findings.listed()]


def refusal(body: bytes, content_type: str, **terms: Any) -> HouseError:
    """The refusal of a whole body."""
    try:
        read(body, content_type, **terms)
    except HouseError as error:
        return error
    raise AssertionError("the body was taken")


def ndjson(*rows: Any) -> bytes:
    """Rows as NDJSON."""
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def parquet(frame: pl.DataFrame, **options: Any) -> bytes:
    """A frame as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, **options)
    return buffer.getvalue()


class Sheet:
    """A workbook of one sheet under the hand: `write(row, place, value, number_format)` and `body()`."""

    def __init__(self, name: str = "Biểu 1") -> None:
        self._buffer = io.BytesIO()
        self.workbook = xlsxwriter.Workbook(self._buffer, {"in_memory": True})
        self.sheet = self.workbook.add_worksheet(name)

    def write(self, row: int, place: int, value: Any, number_format: str | None = None) -> Sheet:
        """Write a cell; row and place from 0."""
        look = self.workbook.add_format({"num_format": number_format}) if number_format else None
        self.sheet.write(row, place, value, look)
        return self

    def rows(self, *rows: Sequence[Any], first: int = 0) -> Sheet:
        """Write rows one below the other; None leaves a cell empty."""
        for at, row in enumerate(rows, start=first):
            for place, value in enumerate(row):
                if value is not None:
                    self.sheet.write(at, place, value)
        return self

    def body(self) -> bytes:
        """The file."""
        self.workbook.close()
        return self._buffer.getvalue()


def xls(*rows: Sequence[Any], formats: dict[tuple[int, int], str] | None = None) -> bytes:
    """Rows as a file of Excel 97-2003; `formats` by row and place."""
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("Trang 1")
    for at, row in enumerate(rows):
        for place, value in enumerate(row):
            look = (formats or {}).get((at, place))
            if value is not None:
                sheet.write(at, place, value, *([xlwt.easyxf(num_format_str=look)] if look else []))
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()
