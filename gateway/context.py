"""What belongs to one operation: the caller's language and trace, and the loaders that ask the services."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Context:
    """Handed to every resolver; made for one operation and dropped with it."""

    language: str
    trace_id: str
    cost: int = 0
