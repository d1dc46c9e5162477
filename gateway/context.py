"""What belongs to one operation: who asks, in which language, and the loaders that ask the services."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from gateway.clients import Services
from gateway.loaders import Loaders


@dataclass(slots=True)
class Context:
    """Handed to every resolver; made for one operation and dropped with it."""

    services: Services
    loaders: Loaders
    language: str
    trace_id: str
    caller: str
    cost: int = 0


Info = strawberry.Info[Context, None]
