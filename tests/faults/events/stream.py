"""The copy of the log in NATS: made, and read."""

from __future__ import annotations

import contextlib

from chassis.jetstream.connection import connected
from chassis.jetstream.streams import prepare
from chassis.jetstream.subjects import read_message_id, stream_of
from tests.faults.events.arena import SERVICE, Arena
from tests.faults.events.journal import Copied, Log
from tests.nats import reached, read_stream

STREAM = stream_of(SERVICE)


async def make_stream(arena: Arena) -> None:
    """Make the stream, as an operator does."""
    async with connected(arena.settings, "faults") as client:
        await prepare(client.jetstream(), SERVICE, None)


async def read_copy(arena: Arena, log: Log) -> list[Copied]:
    """The whole stream, once it has come to the log's end (or has had its time)."""
    assert arena.nats is not None
    with contextlib.suppress(TimeoutError):
        await reached(arena.nats.url, STREAM, f"{log.epoch}:{log.head}")
    found = []
    for one in await read_stream(arena.nats.url, STREAM):
        told = read_message_id(one.message_id)
        assert told is not None, one
        found.append(Copied(*told, one.event_id))
    return found
