"""How the streams stand against the logs: what `chitieu jetstream status` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import StreamInfo

from chassis.feed import decode_position
from chassis.jetstream.stream_tail import Sent, sent_at
from chassis.jetstream.streams import differences, find, replicas_there
from chassis.jetstream.subjects import stream_of
from chitieu.door import Door


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a log: epoch and position."""

    epoch: int
    position: int


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream, as its leader tells it: its first and last event, and how many servers have it."""

    name: str
    first: Place | None
    last: Place | None
    messages: int
    last_sequence: int
    replicas: int
    replicas_current: int
    consumers: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """A service's log and its stream; `behind` in events, None where it cannot be told."""

    service: str
    log: Place
    stream: StreamStatus | None
    behind: int | None

    def troubles(self, max_behind: int | None) -> list[str]:
        """What an operator should look at."""
        if self.stream is None:
            return [f"{stream_of(self.service)} is missing: `chitieu jetstream init` makes it"]
        told = [f"{self.stream.name}: {difference}" for difference in self.stream.differences]
        away = self.stream.replicas - self.stream.replicas_current
        if away:
            told.append(f"{self.stream.name}: {away} of {self.stream.replicas} replicas are away or late")
        if max_behind is not None and (self.behind or 0) > max_behind:
            told.append(f"{self.stream.name} is {self.behind} events behind")
        return told


async def head_of(door: Door, service: str) -> Place:
    """Where a service's log ends, asked of the public door.

    Raises:
        Trouble: nobody answers, or the token may not read changes.
    """
    page = await door.send("GET", f"/v1/{service}/changes", params={"limit": "1"})
    return Place(*decode_position(page["head"]))


async def status_of(js: JetStreamContext, service: str, log: Place) -> ServiceStatus:
    """How a service's stream stands against its log."""
    info = await find(js, service)
    if info is None:
        return ServiceStatus(service, log, None, None)
    stream = await _stream_status(js, service, info)
    return ServiceStatus(service, log, stream, behind(log, stream))


def behind(log: Place, stream: StreamStatus) -> int | None:
    """How many events the stream lacks; None: its last one has grown too old, or is of another epoch."""
    if stream.last is None:
        return None if stream.last_sequence else log.position
    return log.position - stream.last.position if stream.last.epoch == log.epoch else None


async def _stream_status(js: JetStreamContext, service: str, info: StreamInfo) -> StreamStatus:
    name, state = stream_of(service), info.state
    ends = [await sent_at(js, name, seq) for seq in (state.first_seq, state.last_seq) if state.messages]
    first, last = ends or (None, None)
    return StreamStatus(
        name,
        _place(first),
        _place(last),
        state.messages,
        state.last_seq,
        info.config.num_replicas or 1,
        1 + sum(1 for peer in _others(info) if peer),
        state.consumer_count,
        differences(info.config, service, replicas_there(info)),
    )


def _others(info: StreamInfo) -> Sequence[bool]:
    peers = (info.cluster.replicas if info.cluster else None) or []
    return [bool(peer.current) and not peer.offline for peer in peers]


def _place(sent: Sent | None) -> Place | None:
    return Place(sent.epoch, sent.pos) if sent else None
