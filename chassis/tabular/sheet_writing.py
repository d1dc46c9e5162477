"""Rows as a workbook: written row by row into a file, at constant memory, every cell a text and never a formula."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

SHEET_ROWS = 1_000_000  # a sheet ends at 1,048,576
AT_ONCE = 5_000
_LONGEST_CELL = 32_767


async def write_workbook(path: Path, rows: AsyncIterator[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Write rows under their titles, each sheet with its own; what a column lacks stays empty."""
    book = Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent)})
    writer = _Writer(book, columns)
    held: list[Mapping[str, object]] = []
    async for row in rows:
        held.append(row)
        if len(held) == AT_ONCE:
            await asyncio.to_thread(writer.add, held)
            held = []
    await asyncio.to_thread(writer.add, held)
    await asyncio.to_thread(book.close)


class _Writer:
    def __init__(self, book: Workbook, columns: Sequence[str]) -> None:
        self._book = book
        self._columns = columns
        self._sheet: Any = None
        self._next = SHEET_ROWS + 1
        self._begin()

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Write some rows."""
        for row in rows:
            if self._next > SHEET_ROWS:
                self._begin()
            self._write(row)

    def _begin(self) -> None:
        self._sheet, self._next = self._book.add_worksheet(), 0
        self._sheet.freeze_panes(1, 0)
        self._write({name: name for name in self._columns})

    def _write(self, row: Mapping[str, object]) -> None:
        for place, name in enumerate(self._columns):
            value = row.get(name)
            if isinstance(value, int):
                self._sheet.write_number(self._next, place, value)
            elif value is not None:
                # As a text whatever it looks like: a spreadsheet runs no text, and changes none.
                self._sheet.write_string(self._next, place, str(value)[:_LONGEST_CELL])
        self._next += 1
