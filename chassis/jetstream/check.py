"""Does NATS write what it acknowledges to disk? By default it does so every two minutes."""

from __future__ import annotations

import asyncio

import httpx2
import msgspec
import structlog

from chassis.settings import Settings

log = structlog.get_logger(__name__)
MONITOR_SECONDS = 2.0


class _Config(msgspec.Struct):
    sync_always: bool = False


class _JetStream(msgspec.Struct):
    config: _Config | None = None


class _Varz(msgspec.Struct):
    jetstream: _JetStream


_varz = msgspec.json.Decoder(_Varz)


async def ask_sync_always(settings: Settings) -> bool | None:
    """Whether every server that we may ask writes each message to disk before it acknowledges it; None: not known.

    Only the monitoring port says so (`/varz`), which is why the operator names all of them.
    """
    if not settings.nats_monitor_url:
        return None
    async with httpx2.AsyncClient(trust_env=False, timeout=MONITOR_SECONDS) as client:
        told = await asyncio.gather(*(_ask(client, url) for url in settings.nats_monitor_url))
    if False in told:
        return False
    return None if None in told else True


async def _ask(client: httpx2.AsyncClient, url: str) -> bool | None:
    try:
        answer = await client.get(f"{url.rstrip('/')}/varz")
        config = _varz.decode(answer.content).jetstream.config
    except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError):
        return None
    return config is not None and config.sync_always


async def warn_unless_durable(settings: Settings, service: str) -> None:
    """Say loudly when acknowledged messages may be lost with the power, or when we cannot know."""
    always = await ask_sync_always(settings)
    if always is None:
        log.warning("jetstream_sync_unknown", service=service, advice="set CHITIEU_NATS_MONITOR_URL for every server")
    elif not always:
        log.error("jetstream_not_durable", service=service, advice="set `sync_interval: always` in NATS's jetstream {}")
