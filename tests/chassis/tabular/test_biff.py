"""The file system inside XLS files: small streams, long tables, circles and lies."""

from __future__ import annotations

import struct

import pytest

from chassis.errors import Unreadable
from chassis.tabular import biff
from tests.chassis.tabular.bodies import xls

FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def entry(name: str, kind: int, start: int, size: int) -> bytes:
    written = name.encode("utf-16-le")
    return written.ljust(64, b"\0") + struct.pack(
        "<HBB3I36xIII", len(written) + 2, kind, 1, FREE, FREE, FREE, start, size, 0
    )


def small_file(stream: bytes, name: str = "Workbook", table: list[int] | None = None) -> bytes:
    """A compound file whose one stream is kept among the small ones: sectors are table, entries, small table, root."""
    count = -(-len(stream) // 64)
    root = stream.ljust(512 * -(-len(stream) // 512), b"\0")
    sectors = len(root) // 512
    following = table or [TABLE, END, END, *range(4, 3 + sectors), END]
    small = [*range(1, count), END]
    header = biff.MAGIC + struct.pack("<16xHHHHH6xIIIIIIIII", 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 2, 1, END, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    parts = [
        struct.pack(f"<{len(following)}I", *following).ljust(512, b"\xff"),
        entry("Root Entry", 5, 3, len(root)) + entry(name, 2, 0, len(stream)) + bytes(256),
        struct.pack(f"<{len(small)}I", *small).ljust(512, b"\xff"),
    ]
    return header + b"".join(parts) + root


def record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def workbook(*cells: bytes, formats: tuple[tuple[int, bytes], ...] = (), version: int = 0x600) -> bytes:
    """A stream of one sheet; its formats are the cell styles 0, 1 …"""
    head = record(0x809, struct.pack("<HH", version, 5) + bytes(4))
    for number, text in formats:
        long = struct.pack("<HHB", number, len(text), 0) if version == 0x600 else struct.pack("<HB", number, len(text))
        head += record(0x41E, long + text)
        head += record(0xE0, struct.pack("<HH", 0, number) + bytes(16))
    sheet = record(0x809, struct.pack("<HH", version, 16) + bytes(4)) + b"".join(cells) + record(0x0A)
    place = len(head) + len(record(0x85, bytes(4) + b"\0\0\x01\0A")) + len(record(0x0A))
    return head + record(0x85, struct.pack("<I", place) + b"\0\0\x01\0A") + record(0x0A) + sheet


def number(row: int, column: int, style: int) -> bytes:
    return record(0x203, struct.pack("<HHHd", row, column, style, 0.7))


FORMATS = ((164, b"0.0%"), (165, b'0"%"'), (9, b"General"))


@pytest.mark.parametrize("version", [0x600, 0x500])
def test_percents_and_errors_of_small_streams(version: int) -> None:
    cells = [
        number(0, 0, 0),
        number(1, 0, 1),
        number(2, 1, 2),  # a format of its own under a number that was built in
        record(0xBD, struct.pack("<HHHIHIH", 3, 1, 0, 0, 1, 0, 2)),
        record(0x06, struct.pack("<HHH", 4, 0, 0) + b"\x02\0\x07\0\0\0\xff\xff" + bytes(8)),
        record(0x06, struct.pack("<HHHd", 5, 0, 1, 0.5) + bytes(8)),
        record(0x205, struct.pack("<HHHBB", 6, 0, 1, 0x2A, 1)),
        record(0x205, struct.pack("<HHHBB", 7, 0, 1, 1, 0)),
    ]
    book = biff.read_book(small_file(workbook(*cells, formats=FORMATS, version=version)))
    marks = book.marks(0)
    assert marks.percents == {(0, 0), (3, 1), (4, 0)}
    assert marks.errors == {(4, 0), (6, 0)}
    assert (marks.height, marks.width) == (8, 3)


def test_charts_inside_a_sheet_are_not_its_cells() -> None:
    chart = record(0x809, bytes(8)) + number(60_000, 200, 0) + record(0x0A)
    marks = biff.read_book(small_file(workbook(number(0, 0, 0), chart, number(1, 1, 0), formats=FORMATS))).marks(0)
    assert (marks.height, marks.width) == (2, 2)


def test_files_of_excel_95_name_their_stream_otherwise() -> None:
    book = biff.read_book(small_file(workbook(number(0, 0, 0), formats=FORMATS, version=0x500), name="Book"))
    assert book.marks(0).percents == {(0, 0)}


def test_long_files_have_tables_of_tables() -> None:
    rows = [("x" * 80 + str(at), at) for at in range(60_000)]
    body = xls(*rows)
    assert len(body) > 109 * 128 * 512  # more than the first table of tables holds
    marks = biff.read_book(body).marks(0)
    assert (marks.height, marks.width) == (60_000, 2)


@pytest.mark.parametrize(
    "body",
    [
        biff.MAGIC,
        biff.MAGIC + bytes(600),
        small_file(workbook(), table=[TABLE, END, END, 3]),
        small_file(workbook(), table=[TABLE, 1, END, END]),
        small_file(workbook(), name="Other"),
        small_file(b"\0" * 100),
        small_file(record(0x809, struct.pack("<HH", 0x600, 5) + bytes(4)) + record(0x0A)),
        small_file(workbook() + record(0xFC, struct.pack("<II", 1, 1)))[:-2000],
        small_file(record(0x809, struct.pack("<HH", 0x600, 5) + bytes(4)) + record(0xFC, b"\xff" * 8)),
    ],
)
def test_circles_and_lies_are_refused(body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        biff.read_book(body).marks(0)
    assert refused.value.rule.code == "file_unreadable"


def test_a_sheet_that_begins_nowhere_is_refused() -> None:
    stream = bytearray(workbook(number(0, 0, 0)))
    at = stream.index(struct.pack("<HH", 0x85, 9))
    book = biff.read_book(small_file(bytes(stream)))
    book.starts[0] = len(stream) - 1
    assert book.marks(0).height == 0
    book.starts[0] = at
    assert book.marks(0).height == 0
    with pytest.raises(Unreadable):
        book.marks(1)
