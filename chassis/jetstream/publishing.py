"""Publish events at the end of a stream: in order, each once, or not at all.

One event goes as a message; several go as one atomic batch, which the server stores whole or not at all, with one
write to disk: under `sync_always` a batch of hundreds takes hardly longer than one message alone.

Every message has `Nats-Msg-Id` = epoch:position. What the stream must end with is said to the server, which refuses
everything else, so that of any number of relays one gets through and the others learn of it: by the sequence, and
for a message alone by the last id, too (`Nats-Expected-Last-Msg-Id`; batches do not take that header).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from nats.aio.client import Client

from chassis.event_types import CLOUD_EVENT
from chassis.jetstream.place import Place

ACK_SECONDS = 5.0
MOST_IN_A_BATCH = 1000  # the server takes no more
BATCH_BYTES = 4 * 2**20
_BREATH = 50  # messages after which other work of the process gets its turn


class Refused(Exception):
    """The stream did not take it: it ends otherwise than we thought, or nobody leads it now."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is published."""

    pos: int
    id: str
    subject: str
    body: bytes


class _Fault(msgspec.Struct):
    description: str = ""


class _Ack(msgspec.Struct):
    seq: int = 0
    duplicate: bool = False
    error: _Fault | None = None


_ack = msgspec.json.Decoder(_Ack)


def batches(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Messages in batches that a server holds easily."""
    start, size = 0, 0
    for index, message in enumerate(messages):
        is_full = index - start == MOST_IN_A_BATCH or size + len(message.body) > BATCH_BYTES
        if is_full and index > start:
            yield messages[start:index]
            start, size = index, 0
        size += len(message.body)
    if messages:
        yield messages[start:]


async def publish(client: Client, place: Place, messages: Sequence[Message]) -> Place:
    """Put messages at the end of the stream; answers the place after them.

    Raises:
        Refused: the stream does not end at this place, or took them already.
        nats.errors.Error: no answer, or no connection; whether they were taken is not known then.
    """
    *others, last = messages
    batch = uuid.uuid4().hex if others else None
    for number, message in enumerate(others, start=1):
        await client.publish(message.subject, message.body, headers=_headers(message, place, batch, number))
        if number % _BREATH == 0:
            await asyncio.sleep(0)
    headers = _headers(last, place, batch, len(messages))
    if batch:
        headers["Nats-Batch-Commit"] = "1"
    reply = await client.request(last.subject, last.body, timeout=ACK_SECONDS, headers=headers)
    after = place.after(last.pos, len(messages))
    _read_ack(reply.data, after)
    return after


def _headers(message: Message, place: Place, batch: str | None, number: int) -> dict[str, str]:
    headers = {"Nats-Msg-Id": message.id, "Content-Type": CLOUD_EVENT}
    if number == 1:
        headers["Nats-Expected-Last-Sequence"] = str(place.seq)
    if batch:
        headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
    elif place.last_id:
        headers["Nats-Expected-Last-Msg-Id"] = place.last_id
    return headers


def _read_ack(data: bytes, after: Place) -> None:
    try:
        ack = _ack.decode(data)
    except msgspec.DecodeError as error:
        raise Refused(f"not an acknowledgement: {data[:100]!r}") from error
    if ack.error is not None:
        raise Refused(ack.error.description)
    if ack.duplicate or ack.seq != after.seq:
        raise Refused(f"it went to {ack.seq} instead of {after.seq}")
