"""Make a stream anew: its durable consumers hear everything again, from the oldest event the log keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from chassis.jetstream.streams import find, prepare
from chassis.jetstream.subjects import stream_of
from chitieu.jetstream.standing import Place, ServiceStatus, status_of
from chitieu.troubles import Trouble

LOOK_SECONDS = 0.2


async def make_anew(js: JetStreamContext, service: str, replicas: int | None) -> Sequence[str]:
    """Delete a service's stream and make it again, empty; answers the durable consumers that begin again with it."""
    found = await find(js, service)
    consumers = await _durables(js, service) if found else []
    if found:
        with contextlib.suppress(NotFoundError):
            await js.delete_stream(stream_of(service))
    await prepare(js, service, replicas or (found.config.num_replicas if found else None))
    for consumer in consumers:
        await js.add_consumer(stream_of(service), consumer)
    return [consumer.durable_name or "" for consumer in consumers]


async def _durables(js: JetStreamContext, service: str) -> list[ConsumerConfig]:
    infos = await js.consumers_info(stream_of(service))
    configs = [info.config for info in infos if info.config and info.config.durable_name]
    return [
        replace(config, deliver_policy=DeliverPolicy.ALL, opt_start_seq=None, opt_start_time=None) for config in configs
    ]


async def wait_until_filled(js: JetStreamContext, service: str, log: Place, patience: float) -> ServiceStatus:
    """Wait until the relay has filled the stream up to where the log ended.

    Raises:
        Trouble: nothing has come for as long as `patience`, seconds.
    """
    loop = asyncio.get_running_loop()
    deadline, seen = loop.time() + patience, -1
    while True:
        status = await status_of(js, service, log)
        if status.behind is not None and status.behind <= 0:
            return status
        messages = status.stream.messages if status.stream else 0
        if messages != seen:
            deadline, seen = loop.time() + patience, messages
        if loop.time() > deadline:
            raise Trouble(
                f"Nothing has come to {stream_of(service)} for {patience:.0f} s: does {service} run with"
                " CHITIEU_NATS_URL, and what does its log say?"
            )
        await asyncio.sleep(LOOK_SECONDS)
