"""Rows of separated values: comma, semicolon or tab, titles found below a heading, every odd line its own fault."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import polars as pl

from chassis.errors import Fault
from chassis.tabular.findings import Findings
from chassis.tabular.grids import HEADING_ROWS, Heading, filled, find_heading, known_titles, named, untitled_cells
from chassis.tabular.pieces import PIECE_BYTES, cut, pieces, refuse_endless
from chassis.tabular.rules import ROW_NOT_UTF8, ROW_TOO_WIDE, ROW_UNREADABLE
from chassis.tabular.table import ROW, Table, Titles, table_of

HEAD_BYTES = 256 * 1024
SEPARATORS = (";", ",", "\t")
LONGEST_CELL_LINES = 100  # lines that a cell in quotes is followed over, in a piece that has faults
BROKEN_QUOTES = 50  # after so many quotes without an end, each line is taken for a row
MOST_WAITING = 2 * PIECE_BYTES  # no cell is so long; what waits for its end is read by lines then
BLOCK_BYTES = 16 * 1024 * 1024  # of a body in memory that are read at once: every cut copies
_QUOTE = b'"'
_FOREIGN_BYTE = re.compile("[\udc80-\udcff]")


_Read = tuple[pl.DataFrame, list[Fault]]


@dataclass(frozen=True, slots=True)
class _Layout:
    separator: str
    heading: Heading
    start: int  # bytes before the first row
    row: int  # its number


def read_separated(
    source: bytes | Path, titles: Titles, *, separators: Sequence[str] = SEPARATORS, charset: str = "utf-8"
) -> Iterator[Table]:
    """Rows of CSV, numbered as a spreadsheet numbers them: the first line is 1, a cell over two lines is one row.

    Raises:
        Refused: no line of titles, or titles unknown or double (see `find_heading`).
    """
    blocks = _whole_records(_in_utf8(source, charset))
    first = next(blocks, b"")
    reader = _Reader(_layout(first, titles, separators))
    for grid, faults in reader.read(first, blocks):
        if grid.height or faults:
            yield _table(grid, faults, reader.layout, titles)


def _table(grid: pl.DataFrame, faults: list[Fault], layout: _Layout, titles: Titles) -> Table:
    header = layout.heading.header
    cells = named(filled(grid), header)
    findings = Findings.together([Findings.of(faults), untitled_cells(grid, header)])
    return table_of(cells, titles, findings, received=cells.height + len(faults), is_strict=False)


def _in_utf8(source: bytes | Path, charset: str) -> Iterator[bytes]:
    """The body in UTF-8; UTF-16, as spreadsheets save "Unicode text", is known by its byte order mark."""
    whole = pieces(source, BLOCK_BYTES) if isinstance(source, bytes) else pieces(source)
    first = next(whole, b"")
    if charset == "utf-8" and first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        charset = "utf-16"
    stream = chain([first], whole)
    return stream if charset == "utf-8" else _recoded(stream, charset)


def _recoded(stream: Iterator[bytes], charset: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(charset)(errors="replace")
    for piece in stream:
        yield _marked(decoder.decode(piece).removeprefix("\ufeff"))
    yield _marked(decoder.decode(b"", final=True))


def _marked(text: str) -> bytes:
    """UTF-8 in which what could not be decoded is no UTF-8 either, so that its row is refused."""
    return text.encode().replace("\ufffd".encode(), b"\xff")


def _whole_records(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks that end with a line and not within quotes, unless a quote is open for a whole piece: that one is stray,
    no cell is so long.
    """
    held = b""
    has_waited = False
    for piece in stream:
        lines = piece.replace(b"\r", b"\n") if b"\n" not in piece else piece  # of old Macintosh programs
        held = held + lines if held else lines
        end = _record_end(held) or (held.rfind(b"\n") + 1 if has_waited else 0)
        has_waited = not end
        if end:
            yield held[:end]
            held = held[end:]
        else:
            refuse_endless(held, "CSV")
    if held:
        yield held


def _record_end(held: bytes) -> int:
    """Where the last line ends that does not end within quotes; 0 where none is near."""
    end = held.rfind(b"\n") + 1
    quotes = held.count(_QUOTE, 0, end)
    for _ in range(LONGEST_CELL_LINES):
        if quotes % 2 == 0 or end == 0:
            return end
        before = held.rfind(b"\n", 0, end - 1) + 1
        quotes -= held.count(_QUOTE, before, end)
        end = before
    return 0


def _layout(first: bytes, titles: Titles, separators: Sequence[str]) -> _Layout:
    raw = first[:HEAD_BYTES].split(b"\n")
    lines = [line.decode(errors="replace") + "\n" for line in raw]
    named = _named_separator(lines[0])
    if named:
        separators = (named,)
    skipped = 1 if named else 0  # a spreadsheet does not show that line
    read = {sign: _records(lines[skipped:], sign) for sign in separators}
    separator = max(
        separators, key=lambda sign: (known_titles(read[sign][0], titles), max(map(len, read[sign][0]), default=0))
    )
    rows, ends = read[separator]
    heading = find_heading(rows, titles)
    used = raw[: skipped + ends[heading.lines - 1]]
    return _Layout(separator, heading, sum(len(line) + 1 for line in used), heading.lines + 1)


def _named_separator(line: str) -> str | None:
    """The separator of a first line "sep=;", which spreadsheets write and read."""
    line = line.rstrip("\r\n").strip('"')
    return line[4:] if line[:4].lower() == "sep=" and line[4:] in SEPARATORS else None


