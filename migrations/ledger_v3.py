"""How long the log is kept, and where its old parts went: the third form of the ledger (see `chassis/retention.py`)."""

from __future__ import annotations

from typing import Any

PARTITION_SIZE = 1_000_000

# A partition is made apart and then attached, which lets readers and writers go on; made in place it would wait for
# every reader of the log, and everybody would wait for it.
_ENSURE_PARTITION = f"""
CREATE OR REPLACE FUNCTION ensure_log_partition(upto bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = SCHEMA_NAME, pg_temp AS $$
DECLARE
  number bigint := upto / {PARTITION_SIZE};
  name text := format('event_log_p%s', number);
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  LOCK TABLE ONLY event_log IN SHARE UPDATE EXCLUSIVE MODE;
  IF to_regclass(name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE event_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name);
  EXECUTE format('ALTER TABLE event_log ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
    name, number * {PARTITION_SIZE}, (number + 1) * {PARTITION_SIZE});
END $$
"""
_AS_BEFORE = f"""
CREATE OR REPLACE FUNCTION ensure_log_partition(upto bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = SCHEMA_NAME, pg_temp AS $$
DECLARE
  number bigint := upto / {PARTITION_SIZE};
BEGIN
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS event_log_p%s PARTITION OF event_log FOR VALUES FROM (%s) TO (%s)',
    number, number * {PARTITION_SIZE}, (number + 1) * {PARTITION_SIZE});
END $$
"""


def upgrade(op: Any, service: str) -> None:
    """Partitions are attached; the sequencer sees how far ids have come."""
    op.execute(_ENSURE_PARTITION.replace("SCHEMA_NAME", service))
    op.execute(f"GRANT SELECT ON SEQUENCE outbox_id_seq TO {service}")


def downgrade(op: Any, service: str) -> None:
    """Back to the second form."""
    op.execute(f"REVOKE SELECT ON SEQUENCE outbox_id_seq FROM {service}")
    op.execute(_AS_BEFORE.replace("SCHEMA_NAME", service))
