"""Spreadsheet files opened safely, and the one sheet in them that holds the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from chassis.errors import Refused
from chassis.tabular import biff
from chassis.tabular.foreign import foreign, unreadable
from chassis.tabular.grids import HEADING_ROWS, known_titles
from chassis.tabular.marks import Marks
from chassis.tabular.ooxml import Package
from chassis.tabular.pieces import head
from chassis.tabular.rules import FILE_ENCRYPTED, SHEET_UNKNOWN, SHEETS_SEVERAL
from chassis.tabular.table import Limits, Titles

XLSX_MAGIC = b"PK\x03\x04"
MAGICS = (XLSX_MAGIC, biff.MAGIC)
MOST_SHEETS = 100


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet laid out: its cells, what is marked in it, and its first rows as texts."""

    name: str
    cells: CalamineSheet
    marks: Marks
    first: list[list[str]]

    @property
    def left(self) -> int:
        """The place of the first column that has cells."""
        start = self.cells.start
        return start[1] if start else 0


@dataclass(frozen=True, slots=True)
class _Workbook:
    form: str
    file: CalamineWorkbook
    marks: Callable[[int], Marks]
    limits: Limits

    def sheet(self, place: int) -> Sheet:
        """Lay a sheet out once it is known to be of bearable size."""
        marks = self.marks(place)
        marks.check(self.limits.rows + HEADING_ROWS)
        with foreign(self.form):
            cells = self.file.get_sheet_by_index(place)
            first = [[shown(cell) for cell in row] for row in islice(cells.iter_rows(), HEADING_ROWS + 1)]
        return Sheet(cells.name, cells, marks, first)


def is_workbook(source: bytes | Path) -> bool:
    """Whether a body begins as a spreadsheet file does, whatever it is called."""
    return head(source, 8).startswith(MAGICS)


def is_markup(source: bytes | Path) -> bool:
    """Whether a body is a web page, as some programs call a spreadsheet."""
    return head(source, 1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def open_sheet(data: bytes, titles: Titles, limits: Limits, name: str | None) -> Sheet:
    """The named sheet of a workbook, or else the one visible sheet that holds a table.

    Raises:
        Unreadable: no workbook ("file_unreadable").
        Refused: it has a password ("file_encrypted"), several sheets hold tables ("sheets_several"), or there is no
            such sheet ("sheet_unknown").
        TooLarge: more than the limits allow, packed small or not.
    """
    workbook = _open(data, limits)
    sheets = workbook.file.sheets_metadata
    tables = [place for place, one in enumerate(sheets) if one.typ == SheetTypeEnum.WorkSheet]
    if name is not None:
        named = [place for place in tables if sheets[place].name == name]
        if not named:
            raise Refused(SHEET_UNKNOWN, sheet=name, sheets=", ".join(sheets[place].name for place in tables))
        return workbook.sheet(named[0])
    visible = [place for place in tables if sheets[place].visible == SheetVisibleEnum.Visible][:MOST_SHEETS]
    return _only_table([workbook.sheet(place) for place in visible], titles, workbook.form)


def shown(cell: object) -> str:
    """A cell as a title would read."""
    return cell if isinstance(cell, str) else str(cell)


def _only_table(sheets: list[Sheet], titles: Titles, form: str) -> Sheet:
    counts = [known_titles(sheet.first, titles) for sheet in sheets]
    if not counts:
        raise unreadable(form, "no visible sheet", "không có trang tính nào hiện ra")
    best = max(counts)
    alike = [sheet for sheet, count in zip(sheets, counts, strict=True) if count and 2 * count >= best]
    if len(alike) > 1:
        raise Refused(SHEETS_SEVERAL, sheets=", ".join(sheet.name for sheet in alike))
    return alike[0] if alike else sheets[0]


def _open(data: bytes, limits: Limits) -> _Workbook:
    if data.startswith(XLSX_MAGIC):
        package = Package(data, limits.unpacked_bytes)  # first, for the other reader would unpack a bomb
        return _Workbook("XLSX", _file("XLSX", data), package.marks, limits)
    if data.startswith(biff.MAGIC):
        book = biff.read_book(data)
        for place in range(len(book.starts)):
            book.marks(place).check(limits.rows + HEADING_ROWS)  # the other reader lays all sheets out at once
        return _Workbook(biff.FORM, _file(biff.FORM, data), book.marks, limits)
    if is_markup(data):
        reason_vi = "đây là trang HTML hoặc XML mang tên bảng tính; hãy mở bằng Excel rồi lưu thành .xlsx"
        raise unreadable(
            "XLSX", "HTML or XML under a spreadsheet's name; open it in Excel and save as .xlsx", reason_vi
        )
    raise unreadable("XLSX", "not an Excel file", "tệp không phải bảng tính Excel")


def _file(form: str, data: bytes) -> CalamineWorkbook:
    with foreign(form):
        try:
            return CalamineWorkbook.from_filelike(BytesIO(data))
        except PasswordError as error:
            raise Refused(FILE_ENCRYPTED) from error
