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
        if start == 0 and len(source) <= size:
            yield source
            return
        for place in range(start, len(source), size):
            yield source[place : place + size]
        return
    with source.open("rb") as file:
        first = file.read(size).removeprefix(BOM_BYTES)
        yield first
        while piece := file.read(size):
            yield piece


def whole(source: bytes | Path) -> bytes:
    """All bytes of a body at once."""
    return source if isinstance(source, bytes) else source.read_bytes()


def head(source: bytes | Path, size: int) -> bytes:
    """The first bytes of a body, byte order mark and all."""
    if isinstance(source, bytes):
        return source[:size]
    with source.open("rb") as file:
        return file.read(size)
