"""The streams: one per service, made by the operator's `chitieu jetstream init`, never by the relay.

A stream that is missing or not as it should be is said, and stays as it is: whoever mends it must know that its
consumers go with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import APIError, NotFoundError

from chassis.jetstream.connection import NatsTrouble
from chassis.jetstream.subjects import stream_of, subjects_of

DAY = 24 * 3600
MAX_AGE_DAYS = 30
DUPLICATE_WINDOW_SECONDS = 120
REPLICAS = 3
STANDS_ALONE = 10074  # what a server without a cluster answers to whoever asks for replicas


class Outcome(Enum):
    """What was done to a stream."""

    MADE = "made"
    UNCHANGED = "unchanged"
    DIFFERENT = "different"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stream after `init`: what was done, its replicas, and where it is not as it should be."""

    stream: str
    outcome: Outcome
    replicas: int
    differences: tuple[str, ...] = ()


def wanted(service: str, replicas: int) -> StreamConfig:
    """A service's stream as it should be: on disk, nothing to be deleted, 30 days, whole batches or none."""
    return StreamConfig(
        name=stream_of(service),
        description=f"chitieu: the event log of {service}, in its order",
        subjects=subjects_of(service),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        num_replicas=replicas,
        max_age=MAX_AGE_DAYS * DAY,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        max_msgs=-1,
        max_bytes=-1,
        max_consumers=-1,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
    )


_COMPARED = (
    "subjects", "retention", "storage", "discard", "max_age", "duplicate_window", "max_msgs", "max_bytes",
    "max_msgs_per_subject", "max_msg_size", "deny_delete", "deny_purge", "allow_atomic", "mirror", "sources",
    "sealed", "no_ack", "persist_mode",
)  # fmt: skip


def differences(found: StreamConfig, service: str, replicas: int) -> tuple[str, ...]:
    """Where a stream is not as it should be, in words; `replicas` is the least there should be."""
    should = wanted(service, replicas)
    told = [
        f"{name} is {_word(getattr(found, name))}, should be {_word(getattr(should, name))}"
        for name in _COMPARED
        if _word(getattr(found, name)) != _word(getattr(should, name))
    ]
    if (found.num_replicas or 1) < replicas:
        told.append(f"num_replicas is {found.num_replicas}, should be {replicas}")
    return tuple(told)


def _word(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return int(value) or None
    return sorted(value) if isinstance(value, list) else value or None


async def find(js: JetStreamContext, service: str) -> StreamInfo | None:
    """What there is of a service's stream; None: there is none."""
    try:
        return await js.stream_info(stream_of(service))
    except NotFoundError:
        return None


async def prepare(js: JetStreamContext, service: str, replicas: int | None) -> Prepared:
    """Make a service's stream where there is none; one that is there stays as it is, and its differences are said.

    `replicas` None: three in a cluster, one on a server that stands alone.

    Raises:
        NatsTrouble: the servers refuse to make it.
    """
    found = await find(js, service)
    if found is None:
        return Prepared(stream_of(service), Outcome.MADE, await _make(js, service, replicas))
    told = differences(found.config, service, replicas or replicas_there(found))
    outcome = Outcome.DIFFERENT if told else Outcome.UNCHANGED
    return Prepared(stream_of(service), outcome, found.config.num_replicas or 1, told)


async def update(js: JetStreamContext, service: str, replicas: int | None) -> Prepared:
    """Bring a stream that is there to its form, keeping its messages and consumers.

    Raises:
        NatsTrouble: it cannot be changed in place.
    """
    prepared = await prepare(js, service, replicas)
    found = await find(js, service)
    if prepared.outcome is not Outcome.DIFFERENT or found is None:
        return prepared
    try:
        info = await js.update_stream(wanted(service, replicas or replicas_there(found)))
    except APIError as error:
        raise NatsTrouble(f"{stream_of(service)} cannot be changed in place: {error.description}.") from error
    return Prepared(stream_of(service), Outcome.UPDATED, info.config.num_replicas or 1, prepared.differences)


async def _make(js: JetStreamContext, service: str, replicas: int | None) -> int:
    try:
        made = await js.add_stream(wanted(service, replicas or REPLICAS))
    except APIError as error:
        if replicas is None and error.err_code == STANDS_ALONE:
            return await _make(js, service, 1)
        raise NatsTrouble(f"{stream_of(service)} cannot be made: {error.description}.") from error
    return made.config.num_replicas or 1


def replicas_there(found: StreamInfo) -> int:
    """How many replicas a stream should have where it is: three in a cluster, one on a server that stands alone."""
    is_in_a_cluster = found.cluster is not None and found.cluster.name is not None
    return REPLICAS if is_in_a_cluster else 1
