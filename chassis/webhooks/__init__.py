"""Webhooks: the log delivered to whoever asked to be told, signed, in order, at least once."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from chassis.bell import Bell

if TYPE_CHECKING:
    from chassis.house import House

_bells: WeakKeyDictionary[House, Bell] = WeakKeyDictionary()


def bell_of(house: House) -> Bell:
    """What rings when somebody of this process has changed a webhook: the sender looks at once."""
    return _bells.setdefault(house, Bell())


async def run(house: House) -> None:
    """Deliver the service's webhooks for as long as the process lives."""
    sender: Any = importlib.import_module("chassis.webhooks.sender")
    await sender.deliver(house)
