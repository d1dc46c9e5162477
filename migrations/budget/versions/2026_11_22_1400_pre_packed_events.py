"""Large payloads of events are kept packed."""

from __future__ import annotations

from alembic import op

from migrations import ledger_v2

revision = "2026_11_22_1400"
down_revision = "2026_11_22_0900"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ledger_v2.upgrade(op)


def downgrade() -> None:
    ledger_v2.downgrade(op)
