"""Rows of spreadsheets: titles below the heading, percents as they are shown, merged cells and errors told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import polars as pl

from chassis.errors import Fault, TooLarge
from chassis.tabular.findings import Findings
from chassis.tabular.grids import Heading, find_heading, named, untitled_cells
from chassis.tabular.pieces import whole
from chassis.tabular.rules import CELL_ERROR, CELL_MERGED, ROWS_TOO_MANY
from chassis.tabular.table import ROW, Kind, Limits, Table, Titles, table_of
from chassis.tabular.workbooks import Sheet, open_sheet

ROWS_AT_ONCE = 10_000
MOST_MERGED_ROWS = 1_000_000
MOST_EXACT = 2**53  # whole numbers up to here are exact in a sheet

Cell = int | float | str | bool | time | date | datetime | timedelta


def read_workbook(source: bytes | Path, titles: Titles, *, limits: Limits, sheet: str | None = None) -> Iterator[Table]:
    """Rows of an XLSX or XLS file, numbered as the sheet numbers them; see `open_sheet` and `find_heading`."""
    chosen = open_sheet(whole(source), titles, limits, sheet)
    heading = find_heading(chosen.first, titles)
    spans = _spans(chosen, heading, limits)
    reader = _Reader(chosen, heading, titles, spans, frozenset(spans.values()))
    rows = islice(chosen.cells.iter_rows(), heading.lines, None)
    number = heading.lines
    while some := list(islice(rows, ROWS_AT_ONCE)):
        yield reader.read(some, number)
        number += len(some)


def _spans(sheet: Sheet, heading: Heading, limits: Limits) -> dict[tuple[int, int], tuple[int, int]]:
    """Cells below the heading that are merged with one above, and which that is (row and place, from 0)."""
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    for (top, left), (bottom, right) in sheet.cells.merged_cell_ranges or ():
        if bottom <= top or bottom < heading.lines:
            continue
        if len(spans) + (bottom - top) * (right - left + 1) > MOST_MERGED_ROWS:
            raise TooLarge(ROWS_TOO_MANY, limit_rows=limits.rows)
        for row in range(top + 1, bottom + 1):
            spans.update({(row, place): (top, left) for place in range(left, right + 1)})
    return spans


@dataclass(slots=True)
class _Reader:
    """Reads a sheet some rows at a time; what merged cells hold is kept from one time to the next."""

    sheet: Sheet
    heading: Heading
    titles: Titles
    spans: Mapping[tuple[int, int], tuple[int, int]]
    tops: frozenset[tuple[int, int]]
    anchors: dict[tuple[int, int], Cell] = field(default_factory=dict)

    def read(self, rows: list[list[Cell]], first: int) -> Table:
        """A table of some rows, of which the first has this number, counted from 0; blank rows are none."""
        faults: list[Fault] = []
        wrong = {row for row, _ in self.sheet.marks.errors}
        filled = [at for at, row in enumerate(rows) if first + at in wrong or any(_is_filled(cell) for cell in row)]
        if self.spans:
            self._unmerge(rows, first, filled, faults)
        numbers = [first + at for at in filled]
        columns = self._columns([rows[at] for at in filled])
        self._mark(columns, numbers, faults)
        cells = {str(place): pl.Series(str(place), texts, pl.String) for place, (texts, _) in columns.items()}
        grid = pl.DataFrame([pl.Series(ROW, [number + 1 for number in numbers], pl.UInt32), *cells.values()])
        header = self.heading.header
        kinds = {name: pl.Series(columns[at][1], dtype=pl.UInt8) for at, name in header.places.items() if at in columns}
        findings = Findings.together([Findings.of(faults), untitled_cells(grid, header)])
        return table_of(named(grid, header), self.titles, findings, is_strict=False, kinds=kinds)

    def _columns(self, rows: list[list[Cell]]) -> dict[int, tuple[list[str | None], list[int]]]:
        """The texts and kinds of every column by its place."""
        columns = zip(*rows, strict=True) if rows else ([] for _ in range(self.heading.width - self.sheet.left))
        return {self.sheet.left + at: _read_cells(column) for at, column in enumerate(columns)}

    def _unmerge(self, rows: list[list[Cell]], first: int, filled: list[int], faults: list[Fault]) -> None:
        """Give rows what a cell merged over them holds, where that is the sense of the column; else refuse."""
        left, places = self.sheet.left, self.heading.header.places
        for at in filled:
            for place, name in places.items():
                here = (first + at, place)
                if here in self.tops:
                    self.anchors[here] = rows[at][place - left]
                if here not in self.spans:
                    continue
                if name in self.titles.spanning and self.spans[here][1] == place:
                    rows[at][place - left] = self.anchors.get(self.spans[here], "")
                else:
                    faults.append(Fault(CELL_MERGED, {"column": name}, row=first + at + 1, column=name))

    def _mark(
        self, columns: dict[int, tuple[list[str | None], list[int]]], numbers: list[int], faults: list[Fault]
    ) -> None:
        """Show percents as the sheet shows them, and tell of errors, which the reader leaves empty."""
        places, marks = self.heading.header.places, self.sheet.marks
        if not marks.errors and not marks.percents:
            return
        for at, number in enumerate(numbers):
            for place, name in places.items():
                if (number, place) in marks.errors:
                    faults.append(Fault(CELL_ERROR, row=number + 1, column=name))
                elif (number, place) in marks.percents and place in columns:
                    texts, kinds = columns[place]
                    text = texts[at]
                    texts[at] = _percent(text) if text is not None and kinds[at] == Kind.NUMBER else text


def _is_filled(cell: Cell) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else True


def _read_cells(column: Iterable[Cell]) -> tuple[list[str | None], list[int]]:
    texts: list[str | None] = []
    kinds: list[int] = []
    for cell in column:
        if isinstance(cell, str):
            texts.append(cell or None)
            kinds.append(Kind.TEXT)
        else:
            text, kind = _value(cell)
            texts.append(text)
            kinds.append(kind)
    return texts, kinds


def _value(cell: Cell) -> tuple[str, Kind]:
    if isinstance(cell, bool):
        return str(cell).lower(), Kind.FLAG
    if isinstance(cell, int):
        return str(cell), Kind.NUMBER
    if isinstance(cell, float):
        return _number(cell), Kind.NUMBER
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat(), Kind.DAY
    return str(cell), Kind.DAY


def _number(cell: float) -> str:
    """A number as the sheet shows it: a sheet keeps fifteen digits, and what it computes is off beyond them."""
    if cell.is_integer() and abs(cell) <= MOST_EXACT:
        return str(int(cell))
    return f"{cell:.15g}"


def _percent(text: str) -> str:
    points = f"{Decimal(text).scaleb(2):f}"
    return (points.rstrip("0").rstrip(".") if "." in points else points) + "%"
