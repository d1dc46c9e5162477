"""Server-sent events as bytes: written once, sent to many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

PING = b": ping\n\n"
RETRY_MILLISECONDS = 2000
# One write to a socket: what a listener that does not read can make us hold is a few of these.
PIECE_BYTES = 64 * 1024


def greeting() -> bytes:
    """How long to wait before connecting again, milliseconds."""
    return b"retry: %d\n\n" % RETRY_MILLISECONDS


def change(cursor: str, event_type: str, body: bytes) -> bytes:
    """A change; `body` is its JSON in one line. The id comes first, so that the gateway can put its own there."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (cursor.encode(), event_type.encode(), body)


def bookmark(cursor: str) -> bytes:
    """How far the log was read for a listener. Without data no program is woken; a browser remembers the id."""
    return b"id: %s\nevent: bookmark\n\n" % cursor.encode()


def fault(problem: bytes) -> bytes:
    """Why the stream ends: a problem as JSON in one line."""
    return b"event: error\ndata: %s\n\n" % problem


def pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Frames joined into writes of about `PIECE_BYTES`, never cutting one."""
    held: list[bytes] = []
    size = 0
    for frame in frames:
        if held and size + len(frame) > PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
        held.append(frame)
        size += len(frame)
    if held:
        yield b"".join(held)
