"""Grids of cells under a line of titles, which may stand below the heading of a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from chassis.errors import BODY_INVALID, Fault, Refused, TooLarge
from chassis.tabular.findings import Check, Findings, judge
from chassis.tabular.rules import CELL_UNTITLED, COLUMNS_TOO_MANY, HEADER_MISSING, TEXT_OLD_FONT
from chassis.tabular.table import ROW, Header, Titles, folded, header_of
from chassis.text import legacy_font

HEADING_ROWS = 40  # a form's heading is shorter
MOST_COLUMNS = 500
TITLE_LINES = 3  # titles over merged cells stand at most so many lines above the lowest
_NUMBERING = re.compile(r"\(?(\d{1,2})\)?|\(?([A-Za-z])\)?")


@dataclass(frozen=True, slots=True)
class Heading:
    """The line of titles of a grid: how many lines it takes with all above it, its titles, and what they stand for."""

    lines: int
    header: Header
    width: int


def find_heading(rows: Sequence[Sequence[str]], titles: Titles) -> Heading:
    """Find the line with the most known titles among the first rows of a grid.

    Raises:
        Refused: no line has a known title ("header_missing", or "text_old_font" where that is why), or its titles
            are not all known and different ("field_unknown", "column_twice").
        TooLarge: it has more cells than any table ("columns_too_many").
    """
    known = titles.known()
    rows = [row[: MOST_COLUMNS + 1] for row in rows]
    lines = [_with_titles_above(rows, place, known) for place in range(min(len(rows), HEADING_ROWS))]
    counts = [_known(line, known) for line in lines]
    if not any(counts):
        raise _no_heading(rows, titles)
    place = counts.index(max(counts))
    line = lines[place]
    if len(line) > MOST_COLUMNS:
        raise TooLarge(COLUMNS_TOO_MANY, limit_columns=MOST_COLUMNS)
    after = rows[place + 1] if place + 1 < len(rows) else ()
    taken = place + 2 if _is_numbering(after) else place + 1
    return Heading(taken, header_of(line, titles), len(line))


def known_titles(rows: Sequence[Sequence[str]], titles: Titles) -> int:
    """How many known titles the best line among the first rows has."""
    known = titles.known()
    return max((_known(row[:MOST_COLUMNS], known) for row in rows[:HEADING_ROWS]), default=0)


def _known(line: Sequence[str], known: dict[str, str | None]) -> int:
    return sum(1 for cell in line if cell and known.get(folded(cell)))


def untitled_cells(grid: pl.DataFrame, header: Header) -> Findings:
    """Cells that hold something but stand under no title; the columns of `grid` are named by their places."""
    places = [str(place) for place in header.untitled if str(place) in grid.columns]
    checks = [Check(CELL_UNTITLED, letters(int(name)), _is_filled(pl.col(name)), shown=pl.col(name)) for name in places]
    return judge(grid, checks)


def letters(place: int) -> str:
    """A column as spreadsheets name it: A, B … Z, AA."""
    name = ""
    place += 1
    while place:
        place, sign = divmod(place - 1, 26)
        name = chr(ord("A") + sign) + name
    return name


def filled(grid: pl.DataFrame) -> pl.DataFrame:
    """The rows of a grid that hold anything."""
    cells = [name for name in grid.columns if name != ROW]
    # One column that is filled throughout spares looking at the others.
    if any(grid.select(_is_filled(pl.col(name)).fill_null(value=False).all()).item() for name in cells[:2]):
        return grid
    return grid.filter(pl.any_horizontal(_is_filled(pl.col(name)) for name in cells))


def named(grid: pl.DataFrame, header: Header) -> pl.DataFrame:
    """The titled columns of a grid by their names instead of their places."""
    places = {str(place): name for place, name in header.places.items() if str(place) in grid.columns}
    return grid.select(ROW, *(pl.col(place).alias(name) for place, name in places.items()))


def _is_filled(cell: pl.Expr) -> pl.Expr:
    return cell.str.strip_chars().str.len_bytes() > 0


def _with_titles_above(rows: Sequence[Sequence[str]], place: int, known: dict[str, str | None]) -> list[str]:
    """The line of titles, with those that merged cells begin above it."""
    line = [cell.strip() for cell in rows[place]]
    for above in reversed(rows[max(0, place - TITLE_LINES + 1) : place]):
        line += [""] * (len(above) - len(line))
        present = {known.get(folded(cell)) for cell in line if cell}
        for at, cell in enumerate(above):
            column = known.get(folded(cell))
            if not line[at] and column and column not in present:
                line[at] = cell.strip()
    return line


def _is_numbering(row: Sequence[str]) -> bool:
    """Whether a line only numbers the columns, as forms do: (1) (2) (3), or A B 1 2."""
    cells = [_NUMBERING.fullmatch(cell.strip()) for cell in row if cell.strip()]
    if len(cells) < 3 or not all(cells):
        return False
    numbers = [int(cell.group(1)) for cell in cells if cell and cell.group(1)]
    letters = [cell.group(2).upper() for cell in cells if cell and cell.group(2)]
    return numbers == list(range(1, len(numbers) + 1)) and letters == [chr(ord("A") + n) for n in range(len(letters))]


def _no_heading(rows: Sequence[Sequence[str]], titles: Titles) -> Refused:
    for number, row in enumerate(rows[:HEADING_ROWS], start=1):
        for cell in row:
            font = legacy_font(cell)
            if font:
                fault = Fault(TEXT_OLD_FONT, {"font": font}, row=number, value=cell[:200])
                return Refused(TEXT_OLD_FONT, faults=[fault], font=font)
    seen = next((row for row in rows if sum(1 for cell in row if cell.strip()) > 1), ())
    shown = " | ".join(cell.strip() for cell in seen)[:200]
    fault = Fault(HEADER_MISSING, {"columns": ", ".join(titles.columns[:6])}, value=shown or None)
    return Refused(BODY_INVALID, faults=[fault])
