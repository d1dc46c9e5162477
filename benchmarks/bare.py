"""Writers without a service: one statement is one business transaction, so that the database alone is measured."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg

from benchmarks.stage import Stage

COMMUNES = 320

# What every write does: lock the aggregate, write its rows, note who did it, move its head; then, or not, its event.
_MADE = f"""
CREATE TABLE bench_figure (commune integer, month integer, value bigint, PRIMARY KEY (commune, month));
INSERT INTO bench_figure SELECT c, m, 0 FROM generate_series(1, {COMMUNES}) c, generate_series(1, 12) m;
INSERT INTO aggregate_head SELECT 'bare-' || c, 0, now() FROM generate_series(1, {COMMUNES}) c;
CREATE FUNCTION bench_write(commune integer, figure bigint, is_logged boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  name text := 'bare-' || commune;
  known bigint;
BEGIN
  SELECT version INTO known FROM aggregate_head WHERE subject = name FOR UPDATE;
  UPDATE bench_figure SET value = figure WHERE bench_figure.commune = bench_write.commune;
  INSERT INTO audit (client_id, caller_subject, action, subject) VALUES ('bench', 'bench', 'actuals.post', name);
  UPDATE aggregate_head SET version = known + 1, recorded_at = clock_timestamp() WHERE subject = name;
  IF is_logged THEN
    INSERT INTO outbox (type, subject, version, province, commune, is_public, data)
    VALUES ('vn.chitieu.indicators.actuals.posted.v1', name, known + 1, '90', '40000', true, jsonb_build_object(
      'changes', jsonb_build_array(jsonb_build_object('indicator', 'BENCH_001_COUNT', 'new', figure))));
  END IF;
END $$
"""
_GONE = "DROP FUNCTION bench_write; DROP TABLE bench_figure"


@contextlib.asynccontextmanager
async def bare_writers(stage: Stage, writers: int) -> AsyncIterator[Sequence[asyncpg.Connection]]:
    """So many connections that can write."""
    tables = await stage.connect("postgres")
    await tables.execute(_MADE)
    connections = [await stage.connect("postgres") for _ in range(writers)]
    yield connections
    await tables.execute(_GONE)
    for connection in (tables, *connections):
        await connection.close()


async def rate(connections: Sequence[asyncpg.Connection], seconds: float, *, is_logged: bool) -> float:
    """Transactions a second of all of them together."""
    started = time.monotonic()
    written = [
        _write(connection, number, started + seconds, is_logged) for number, connection in enumerate(connections)
    ]
    return sum(await asyncio.gather(*written)) / (time.monotonic() - started)


async def _write(connection: asyncpg.Connection, number: int, until: float, is_logged: bool) -> int:
    done = 0
    while time.monotonic() < until:
        commune = (number * 7 + done * 13) % COMMUNES + 1
        await connection.fetchval("SELECT bench_write($1, $2, $3)", commune, time.monotonic_ns(), is_logged)
        done += 1
    return done
