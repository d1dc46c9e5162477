"""Bodies in pieces: of bytes in memory or of a file, cut where a line ends, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

BOM_BYTES = b"\xef\xbb\xbf"
PIECE_BYTES = 2 * 1024 * 1024


def pieces(source: bytes | Path, size: int = PIECE_BYTES) -> Iterator[bytes]:
    """The bytes of a body in order, without a byte order mark of UTF-8."""
    if isinstance(source, bytes):
        start = len(BOM_BYTES) if source.startswith(BOM_BYTES) else 0
        yield from cut(source, size, start)
        return
    with source.open("rb") as file:
        first = file.read(size).removeprefix(BOM_BYTES)
        yield first
        while piece := file.read(size):
            yield piece


def cut(content: bytes, size: int, start: int = 0) -> Iterator[bytes]:
    """The bytes from a place on; all of them as they are, without a copy, where they are few enough."""
    if start == 0 and len(content) <= size:
        yield content
        return
    for place in range(start, len(content), size):
        yield content[place : place + size]


def whole(source: bytes | Path) -> bytes:
    """All bytes of a body at once."""
    return source if isinstance(source, bytes) else source.read_bytes()


def head(source: bytes | Path, size: int) -> bytes:
    """The first bytes of a body, byte order mark and all."""
    if isinstance(source, bytes):
        return source[:size]
    with source.open("rb") as file:
        return file.read(size)
