"""Imports: their terms and state, the bytes sent so far, and the refused rows for whoever sent them.

Bytes are compressed already or soon gone, so the database does not try to compress them once more.
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_22_1500"
down_revision = "2026_11_22_1400"
branch_labels = None
depends_on = None

_TABLES = [
    """
    CREATE TABLE import (
      import_id uuid DEFAULT uuidv7() NOT NULL,
      state text NOT NULL,
      client_id text NOT NULL,
      caller_subject text NOT NULL,
      scopes text[] NOT NULL,
      admin_units text[] NOT NULL,
      request_id text,
      mode text NOT NULL,
      on_stale text NOT NULL,
      on_blank text NOT NULL,
      is_dry_run boolean NOT NULL,
      number_style text,
      sheet text,
      name text,
      content_type text,
      content_encoding text,
      size_bytes bigint,
      sha256 bytea,
      received_bytes bigint DEFAULT 0 NOT NULL,
      reverts uuid,
      reason text,
      attempt integer DEFAULT 0 NOT NULL,
      lapses integer DEFAULT 0 NOT NULL,
      waits integer DEFAULT 0 NOT NULL,
      due_at timestamptz DEFAULT clock_timestamp() NOT NULL,
      is_cancelling boolean DEFAULT false NOT NULL,
      rows_read integer DEFAULT 0 NOT NULL,
      rows_checked integer DEFAULT 0 NOT NULL,
      rows_written integer DEFAULT 0 NOT NULL,
      result jsonb,
      problem jsonb,
      error_columns text[] DEFAULT '{}' NOT NULL,
      created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
      started_at timestamptz,
      finished_at timestamptz,
      expires_at timestamptz NOT NULL,
      CONSTRAINT pk_import PRIMARY KEY (import_id),
      CONSTRAINT ck_import_state
        CHECK (state IN ('receiving', 'queued', 'running', 'done', 'refused', 'failed', 'cancelled'))
    )
    """,
    "CREATE INDEX ix_import_client_id_import_id ON import (client_id, import_id)",
    "CREATE INDEX ix_import_due_at ON import (due_at) WHERE state IN ('queued', 'running')",
    "CREATE INDEX ix_import_expires_at ON import (expires_at)",
    """
    CREATE UNIQUE INDEX uq_import_reverts ON import (reverts)
      WHERE reverts IS NOT NULL AND state IN ('queued', 'running', 'done')
    """,
    """
    CREATE TABLE import_chunk (
      import_id uuid NOT NULL,
      starts_at bigint NOT NULL,
      content bytea NOT NULL,
      CONSTRAINT pk_import_chunk PRIMARY KEY (import_id, starts_at),
      CONSTRAINT fk_import_chunk_import_id_import FOREIGN KEY (import_id) REFERENCES import ON DELETE CASCADE
    )
    """,
    "ALTER TABLE import_chunk ALTER content SET STORAGE EXTERNAL",
    """
    CREATE TABLE import_error_part (
      import_id uuid NOT NULL,
      last_row bigint NOT NULL,
      content bytea NOT NULL,
      CONSTRAINT pk_import_error_part PRIMARY KEY (import_id, last_row),
      CONSTRAINT fk_import_error_part_import_id_import FOREIGN KEY (import_id) REFERENCES import ON DELETE CASCADE
    )
    """,
    "ALTER TABLE import_error_part ALTER content SET STORAGE EXTERNAL",
]
_NAMES = ("import", "import_chunk", "import_error_part")


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    for name in _NAMES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO indicators")


def downgrade() -> None:
    for name in reversed(_NAMES):
        op.execute(f"DROP TABLE {name}")
