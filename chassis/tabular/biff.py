"""What a reader of values does not tell of an XLS file (Excel 97-2003): percent formats and error cells.

The file is a small file system (compound file) whose stream "Workbook" is a chain of records, [MS-CFB] and [MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from chassis.errors import Refused
from chassis.tabular.foreign import unreadable
from chassis.tabular.marks import PERCENT_FORMATS, Marks, is_percent
from chassis.tabular.rules import FILE_ENCRYPTED

FORM = "XLS"
MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_END_OF_CHAIN = 0xFFFFFFFA  # and above: no sector
_SMALL_STREAM = 4096
_BOF, _EOF, _SHEET, _PASSWORD, _FORMAT, _XF, _STRINGS = 0x809, 0x0A, 0x85, 0x2F, 0x41E, 0xE0, 0xFC
_FORMULA, _FLAG_OR_ERROR, _MANY_NUMBERS = 0x06, 0x205, 0xBD
_CELLS = frozenset({0x203, 0x27E, 0xFD, 0x204, 0xD6, _FORMULA, _FLAG_OR_ERROR})  # row, column and format lead them
_BIFF8 = 0x600


@dataclass(slots=True)
class Book:
    """A workbook's records, where its sheets begin, and which of its formats show percents."""

    stream: bytes
    starts: list[int] = field(default_factory=list)
    percent_formats: set[int] = field(default_factory=lambda: set(PERCENT_FORMATS))
    styles: list[int] = field(default_factory=list)

    def marks(self, sheet: int) -> Marks:
        """The extent, the percent cells and the error cells of a sheet, by its place in the workbook."""
        found = Marks()
        depth = 0
        try:
            for kind, place, size in _records(self.stream, self.starts[sheet]):
                depth += (kind == _BOF) - (kind == _EOF)
                if depth <= 0:
                    break
                if depth == 1 and kind in _CELLS:
                    self._mark(kind, place, found)
                elif depth == 1 and kind == _MANY_NUMBERS:
                    self._mark_many(place, size, found)
        except (struct.error, IndexError) as error:
            raise unreadable(FORM, "a sheet is cut short or broken") from error
        return found

    def _mark(self, kind: int, place: int, found: Marks) -> None:
        row, column, style = struct.unpack_from("<HHH", self.stream, place)
        found.reach(row, column)
        if self._is_percent(style):
            found.percents.add((row, column))
        if _is_error(self.stream, kind, place):
            found.errors.add((row, column))

    def _mark_many(self, place: int, size: int, found: Marks) -> None:
        row, first = struct.unpack_from("<HH", self.stream, place)
        for at in range((size - 6) // 6):
            found.reach(row, first + at)
            if self._is_percent(struct.unpack_from("<H", self.stream, place + 4 + 6 * at)[0]):
                found.percents.add((row, first + at))

    def _is_percent(self, style: int) -> bool:
        return style < len(self.styles) and self.styles[style] in self.percent_formats


def read_book(data: bytes) -> Book:
    """What a workbook says of its sheets and formats.

    Raises:
        Refused: it has a password ("file_encrypted").
        Unreadable: it is no workbook of this kind ("file_unreadable").
    """
    try:
        return _globals(_stream(data))
    except (struct.error, IndexError, ValueError) as error:
        raise unreadable(FORM, "the file is cut short or broken") from error


def _is_error(stream: bytes, kind: int, place: int) -> bool:
    if kind == _FLAG_OR_ERROR:
        return stream[place + 7] == 1
    # A formula whose value is no number says so in its last two bytes; its first then tells of an error.
    return kind == _FORMULA and stream[place + 12 : place + 14] == b"\xff\xff" and stream[place + 6] == 2


def _globals(stream: bytes) -> Book:
    book = Book(stream)
    version = struct.unpack_from("<H", stream, 4)[0] if stream[:2] == _BOF.to_bytes(2, "little") else 0
    for kind, place, size in _records(stream, 0):
        if kind == _EOF:
            break
        if kind == _PASSWORD:
            raise Refused(FILE_ENCRYPTED)
        _read_global(stream[place : place + size], kind, version, book)
        if kind == _STRINGS and struct.unpack_from("<I", stream, place + 4)[0] > len(stream):
            raise unreadable(FORM, "more strings than bytes")
    if not book.starts:
        raise unreadable(FORM, "no sheet inside", "bên trong không có bảng tính Excel")
    return book


def _read_global(record: bytes, kind: int, version: int, book: Book) -> None:
    if kind == _SHEET:
        book.starts.append(struct.unpack_from("<I", record)[0])
    elif kind == _XF:
        book.styles.append(struct.unpack_from("<H", record, 2)[0])
    elif kind == _FORMAT:
        number = struct.unpack_from("<H", record)[0]
        if is_percent(_format_text(record, version)):
            book.percent_formats.add(number)
        else:
            book.percent_formats.discard(number)


def _format_text(record: bytes, version: int) -> str:
    if version != _BIFF8:
        return record[3:].decode("latin-1")
    return record[5:].decode("utf-16-le" if record[4] & 1 else "latin-1", errors="replace")


def _records(stream: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """The kind of every record from a place on, where its content begins, and how long it is."""
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        yield kind, place + 4, size
        place += 4 + size


def _stream(data: bytes) -> bytes:
    """The stream of records out of its file system."""
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    if shift not in (9, 12) or small_shift != 6:
        raise unreadable(FORM, "unusual sector size")
    sector = 1 << shift
    first_entry, small_table = struct.unpack_from("<I", data, 48)[0], struct.unpack_from("<I", data, 60)[0]
    table = _table(data, sector)
    entries = _chained(data, table, first_entry, sector)
    names = {_name(entries[at : at + 64]): at for at in range(0, len(entries) - 127, 128)}
    if "EncryptedPackage" in names:
        raise Refused(FILE_ENCRYPTED)
    place = names.get("Workbook", names.get("Book"))
    if place is None:
        raise unreadable(FORM, "no workbook inside", "bên trong không có bảng tính Excel")
    start, size = struct.unpack_from("<II", entries, place + 116)
    if size >= _SMALL_STREAM:
        return _chained(data, table, start, sector)[:size]
    root = _chained(data, table, struct.unpack_from("<I", entries, 116)[0], sector)
    packed = _chained(data, table, small_table, sector)
    small = [number for (number,) in struct.iter_unpack("<I", packed)]
    return b"".join(root[at * 64 : at * 64 + 64] for at in _chain(small, start))[:size]


def _name(entry: bytes) -> str:
    return entry.decode("utf-16-le", errors="replace").split("\0")[0]


def _table(data: bytes, sector: int) -> list[int]:
    """Which sector follows which."""
    parts = [number for number in struct.unpack_from("<109I", data, 76) if number < _END_OF_CHAIN]
    following, count = struct.unpack_from("<II", data, 68)
    for _ in range(min(count, len(data) // sector)):
        if following >= _END_OF_CHAIN:
            break
        *more, following = struct.unpack_from(f"<{sector // 4}I", data, (following + 1) * sector)
        parts += [number for number in more if number < _END_OF_CHAIN]
    if len(parts) > len(data) // sector:
        raise unreadable(FORM, "more sectors than bytes")
    found: list[int] = []
    for number in parts:
        found += struct.unpack_from(f"<{sector // 4}I", data, (number + 1) * sector)
    return found


def _chained(data: bytes, table: list[int], start: int, sector: int) -> bytes:
    return b"".join(data[(at + 1) * sector : (at + 2) * sector] for at in _chain(table, start))


def _chain(table: list[int], start: int) -> Iterator[int]:
    for _ in range(len(table)):
        if start >= _END_OF_CHAIN:
            return
        yield start
        start = table[start]
    if start < _END_OF_CHAIN:
        raise unreadable(FORM, "sectors in a circle")
