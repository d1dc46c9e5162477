"""The same rows in every form the door takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import xlsxwriter

from chassis.replies import encode

Rows = Sequence[Mapping[str, Any]]
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def body_of(form: str, rows: Rows) -> bytes:
    """Rows as a body; every row has the columns of the first."""
    return _WRITERS[form](rows)


def _csv(rows: Rows) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _ndjson(rows: Rows) -> bytes:
    return b"\n".join(encode(row) for row in rows) + b"\n"


def _json(rows: Rows) -> bytes:
    return encode(list(rows))


def _parquet(rows: Rows) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(file)
    return file.getvalue()


def _xlsx(rows: Rows) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(rows[0]))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, ["" if value is None else value for value in row.values()])
    return file.getvalue()


_WRITERS: Mapping[str, Callable[[Rows], bytes]] = {
    "csv": _csv,
    "ndjson": _ndjson,
    "json": _json,
    "parquet": _parquet,
    "xlsx": _xlsx,
}
