"""What became of a post stands with it, so that it can be shown and taken back; figures are packed tightly.

A changed figure is written anew rather than in place, so room kept free in its page would stay empty.
"""

from __future__ import annotations

from alembic import op

from migrations import ledger_v2

revision = "2026_11_22_1400"
down_revision = "2026_11_22_0900"
branch_labels = None
depends_on = None

_COUNTS = ("created", "updated", "unchanged", "stale", "duplicates", "refused")


def upgrade() -> None:
    ledger_v2.upgrade(op)
    for name in _COUNTS:
        op.execute(f"ALTER TABLE posting ADD {name} integer NOT NULL DEFAULT 0")
        op.execute(f"ALTER TABLE posting ALTER {name} DROP DEFAULT")
    op.execute("ALTER TABLE posting ADD sha256 bytea, ADD reverts uuid")
    op.execute("ALTER TABLE posting ADD admin_unit_ids integer[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE posting ALTER admin_unit_ids DROP DEFAULT")
    op.execute("CREATE UNIQUE INDEX uq_posting_reverts ON posting (reverts) WHERE reverts IS NOT NULL")
    op.execute("GRANT USAGE ON SEQUENCE posting_id_seq TO indicators")  # figures name their post before it is noted
    op.execute("ALTER TABLE actual RESET (fillfactor)")


def downgrade() -> None:
    op.execute("ALTER TABLE actual SET (fillfactor = 90)")
    op.execute("REVOKE USAGE ON SEQUENCE posting_id_seq FROM indicators")
    op.execute("DROP INDEX uq_posting_reverts")
    columns = (*_COUNTS, "sha256", "reverts", "admin_unit_ids")
    op.execute(f"ALTER TABLE posting {', '.join('DROP ' + name for name in columns)}")
    ledger_v2.downgrade(op)
