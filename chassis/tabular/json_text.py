"""JSON and NDJSON taken apart into the texts of their rows; a broken text is searched for its sound rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecoder
from pathlib import Path

import msgspec
import polars as pl

from chassis.errors import BODY_UNREADABLE, Fault, Unreadable
from chassis.tabular.objects import TEXT, ObjectReader, faults_as_table
from chassis.tabular.pieces import pieces, refuse_endless
from chassis.tabular.rules import ROW_NOT_UTF8, ROW_UNREADABLE
from chassis.tabular.table import ROW, Table, Titles

ROWS_AT_ONCE = 50_000

_BLANK = b" \t\r\n"
_WRAPPED = re.compile(rb'\s*\{\s*"([^"\\]{1,100})"\s*:\s*\[')
_NEXT_OBJECT = re.compile(r"\}\s*,\s*(?=\{)")
_NEXT_AFTER_ROW = re.compile(r",\s*(?=\{)")
_SPACE = re.compile(r"[ \t\r\n]*")
_END = re.compile(r"\][ \t\r\n]*(?:\}[ \t\r\n]*)?$")
_FOREIGN_BYTE = re.compile("[\udc80-\udcff]")
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_scan = JSONDecoder(parse_int=str, parse_float=str).raw_decode


def read_lines(source: bytes | Path, titles: Titles) -> Iterator[Table]:
    """Rows of NDJSON, numbered by their lines; blank lines are no rows."""
    reader = ObjectReader(titles)
    first = 1
    for block in _whole_lines(source):
        lines = _lines(block)
        texts = lines.to_frame().with_row_index(ROW, first)
        first += len(lines)
        if not lines.str.starts_with("{").all():
            texts = texts.filter(~lines.str.contains(r"^[ \t\r]*$").fill_null(value=False))
        yield from map(reader.read, texts.iter_slices(ROWS_AT_ONCE))


def _whole_lines(source: bytes | Path) -> Iterator[bytes]:
    """Lines in lots, each after the line feed that ends the line before it."""
    held = b"\n"
    for piece in pieces(source):
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join((held, memoryview(piece)[:end]))
            held = piece[end - 1 :]
        else:
            held += piece
            refuse_endless(held, "NDJSON")
    if len(held) > 1:
        yield held


def _lines(block: bytes) -> pl.Series:
    """The lines after a line feed, which keeps the reader from taking them for a packed file and unpacking it."""
    try:
        return pl.read_lines(block, name=TEXT).to_series().slice(1)
    except pl.exceptions.ComputeError:
        return _decoded_texts(block.removesuffix(b"\n").split(b"\n")[1:])


def _decoded_texts(texts: list[bytes]) -> pl.Series:
    """Texts out of their bytes, null where they are not UTF-8."""
    try:
        return pl.Series(TEXT, texts, pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(TEXT, [_utf8(text) for text in texts], pl.String)


def _utf8(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def read_array(source: bytes | Path, titles: Titles, name: str | None = None) -> Iterator[Table]:
    """Rows of a JSON array, or of an object whose one field is that array; numbered from 1.

    Raises:
        Unreadable: neither ("body_unreadable").
    """
    array, reader = _ArrayReader(name), ObjectReader(titles)
    first = 1
    for texts in array.rows(source):
        yield from map(reader.read, texts.to_frame().with_row_index(ROW, first).iter_slices(ROWS_AT_ONCE))
        first += len(texts)
    if array.broken is not None:
        yield _read_broken(array.broken, (first, array.end), titles)


class _ArrayReader:
    """Cuts an array behind a row and lets the decoder judge every cut: only a cut between rows decodes."""

    _CUTS_TRIED = 8

    def __init__(self, name: str | None) -> None:
        self._name = name
        self.end = b"]"
        self._worth_cutting = 0
        self.broken: bytes | None = None

    def rows(self, source: bytes | Path) -> Iterator[pl.Series]:
        """The texts of rows in lots; what cannot be cut stays in `broken`."""
        held, has_begun, has_rows = b"", False, False
        for piece in pieces(source):
            held += piece
            if not has_begun:
                held, has_begun = held[self._begin(held) :], True
            found, held = self._cut(held)
            if found:
                has_rows = True
                yield _texts(found)
            else:
                refuse_endless(held, "JSON")
        last = self._finish(held, has_rows=has_rows)
        if last is None:
            self.broken = held
        elif last:
            yield _texts(last)

    def _begin(self, held: bytes) -> int:
        start = held.lstrip(_BLANK)
        if start.startswith(b"["):
            return len(held) - len(start) + 1
        wrapped = _WRAPPED.match(held)
        if wrapped and self._name in (None, wrapped.group(1).decode(errors="replace")):
            self.end = b"]}"
            return wrapped.end()
        wanted = f'{{"{self._name or "…"}": […]}}'
        raise Unreadable(BODY_UNREADABLE, reason=f"[…] / {wanted}")

    def _cut(self, held: bytes) -> tuple[list[msgspec.Raw], bytes]:
        end = len(held)
        if end < self._worth_cutting:
            return [], held
        for _ in range(self._CUTS_TRIED):
            end = held.rfind(b"}", 0, end)
            if end < 0:
                break
            is_between = held[end + 1 : end + 1025].lstrip(_BLANK).startswith(b",")
            found = _decoded(memoryview(held)[: end + 1]) if is_between else None
            if found is not None:
                self._worth_cutting = 0
                return found, held[held.index(b",", end + 1) + 1 :]
        self._worth_cutting = 2 * len(held)  # trying at every piece would be quadratic
        return [], held

    def _finish(self, held: bytes, *, has_rows: bool) -> list[msgspec.Raw] | None:
        """The rows before the array's end; None where it does not end as it should."""
        body = held.rstrip(_BLANK)
        for sign in reversed(self.end):
            if not body.endswith(bytes([sign])):
                return None
            body = body[:-1].rstrip(_BLANK)
        if not body and has_rows:
            return None  # a comma and then nothing
        return _decoded(body)


