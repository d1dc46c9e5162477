"""Bodies in pieces: of bytes in memory or of a file, cut where a line ends, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chassis.tabular.foreign import unreadable

BOM_BYTES = b"\xef\xbb\xbf"
PIECE_BYTES = 2 * 1024 * 1024
MOST_HELD_MIB = 64  # of a body that may be far larger, and may have been packed into very little


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


def refuse_endless(held: bytes, form: str) -> None:
    """Hold no more than a body at once may have, while the end of a row is sought.

    Raises:
        Unreadable: it is more ("file_unreadable").
    """
    if len(held) > MOST_HELD_MIB * 1024 * 1024:
        reason = f"in more than {MOST_HELD_MIB} MiB no row can be told from the next"
        reason_vi = f"hơn {MOST_HELD_MIB} MiB không tách được thành dòng"
        raise unreadable(form, reason, reason_vi)


def whole(source: bytes | Path) -> bytes:
    """All bytes of a body at once."""
    return source if isinstance(source, bytes) else source.read_bytes()


def head(source: bytes | Path, size: int) -> bytes:
    """The first bytes of a body, byte order mark and all."""
    if isinstance(source, bytes):
        return source[:size]
    with source.open("rb") as file:
        return file.read(size)
