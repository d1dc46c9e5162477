"""JetStream: the log copied into streams for fan-out; a copy, never the source."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chassis.house import House


async def run(house: House) -> None:
    """Keep the service's stream equal to its log, where NATS is set; else do nothing, and load nothing for it."""
    if house.settings.nats_url is None:
        return
    relay: Any = importlib.import_module("chassis.jetstream.relay")
    await relay.Relay(house).run()