def _decoded(body: bytes | memoryview) -> list[msgspec.Raw] | None:
    try:
        return _elements.decode(b"".join((b"[", body, b"]")))
    except (msgspec.DecodeError, RecursionError):
        return None


def _texts(rows: list[msgspec.Raw]) -> pl.Series:
    """The texts of rows, null where they are not UTF-8."""
    lines = _lines(b"\n".join((b"", *rows)))
    return lines if len(lines) == len(rows) else _decoded_texts([bytes(row) for row in rows])  # rows of several lines


def _read_broken(rest: bytes, start: tuple[int, bytes], titles: Titles) -> Table:
    """The rows of a broken array: what can be read between the places that cannot.

    `start`: the number of its first row, and how the array should end.
    """
    first, end_signs = start
    text = rest.decode(errors="surrogateescape")
    rows: list[tuple[int, str]] = []
    faults: list[Fault] = []
    place, number = _skip(text, 0), first
    while place < len(text) and not _END.match(text, place):
        if text[place] == "]":
            shown = text[place : place + 200]
            faults.append(_no_row(number, "something stands after the array", "sau mảng còn nội dung khác", shown))
            break
        end, following, fault = _element(text, place, number)
        if fault:
            faults.append(fault)
        else:
            rows.append((number, text[place:end]))
        number, place = number + 1, _skip(text, following)
    if place >= len(text) or not (faults or _ends_well(text, place, end_signs)):
        faults.append(_no_row(number, "the array does not end as it should", "mảng không kết thúc đúng cách"))
    read = pl.DataFrame(rows, schema={ROW: pl.UInt32, TEXT: pl.String}, orient="row")
    return Table.together([ObjectReader(titles).read(read), faults_as_table(faults, titles)])


def _element(text: str, place: int, number: int) -> tuple[int, int, Fault | None]:
    """Where the row at a place ends, where the next begins, and what is wrong."""
    try:
        _, end = _scan(text, place)
    except (ValueError, RecursionError):
        fault = _no_row(number, "not JSON", "không đúng cú pháp JSON", text[place : place + 200])
        return place, _next(_NEXT_OBJECT, text, place), fault
    after = _skip(text, end)
    if text[after : after + 1] not in (",", "]"):
        fault = _no_row(number, "no comma after the row", "thiếu dấu phẩy sau dòng", text[after : after + 200])
        is_row = text[after : after + 1] == "{"
        return end, after if is_row else _next(_NEXT_AFTER_ROW, text, end), fault
    following = after + 1 if text[after] == "," else after
    if _FOREIGN_BYTE.search(text, place, end):
        return end, following, Fault(ROW_NOT_UTF8, row=number)
    return end, following, None


def _ends_well(text: str, place: int, end: bytes) -> bool:
    """Whether the array ends as it should: then what broke it lies in a row, which is told of when it is read."""
    before = text[:place].rstrip()
    return "".join(text[place:].split()) == end.decode() and before != "" and not before.endswith(",")


def _no_row(number: int, reason: str, reason_vi: str, shown: str = "") -> Fault:
    value = shown.encode(errors="replace").decode() or None
    return Fault(ROW_UNREADABLE, {"reason": reason, "reason_vi": reason_vi}, row=number, value=value)


def _next(sign: re.Pattern[str], text: str, place: int) -> int:
    found = sign.search(text, place)
    return found.end() if found else len(text)


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
