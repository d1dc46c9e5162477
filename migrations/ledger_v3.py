"""How long the log is kept, and where its old parts went: the third form of the ledger (see `chassis/retention.py`)."""

from __future__ import annotations

from typing import Any


def upgrade(op: Any, service: str) -> None:
    """Nothing yet."""


def downgrade(op: Any, service: str) -> None:
    """Nothing yet."""
