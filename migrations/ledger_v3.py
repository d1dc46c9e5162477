"""How long the log is kept, and where its old parts went: the third form of the ledger (see `chassis/retention`)."""

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
_COLUMNS = "event_id, type, subject, version, province, commune, is_public, data, packed, trace, at"
# One pass of the sequencer, in one statement of its caller: the row lock is never held while anybody waits for a
# network or a process that stands still. Everything visible in the snapshot `known` with an id up to `done` was moved;
# what is left has a greater id, or belongs to a transaction that the snapshot did not see. So nothing that was moved
# is looked at again, however long it lies there dead (an old snapshot, a transaction without end). `id + 0`: never by
# the index on id, which holds all of that.
_LEFT = """
        (SELECT ctid, id FROM outbox WHERE id > done {limit})
        UNION ALL
        SELECT ctid, id FROM outbox WHERE xid >= pg_snapshot_xmax(known::pg_snapshot) AND id + 0 <= done
        UNION ALL
        SELECT ctid, id FROM outbox
        WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip(known::pg_snapshot))) AND id + 0 <= done"""
_MOVE_EVENTS = f"""
CREATE FUNCTION move_events(known text, done bigint, most integer,
  OUT moved_count bigint, OUT head_now bigint, OUT known_now text, OUT done_now bigint)
LANGUAGE plpgsql SET search_path = SCHEMA_NAME, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  is_waiting boolean;
BEGIN
  -- An idle pass takes no lock: a lock alone is a write, and every poll would keep the disk busy.
  SELECT EXISTS ({_LEFT.format(limit="")}), pg_current_snapshot()::text, last_value
    INTO is_waiting, known_now, done_now FROM outbox_id_seq;
  moved_count := 0;
  IF NOT is_waiting THEN
    RETURN;
  END IF;
  PERFORM 1 FROM feed_head WHERE feed = 'main' FOR UPDATE;
  -- Its own statement: it needs a snapshot taken after the lock.
  WITH snap AS MATERIALIZED (SELECT pg_current_snapshot()::text AS taken),
  moved AS (DELETE FROM outbox WHERE ctid = ANY (ARRAY(
              SELECT ctid FROM ({_LEFT.format(limit="ORDER BY id LIMIT most")}) left_over ORDER BY id LIMIT most))
            RETURNING *),
  ins AS (INSERT INTO event_log (pos, xid, {_COLUMNS})
            SELECT h.pos + row_number() OVER (ORDER BY m.id), m.xid, {", ".join("m." + c for c in _COLUMNS.split(", "))}
            FROM moved m CROSS JOIN (SELECT pos FROM feed_head WHERE feed = 'main') h RETURNING 1),
  cnt AS (SELECT count(*) AS n FROM ins),
  head AS (UPDATE feed_head SET pos = pos + (SELECT n FROM cnt) WHERE feed = 'main' AND (SELECT n FROM cnt) > 0
            RETURNING pos, pg_notify('feed', current_schema()))
  SELECT (SELECT n FROM cnt), (SELECT pos FROM head), (SELECT taken FROM snap), (SELECT max(id) FROM moved)
    INTO moved_count, head_now, known_now, done_now;
  -- A full batch may have left some that lie before the place where the last one came to.
  IF moved_count < most THEN
    done_now := greatest(done, done_now);
  END IF;
END $$
"""
_ARCHIVE = """
CREATE TABLE event_archive (
  first_pos bigint NOT NULL,
  audience text NOT NULL,
  last_pos bigint NOT NULL,
  epoch integer NOT NULL,
  events bigint NOT NULL,
  bytes bigint NOT NULL,
  sha256 bytea NOT NULL,
  file text NOT NULL CONSTRAINT uq_event_archive_file UNIQUE,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_event_archive PRIMARY KEY (first_pos, audience)
)
"""
# Only the owner drops, only from the beginning, and nothing that is not in archives without a gap. A whole partition
# goes at once; of one that has younger events, rows go. Who reads the partition is waited for, but not for long,
# since everybody else would wait, too.
_DROP_ARCHIVED = f"""
CREATE FUNCTION drop_archived_events(upto bigint, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = SCHEMA_NAME, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  oldest bigint := (SELECT min(pos) FROM event_log);
  archived bigint := oldest - 1;
  part bigint := oldest / {PARTITION_SIZE};
  piece record;
  gone bigint;
BEGIN
  IF oldest IS NULL OR upto < oldest THEN
    RETURN 0;
  END IF;
  FOR piece IN SELECT first_pos, last_pos FROM event_archive
    GROUP BY first_pos, last_pos HAVING sum(events) = last_pos - first_pos + 1 ORDER BY first_pos
  LOOP
    IF piece.first_pos <= archived + 1 THEN
      archived := greatest(archived, piece.last_pos);
    END IF;
  END LOOP;
  IF archived < upto THEN
    RAISE EXCEPTION 'events % to % are in no archive', archived + 1, upto USING ERRCODE = 'restrict_violation';
  END IF;
  IF (part + 1) * {PARTITION_SIZE} <= upto + 1 THEN
    EXECUTE format('DROP TABLE %I', 'event_log_p' || part);
    RETURN (part + 1) * {PARTITION_SIZE} - oldest;
  END IF;
  DELETE FROM event_log WHERE pos <= least(upto, oldest + most - 1);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
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


_GRANTS = [
    "GRANT SELECT ON SEQUENCE outbox_id_seq TO SERVICE_NAME",
    "GRANT SELECT, INSERT ON event_archive TO SERVICE_NAME",
    "REVOKE ALL ON FUNCTION move_events(text, bigint, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION move_events(text, bigint, integer) TO SERVICE_NAME",
    "REVOKE ALL ON FUNCTION drop_archived_events(bigint, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION drop_archived_events(bigint, integer) TO SERVICE_NAME",
]


def upgrade(op: Any, service: str) -> None:
    """Partitions are attached, a pass of the sequencer is one statement, and old events leave for archives."""
    for statement in (_ENSURE_PARTITION, _MOVE_EVENTS, _ARCHIVE, _DROP_ARCHIVED, *_GRANTS):
        op.execute(statement.replace("SCHEMA_NAME", service).replace("SERVICE_NAME", service))


def downgrade(op: Any, service: str) -> None:
    """Back to the second form; what is archived stays in its files."""
    op.execute("DROP FUNCTION drop_archived_events(bigint, integer)")
    op.execute("DROP TABLE event_archive")
    op.execute("DROP FUNCTION move_events(text, bigint, integer)")
    op.execute(f"REVOKE SELECT ON SEQUENCE outbox_id_seq FROM {service}")
    op.execute(_AS_BEFORE.replace("SCHEMA_NAME", service))
