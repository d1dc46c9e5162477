"""Webhooks: the log delivered to whoever asked to be told, signed, in order, at least once."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chassis.house import House


async def run(house: House) -> None:
    """Deliver the service's webhooks for as long as the process lives."""
    sender: Any = importlib.import_module("chassis.webhooks.sender")
    await sender.deliver(house)
