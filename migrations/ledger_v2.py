"""Large payloads of events are kept packed: the second form of the ledger (see `chassis/outbox.py`)."""

from __future__ import annotations

from typing import Any


def upgrade(op: Any) -> None:
    """Let an event's payload be packed bytes instead of a document; they are compressed already."""
    for table in ("outbox", "event_log"):
        op.execute(f"ALTER TABLE {table} ALTER data DROP NOT NULL, ADD packed bytea")
        op.execute(f"ALTER TABLE {table} ALTER packed SET STORAGE EXTERNAL")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_payload CHECK (num_nonnulls(data, packed) = 1)")


def downgrade(op: Any) -> None:
    """Back to documents only; a packed payload cannot be unpacked here, so there must be none."""
    for table in ("outbox", "event_log"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_payload")
        op.execute(f"ALTER TABLE {table} DROP packed, ALTER data SET NOT NULL")
