"""Bodies of rows, whatever their form, as tables of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from chassis.errors import TooLarge
from chassis.tabular.apart import read_apart
from chassis.tabular.findings import Findings
from chassis.tabular.forms import Form, charset_of, form_of
from chassis.tabular.json_text import read_array, read_lines
from chassis.tabular.rules import ROWS_TOO_MANY
from chassis.tabular.separated import read_separated
from chassis.tabular.table import ROW, Limits, Table, Titles, table_of
from chassis.tabular.workbooks import is_markup, is_workbook


@dataclass(frozen=True, slots=True)
class Body:
    """A body of rows, unpacked: its bytes or the file they were written to, its content type, and what it may hold.

    `name` is the one field of a JSON object that may hold the rows; `sheet` the sheet of a workbook to read.
    """

    source: bytes | Path
    content_type: str | None
    titles: Titles
    limits: Limits = field(default_factory=Limits)
    name: str | None = None
    sheet: str | None = None


def read(body: Body) -> Iterator[Table]:
    """Read rows as tables of bearable size, one after another; at least one, which may be empty.

    Faults of rows and cells are findings of the tables, by the row's number as the sender sees it: its line (NDJSON),
    its place from 1 (JSON, Parquet), its number in the spreadsheet (CSV, XLSX, XLS).

    Raises:
        UnsupportedMedia: a content type or charset that is not read ("media_unsupported").
        Unreadable: a body that is not of its form at all, or of which 64 MiB cannot be told apart into rows
            ("body_unreadable", "file_unreadable").
        Refused: titles missing, unknown or double, and what else makes a file useless; see the forms.
        TooLarge: more rows or bytes than the limits allow ("rows_too_many", "unpacked_too_large").
        Unavailable: too many spreadsheets at once ("file_readers_busy").
    """
    count = 0
    is_strict = True
    for table in _tables(body):
        count += table.received
        if count > body.limits.rows:
            raise TooLarge(ROWS_TOO_MANY, limit_rows=body.limits.rows)
        is_strict = table.is_strict
        yield table
    if not count:
        yield table_of(pl.DataFrame(schema={ROW: pl.UInt32}), body.titles, Findings.none(), is_strict=is_strict)


def read_whole(body: Body) -> Table:
    """Read all rows as one table; see `read`."""
    return Table.together(read(body))


def _tables(body: Body) -> Iterator[Table]:
    form = form_of(body.content_type)
    if form is Form.JSON:
        return read_array(body.source, body.titles, body.name)
    if form is Form.NDJSON:
        return read_lines(body.source, body.titles)
    if form is Form.PARQUET:
        return read_apart(body.source, body.titles, body.limits, is_parquet=True, sheet=None)
    # Some programs call a CSV file a spreadsheet because a spreadsheet program opens it, and the other way round.
    if form is Form.XLSX or is_workbook(body.source) or is_markup(body.source):
        return read_apart(body.source, body.titles, body.limits, is_parquet=False, sheet=body.sheet)
    separators = {"separators": ("\t",)} if form is Form.TSV else {}
    return read_separated(body.source, body.titles, charset=charset_of(body.content_type), **separators)
