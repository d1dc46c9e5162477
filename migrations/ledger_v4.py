"""Webhooks: who is told of changes, and how the telling went (see `chassis/webhooks`)."""

from __future__ import annotations

from typing import Any


def upgrade(op: Any, service: str) -> None:
    """Nothing yet."""


def downgrade(op: Any, service: str) -> None:
    """Nothing yet."""
