"""The first form of the tables that every service has (see `chassis/tables.py`); frozen once released."""

from __future__ import annotations

from typing import Any

PARTITION_SIZE = 1_000_000

_TABLES = [
    """
    CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) CONSTRAINT pk_outbox PRIMARY KEY,
      xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
      event_id uuid NOT NULL DEFAULT uuidv7(),
      type text NOT NULL,
      subject text NOT NULL,
      version bigint NOT NULL,
      province text,
      commune text,
      is_public boolean NOT NULL,
      data jsonb NOT NULL,
      trace text,
      at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_cost_delay = 0)
    """,
    "CREATE INDEX outbox_pick ON outbox (xid, id)",
    """
    CREATE TABLE event_log (
      pos bigint CONSTRAINT pk_event_log PRIMARY KEY,
      xid xid8 NOT NULL,
      event_id uuid NOT NULL DEFAULT uuidv7(),
      type text NOT NULL,
      subject text NOT NULL,
      version bigint NOT NULL,
      province text,
      commune text,
      is_public boolean NOT NULL,
      data jsonb NOT NULL,
      trace text,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      logged_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) PARTITION BY RANGE (pos)
    """,
    # Partitions are made ahead by the owner's function, so that the service's role needs no right to create.
    f"""
    CREATE FUNCTION ensure_log_partition(upto bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = SCHEMA_NAME, pg_temp AS $$
    DECLARE
      number bigint := upto / {PARTITION_SIZE};
    BEGIN
      EXECUTE format(
        'CREATE TABLE IF NOT EXISTS event_log_p%s PARTITION OF event_log FOR VALUES FROM (%s) TO (%s)',
        number, number * {PARTITION_SIZE}, (number + 1) * {PARTITION_SIZE});
    END $$
    """,
    "SELECT ensure_log_partition(1)",
    """
    CREATE TABLE feed_head (
      feed text CONSTRAINT pk_feed_head PRIMARY KEY,
      epoch integer NOT NULL,
      pos bigint NOT NULL,
      system_id text NOT NULL,
      timeline integer NOT NULL
    )
    """,
    """
    INSERT INTO feed_head
    SELECT 'main', 1, 0, s.system_identifier::text, c.timeline_id
    FROM pg_control_system() s, pg_control_checkpoint() c
    """,
    """
    CREATE TABLE aggregate_head (
      subject text CONSTRAINT pk_aggregate_head PRIMARY KEY,
      version bigint NOT NULL DEFAULT 0,
      recorded_at timestamptz NOT NULL
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE audit (
      id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      client_id text NOT NULL,
      caller_subject text NOT NULL,
      action text NOT NULL,
      subject text NOT NULL,
      province text,
      commune text,
      request_id text,
      old jsonb,
      new jsonb
    )
    """,
    "CREATE INDEX ix_audit_subject ON audit (subject, id)",
    """
    CREATE TABLE idempotency_key (
      client_id text NOT NULL,
      key text NOT NULL,
      fingerprint bytea NOT NULL,
      status smallint NOT NULL,
      headers jsonb NOT NULL,
      body bytea NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_idempotency_key PRIMARY KEY (client_id, key)
    )
    """,
    "CREATE INDEX ix_idempotency_key_at ON idempotency_key (at)",
    """
    CREATE TABLE follower (
      source text CONSTRAINT pk_follower PRIMARY KEY,
      cursor text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
]

_GRANTS = [
    "REVOKE ALL ON FUNCTION ensure_log_partition(bigint) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION ensure_log_partition(bigint) TO SERVICE_NAME",
    "GRANT SELECT, INSERT, DELETE ON outbox TO SERVICE_NAME",
    "GRANT SELECT, INSERT ON event_log TO SERVICE_NAME",
    "GRANT SELECT, UPDATE ON feed_head TO SERVICE_NAME",
    "GRANT SELECT, INSERT, UPDATE ON aggregate_head TO SERVICE_NAME",
    "GRANT SELECT, INSERT ON audit TO SERVICE_NAME",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key TO SERVICE_NAME",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON follower TO SERVICE_NAME",
]


def upgrade(op: Any, service: str) -> None:
    """Create the ledger in the schema of one service, with the rights of its login role."""
    for statement in _TABLES + _GRANTS:
        op.execute(statement.replace("SCHEMA_NAME", service).replace("SERVICE_NAME", service))


def downgrade(op: Any) -> None:
    """Drop the ledger."""
    for table in ("follower", "idempotency_key", "audit", "aggregate_head", "feed_head", "event_log", "outbox"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION ensure_log_partition(bigint)")