def _records(lines: Sequence[str], separator: str) -> tuple[list[list[str]], list[int]]:
    """The first records, and after how many lines each ends."""
    reader = csv.reader(lines, delimiter=separator)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
            if len(rows) > HEADING_ROWS + 1:
                break
    except csv.Error:
        pass  # the titles may stand before what is broken
    return rows, ends


class _Reader:
    """Reads block after block; where a quote is stray, what may be the beginning of a row waits for what follows."""

    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self._row = layout.row
        self._rest = b""

    def read(self, first: bytes, others: Iterator[bytes]) -> Iterator[_Read]:
        """The cells of the rows by their own places, and the faults of those that have none."""
        yield from self._read_block(first, self.layout.start)
        for block in others:
            yield from self._read_block(self._rest + block if self._rest else block, 0)
        if self._rest:
            yield self._read_fast(self._rest) or self._read_singly(self._rest, is_last=True)

    def _read_block(self, block: bytes, start: int) -> Iterator[_Read]:
        """A block from a place on, in pieces where something in it has to be read singly."""
        self._rest = b""
        read = self._read_fast(block, start)
        if read is not None:
            yield read
            return
        for piece in cut(block, PIECE_BYTES, start):
            held = self._rest + piece
            end = _record_end(held)
            read = self._read_fast(held[:end]) if end else None
            if read is not None:
                self._rest = held[end:]
            yield read or self._read_singly(held, is_last=False)

    def _read_fast(self, block: bytes, start: int = 0) -> _Read | None:
        """All rows at once; None where something has to be read singly."""
        # After a stray quote the rest of a block reads like one cell; the reader would make ten times its size of it.
        is_sound = block.count(_QUOTE, start) % 2 == 0
        grid = _grid(block, self.layout, self._row, start) if is_sound else None
        if grid is None:
            return None
        self._row += grid.height
        return grid, []

    def _read_singly(self, held: bytes, *, is_last: bool) -> _Read:
        """Row by row: only the lines at fault are lost. Of what is not the last, the beginning of a row stays."""
        end = len(held) if is_last else held.rfind(b"\n") + 1
        lines = held[:end].decode(errors="surrogateescape").removesuffix("\n").split("\n") if end else []
        may_wait = not is_last and len(held) <= MOST_WAITING
        grid, faults, read = _read_lines(lines, self.layout, self._row, may_wait=may_wait)
        self._row += grid.height + len(faults)
        waiting = "".join(line + "\n" for line in lines[read:])
        self._rest = waiting.encode(errors="surrogateescape") + held[end:]
        return grid, faults


def _grid(block: bytes, layout: _Layout, row: int, start: int = 0) -> pl.DataFrame | None:
    """The cells of a block by their places; None where a row is at fault."""
    names = [str(place) for place in range(layout.heading.width)]
    # The line put in front gives the width, and keeps the reader from unpacking what looks like a packed file.
    front = layout.separator.join(names).encode() + b"\n"
    try:
        return pl.read_csv(
            b"".join((front, memoryview(block)[start:])),
            separator=layout.separator,
            infer_schema=False,
            row_index_name=ROW,
            row_index_offset=row,
        )
    except pl.exceptions.PolarsError:
        return None


def _read_lines(
    lines: Sequence[str], layout: _Layout, first: int, *, may_wait: bool
) -> tuple[pl.DataFrame, list[Fault], int]:
    """The cells of lines, the faults of those that have none, and how many lines were read.

    The last ones may wait: where a row may begin that ends beyond them, they are left over.
    """
    width = layout.heading.width
    numbers: list[int] = []
    rows: list[list[str | None]] = []
    faults: list[Fault] = []
    place, number, broken = 0, first, 0
    while place < len(lines):
        longest = 1 if broken > BROKEN_QUOTES else LONGEST_CELL_LINES
        cells, used = _record(lines, place, layout.separator, longest)
        if cells is None and may_wait and len(lines) - place < longest:
            break
        broken += cells is None
        fault = _record_fault(number, cells, lines[place], width)
        if fault:
            faults.append(fault)
        elif cells is not None:
            numbers.append(number)
            rows.append([*cells[:width], *[None] * (width - len(cells))])
        number, place = number + 1, place + used
    schema = {str(at): pl.String for at in range(width)}
    grid = pl.DataFrame(rows, schema=schema, orient="row").insert_column(0, pl.Series(ROW, numbers, pl.UInt32))
    return grid, faults, place


def _record(lines: Sequence[str], place: int, separator: str, longest: int) -> tuple[list[str] | None, int]:
    """The cells of the record that begins at a line, None where it is broken, and how many lines it takes."""
    taken = lines[place].removesuffix("\r")
    cells = _cells(taken, separator)
    if cells is not None:
        return cells, 1
    for used in range(2, min(longest, len(lines) - place) + 1):
        taken += "\n" + lines[place + used - 1].removesuffix("\r")
        cells = _cells(taken, separator) if taken.count('"') % 2 == 0 else None
        if cells is not None:
            return cells, used
    return None, 1


def _cells(record: str, separator: str) -> list[str] | None:
    try:
        return next(csv.reader([record], delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def _record_fault(number: int, cells: list[str] | None, line: str, width: int) -> Fault | None:
    shown = line[:200].encode(errors="replace").decode()
    if any(_FOREIGN_BYTE.search(cell) for cell in cells or [line]):
        return Fault(ROW_NOT_UTF8, row=number, value=shown)
    if cells is None:
        reason = {"reason": "a quote has no end or no separator after it", "reason_vi": "dấu ngoặc kép đặt sai"}
        return Fault(ROW_UNREADABLE, reason, row=number, value=shown)
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return Fault(ROW_TOO_WIDE, {"cells": len(cells), "columns": width}, row=number, value=shown)
    return None
