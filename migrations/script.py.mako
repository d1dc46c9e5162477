"""${message}."""

from __future__ import annotations

from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

# Lock timeout 4 s, statement timeout 5 s: nothing here may hold a lock for long. Indexes are made concurrently
# (in `op.get_context().autocommit_block()`), NOT NULL comes in three steps, backfills are batched scripts.


def upgrade() -> None:
    """Apply the change."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take the change back."""
    ${downgrades if downgrades else "pass"}
