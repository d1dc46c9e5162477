"""Webhooks: who is told of changes, and how the telling went (see `chassis/webhooks`)."""

from __future__ import annotations

from typing import Any

_TABLES = [
    # Leases, health and cursors are written several times a second: room is left in the pages for them.
    """
    CREATE TABLE webhook (
      id uuid NOT NULL DEFAULT uuidv7() CONSTRAINT pk_webhook PRIMARY KEY,
      client_id text NOT NULL,
      caller_subject text NOT NULL,
      admin_units text[] NOT NULL,
      url text NOT NULL,
      types text[] NOT NULL,
      provinces text[] NOT NULL,
      communes text[] NOT NULL,
      ordering text NOT NULL CONSTRAINT ck_webhook_ordering CHECK (ordering IN ('key', 'none')),
      description text,
      secret text NOT NULL,
      secret_made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      old_secret text,
      old_secret_until timestamptz,
      state text NOT NULL DEFAULT 'pending'
        CONSTRAINT ck_webhook_state CHECK (state IN ('pending', 'active', 'paused')),
      paused_because text
        CONSTRAINT ck_webhook_paused_because CHECK (paused_because IN ('asked', 'gone', 'failing', 'unanswered')),
      version bigint NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      activated_at timestamptz,
      challenges smallint NOT NULL DEFAULT 0,
      challenge_due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      ping_id uuid,
      lease_number bigint NOT NULL DEFAULT 0,
      lease_until timestamptz,
      failures integer NOT NULL DEFAULT 0,
      failing_since timestamptz,
      quiet_until timestamptz
    ) WITH (fillfactor = 50)
    """,
    "CREATE INDEX ix_webhook_client_id ON webhook (client_id)",
    """
    CREATE TABLE webhook_course (
      webhook_id uuid NOT NULL
        CONSTRAINT fk_webhook_course_webhook_id_webhook REFERENCES webhook (id) ON DELETE CASCADE,
      number smallint NOT NULL,
      pos bigint NOT NULL,
      upto bigint,
      asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_webhook_course PRIMARY KEY (webhook_id, number)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE webhook_held (
      webhook_id uuid NOT NULL,
      course smallint NOT NULL,
      key text NOT NULL,
      pos bigint NOT NULL,
      attempts integer NOT NULL,
      due_at timestamptz NOT NULL,
      CONSTRAINT pk_webhook_held PRIMARY KEY (webhook_id, course, key),
      CONSTRAINT fk_webhook_held_webhook_id_course_webhook_course
        FOREIGN KEY (webhook_id, course) REFERENCES webhook_course (webhook_id, number) ON DELETE CASCADE
    ) WITH (fillfactor = 70)
    """,
    # Numbers go down, so that the newest attempts come first in the order of every list. No foreign key: the log of a
    # webhook that was removed goes when its time is over, not within the request that removed it.
    """
    CREATE TABLE webhook_attempt (
      number bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY -1) CONSTRAINT pk_webhook_attempt PRIMARY KEY,
      webhook_id uuid NOT NULL,
      event_id uuid NOT NULL,
      type text NOT NULL,
      subject text NOT NULL,
      pos bigint,
      attempt integer NOT NULL,
      at timestamptz NOT NULL,
      outcome text NOT NULL,
      status smallint,
      milliseconds integer NOT NULL,
      excerpt text,
      detail text
    )
    """,
    "CREATE INDEX ix_webhook_attempt_webhook_id_number ON webhook_attempt (webhook_id, number)",
]
_NAMES = ("webhook", "webhook_course", "webhook_held", "webhook_attempt")


def upgrade(op: Any, service: str) -> None:
    """Create the tables, with the rights of the service's login role."""
    for statement in _TABLES:
        op.execute(statement)
    for name in _NAMES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {service}")


def downgrade(op: Any, _service: str) -> None:
    """Drop the tables."""
    for name in reversed(_NAMES):
        op.execute(f"DROP TABLE {name}")
