"""Imports: the trace of the request that sent them, and whether its token named a client."""

from __future__ import annotations

from alembic import op

revision = "2026_11_22_1800"
down_revision = "2026_11_22_1700"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import ADD COLUMN trace text, ADD COLUMN names_client boolean DEFAULT true NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE import DROP COLUMN trace, DROP COLUMN names_client")
