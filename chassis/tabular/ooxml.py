"""What a reader of values does not tell of an XLSX file: percent formats, error cells, and that it is no bomb."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import polars as pl

from chassis.errors import TooLarge
from chassis.tabular.foreign import unreadable
from chassis.tabular.marks import PERCENT_FORMATS, Marks, is_percent
from chassis.tabular.rules import UNPACKED_TOO_LARGE

FORM = "XLSX"
_STEP = 4 * 1024 * 1024
_LOCAL_HEADER = 30
_WORKBOOK, _RELATIONS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
_CELL = r"<(?:[A-Za-z0-9_]+:)?c(?:[ \t\r\n][^>]*)?>"
_PLACE = r"""[ \t\r\n]r[ \t\r\n]*=[ \t\r\n]*["']([A-Z]{1,3})([0-9]{1,7})["']"""
_ERROR = r"""[ \t\r\n]t[ \t\r\n]*=[ \t\r\n]*["']e["']"""


class Package:
    """An XLSX file: every part is unpacked under one limit before any other reader sees it."""

    def __init__(self, data: bytes, limit_bytes: int) -> None:
        self._data = data
        self._limit = limit_bytes
        self._parts = self._open()
        self._percent_styles = self._read_percent_styles()
        self.sheets = self._read_sheets()
        for name in self._parts:
            if name.endswith((".xml", ".rels")) and name not in self.sheets:
                for _ in self._unpack(name):
                    pass

    def marks(self, sheet: int) -> Marks:
        """The extent, the percent cells and the error cells of a sheet, by its place in the workbook."""
        marks = Marks()
        if sheet >= len(self.sheets):
            raise unreadable(FORM, "more sheets than parts")
        rest = b""
        for piece in self._unpack(self.sheets[sheet]):
            rest += piece
            end = rest.rfind(b"<")  # no tag lies across it
            if end > 0:
                self._scan(_utf8(rest[:end]), marks)
                rest = rest[end:]
        self._scan(_utf8(rest), marks)
        return marks

    def _open(self) -> dict[str, ZipInfo]:
        try:
            with ZipFile(BytesIO(self._data)) as archive:
                found = archive.infolist()
        except (BadZipFile, ValueError, OSError, NotImplementedError, OverflowError) as error:
            raise unreadable(FORM, "not a ZIP archive") from error
        parts = {info.filename: info for info in found}
        if len(parts) < len(found) or any(info.flag_bits & 1 for info in found):
            raise unreadable(FORM, "parts named twice or encrypted")
        if any(info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for info in found):
            raise unreadable(FORM, "packed in an unusual way")
        if _WORKBOOK not in parts:
            raise unreadable(FORM, "no workbook inside", "bên trong không có bảng tính Excel")
        if sum(info.file_size for info in found) > self._limit:
            raise TooLarge(UNPACKED_TOO_LARGE, limit_bytes=self._limit)
        return parts

    def _unpack(self, name: str) -> Iterator[bytes]:
        """A part in pieces, never more of it than the archive declares: a bomb declares less."""
        info = self._parts.get(name)
        if info is None:
            raise unreadable(FORM, f"part {name[:100]} is missing")
        start = info.header_offset + _LOCAL_HEADER
        header = self._data[info.header_offset : start]
        start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        packed = self._data[start : start + info.compress_size]
        size = 0
        for piece in _inflated(packed) if info.compress_type == ZIP_DEFLATED else iter((packed,)):
            size += len(piece)
            if size > info.file_size:
                raise unreadable(FORM, f"part {name[:100]} is larger than declared")
            yield piece

    def _whole(self, name: str) -> ElementTree.Element:
        text = b"".join(self._unpack(name))
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise unreadable(FORM, "a part declares entities")
        try:
            return ElementTree.fromstring(text)  # noqa: S314  # without declarations there is nothing to expand
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise unreadable(FORM, f"part {name} is no XML") from error

    def _read_sheets(self) -> list[str]:
        targets = {
            relation.get("Id"): relation.get("Target", "")
            for relation in self._whole(_RELATIONS).iter()
            if relation.tag.endswith("}Relationship")
        }
        sheets = [node for node in self._whole(_WORKBOOK).iter() if node.tag.endswith("}sheet")]
        ids = [next((v for k, v in node.attrib.items() if k.endswith("}id")), None) for node in sheets]
        return [_path(targets.get(one, "")) for one in ids]

    def _read_percent_styles(self) -> frozenset[str]:
        """The numbers of the styles that show a percent."""
        if _STYLES not in self._parts:
            return frozenset()
        styles = self._whole(_STYLES)
        own = {
            node.get("numFmtId"): is_percent(node.get("formatCode", ""))
            for node in styles.iter()
            if node.tag.endswith("}numFmt")
        }
        formats: dict[str | None, bool] = {str(number): True for number in PERCENT_FORMATS}
        formats.update(own)
        cells = next((node for node in styles.iter() if node.tag.endswith("}cellXfs")), ())
        return frozenset(str(place) for place, style in enumerate(cells) if formats.get(style.get("numFmtId")))

    def _scan(self, text: str, marks: Marks) -> None:
        tags = pl.Series([text]).str.extract_all(_CELL).explode().drop_nulls()
        if tags.is_empty():
            return
        if (tags.str.count_matches('"') % 2 != 0).any() or (tags.str.count_matches("'") % 2 != 0).any():
            raise unreadable(FORM, "cells written in an unusual way")
        filled = tags.filter(~tags.str.ends_with("/>"))
        places = filled.str.extract_groups(_PLACE).struct.unnest()
        if places.null_count().sum_horizontal().item():
            raise unreadable(FORM, "cells without their place", "ô không ghi vị trí; hãy mở bằng Excel rồi lưu lại")
        if places.is_empty():
            return
        columns = {letters: _column(letters) for letters in places.to_series(0).unique()}
        rows = places.to_series(1).cast(pl.UInt32)
        marks.reach(int(rows.max()) - 1, max(columns.values()))  # type: ignore[arg-type]  # whole numbers
        marks.errors |= _marked(places, filled.str.contains(_ERROR), columns)
        if self._percent_styles:
            styles = "|".join(sorted(self._percent_styles))
            style = rf"""[ \t\r\n]s[ \t\r\n]*=[ \t\r\n]*["'](?:{styles})["']"""
            marks.percents |= _marked(places, filled.str.contains(style), columns)


def _inflated(packed: bytes) -> Iterator[bytes]:
    stream = zlib.decompressobj(wbits=-15)
    try:
        while packed and not stream.eof:
            yield stream.decompress(packed, _STEP)
            packed = stream.unconsumed_tail
    except zlib.error as error:
        raise unreadable(FORM, "packed data broken") from error


def _marked(places: pl.DataFrame, mask: pl.Series, columns: dict[str, int]) -> set[tuple[int, int]]:
    return {(int(row) - 1, columns[letters]) for letters, row in places.filter(mask).iter_rows()}


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _path(target: str) -> str:
    target = target.removeprefix("/")
    return target if target.startswith("xl/") else f"xl/{target}"


def _utf8(piece: bytes) -> str:
    try:
        return piece.decode()
    except UnicodeDecodeError as error:
        raise unreadable(FORM, "a sheet is not UTF-8") from error
