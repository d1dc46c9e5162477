"""Places in the log."""

from __future__ import annotations

import base64
from typing import NamedTuple


def encode_position(position: str) -> str:
    """`epoch.pos` as callers see it: opaque."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


class Position(NamedTuple):
    """A place in the log: after the event of this position (0: before the first), in one epoch."""

    epoch: int
    pos: int

    @property
    def cursor(self) -> str:
        """The place as callers see it."""
        return encode_position(f"{self.epoch}.{self.pos}")
