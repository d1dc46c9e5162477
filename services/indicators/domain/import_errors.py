"""Refused rows with what stood in them, beside their faults, in packed parts that can be read one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl
import zstandard

from chassis.errors import RULES
from chassis.tabular import ROW, Findings, Table

PART_ROWS = 5000
PART_BYTES = 4_000_000  # before packing; the last row of a part may go beyond
LONGEST_CELL = 2000  # characters of a cell that are kept
MOST_FAULTS = 50  # of one row; a row of nonsense has one or two of each column


@dataclass(frozen=True, slots=True)
class ErrorPart:
    """Refused rows up to a row: lines of JSON, packed."""

    last_row: int
    content: bytes


class KeptRow(msgspec.Struct, frozen=True):
    """A refused row: its number, its cells that are not empty, and its faults (column, code, value, values)."""

    row: int
    cells: dict[str, str] | None
    faults: list[tuple[str | None, str, str | None, str | None]]


_row = msgspec.json.Decoder(KeptRow)


class Sorting:
    """Picks the refused rows out of a body that is read again, table by table."""

    def __init__(self, findings: Findings) -> None:
        self._faults = findings.frame.with_columns(pl.col("row").fill_null(0).cast(pl.Int64)).sort(
            "row", maintain_order=True
        )
        self._filled: dict[str, bool] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in which anything stood so far, in the order in which they are declared."""
        return tuple(name for name, is_filled in self._filled.items() if is_filled)

    def parts(self, tables: Iterable[Table]) -> Iterator[ErrorPart]:
        """Every refused row in the order of rows, in parts of 5,000 or of 4 MB."""
        lines: list[bytes] = []
        size = last = 0
        for kept in self._rows(tables):
            line = msgspec.json.encode(kept)
            lines.append(line)
            size, last = size + len(line), kept.row
            if len(lines) >= PART_ROWS or size >= PART_BYTES:
                yield _packed(last, lines)
                lines, size = [], 0
        if lines:
            yield _packed(last, lines)

    def _rows(self, tables: Iterable[Table]) -> Iterator[KeptRow]:
        rows = self._faults["row"]
        start = 0
        for table in tables:
            self._note(table)
            if table.cells.is_empty():
                continue
            last = table.cells.select(pl.col(ROW).max()).item()
            end = rows.to_frame().select((pl.col("row") <= last).sum()).item()
            yield from _with_cells(self._faults[start:end], table.cells)
            start = end
            if start == len(rows):  # nobody asks for the rest
                return
        yield from _with_cells(self._faults[start:], None)

    def _note(self, table: Table) -> None:
        for name in table.cells.columns:
            if name != ROW:
                is_filled = table.cells[name].null_count() < table.cells.height
                self._filled[name] = self._filled.get(name, False) or is_filled


def _with_cells(faults: pl.DataFrame, cells: pl.DataFrame | None) -> Iterator[KeptRow]:
    if faults.is_empty():
        return
    found: dict[int, dict[str, str]] = {}
    if cells is not None:
        meant = cells.filter(pl.col(ROW).is_in(faults["row"].unique().implode()))
        found = {row[ROW]: _filled(row) for row in meant.iter_rows(named=True)}
    listed = pl.col("column", "code", "value", "values").head(MOST_FAULTS)
    for row, *told in faults.group_by("row", maintain_order=True).agg(listed).iter_rows():
        yield KeptRow(row, found.get(row), list(zip(*told, strict=True)))


def _filled(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: _cut(value) for name, value in row.items() if name != ROW and value is not None}


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_CELL else value[:LONGEST_CELL] + "…"


def _packed(last_row: int, lines: Sequence[bytes]) -> ErrorPart:
    return ErrorPart(last_row, zstandard.compress(b"\n".join(lines), level=3))


def unpacked(part: ErrorPart, after_row: int) -> Iterator[KeptRow]:
    """The rows of a part after a row."""
    for line in zstandard.decompress(part.content).split(b"\n"):
        row = _row.decode(line)
        if row.row > after_row:
            yield row


def shown(row: KeptRow, language: str) -> dict[str, Any]:
    """A refused row as it is shown, its faults worded."""
    errors = [_worded(fault, language) for fault in row.faults]
    return {
        "row": row.row or None,
        "cells": row.cells,
        "errors": errors,
        "message": " ".join(dict.fromkeys(error["message"] for error in errors)),
    }


def _worded(fault: tuple[str | None, str, str | None, str | None], language: str) -> dict[str, Any]:
    column, code, value, values = fault
    place = {name: told for name, told in (("column", column), ("value", value)) if told is not None}
    message = RULES[code].sentence(language, {**place, **msgspec.json.decode(values or "{}")})
    return {"code": code, "column": column, "value": value, "message": message}
