"""The log keeps its old parts outside the database."""

from __future__ import annotations

from alembic import op

from migrations import ledger_v3

revision = "2026_11_22_1600"
down_revision = "2026_11_22_1500"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ledger_v3.upgrade(op, "indicators")


def downgrade() -> None:
    ledger_v3.downgrade(op, "indicators")
