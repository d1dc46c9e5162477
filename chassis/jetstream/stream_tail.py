"""The end of a stream, as its leader tells it: what was sent last."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from chassis.jetstream.connection import NatsTrouble
from chassis.jetstream.subjects import read_message_id


class _Body(msgspec.Struct):
    id: str


_body = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the stream: its sequence there, and which event of the log it is."""

    seq: int
    epoch: int
    pos: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Tail:
    """A stream's last sequence, which stays when messages grow too old; its last message, if it still has one."""

    seq: int
    first_seq: int
    created: str
    last: Sent | None = None


async def read_end(js: JetStreamContext, stream: str) -> Tail:
    """The end of a stream, without its last message.

    Raises:
        NatsTrouble: there is no such stream.
    """
    try:
        info = await js.stream_info(stream)
    except NotFoundError as error:
        raise NatsTrouble(f"There is no stream {stream}; `chitieu jetstream init` makes it.") from error
    created = info.created.isoformat() if info.created else ""
    return Tail(info.state.last_seq, info.state.first_seq, created)


async def read_tail(js: JetStreamContext, stream: str) -> Tail:
    """The end of a stream.

    Raises:
        NatsTrouble: there is no such stream, or it holds a message that is not ours.
    """
    tail = await read_end(js, stream)
    return replace(tail, last=await sent_at(js, stream, tail.seq)) if tail.seq else tail


async def sent_at(js: JetStreamContext, stream: str, seq: int) -> Sent | None:
    """The message at a sequence; None: it has grown too old meanwhile.

    Raises:
        NatsTrouble: it is not ours.
    """
    try:
        message = await js.get_msg(stream, seq)
    except NotFoundError:
        return None
    place = read_message_id((message.headers or {}).get("Nats-Msg-Id"))
    if place is None or not message.data:
        raise NatsTrouble(f"Message {seq} of {stream} is none of ours; `chitieu jetstream rebuild` makes it anew.")
    try:
        event_id = _body.decode(message.data).id
    except msgspec.DecodeError as error:
        raise NatsTrouble(
            f"Message {seq} of {stream} is no event; `chitieu jetstream rebuild` makes it anew."
        ) from error
    return Sent(seq, *place, event_id)
