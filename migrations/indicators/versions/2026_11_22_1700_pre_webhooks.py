"""Webhooks."""

from __future__ import annotations

from alembic import op

from migrations import ledger_v4

revision = "2026_11_22_1700"
down_revision = "2026_11_22_1600"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ledger_v4.upgrade(op, "indicators")


def downgrade() -> None:
    ledger_v4.downgrade(op, "indicators")
