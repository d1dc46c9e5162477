"""The log itself: what it costs its writers, how fast it takes events in, how soon a reader hears."""

from __future__ import annotations

import uuid
from time import perf_counter

from sqlalchemy import make_url

from benchmarks.report import Result
from benchmarks.stage import Stage
from chassis.database import Database
from chassis.sequencer import Sequencer

EVENTS = 200_000

_FILL = """
INSERT INTO outbox (event_id, type, subject, version, province, commune, is_public, data)
SELECT uuidv7(), 'vn.chitieu.indicators.actuals.posted.v1', 'bench-' || n % 320, n, '90', '40000', true,
  jsonb_build_object('import_id', $2::text, 'changes', jsonb_build_array(jsonb_build_object(
    'indicator', 'BENCH_001_COUNT', 'period', '2026-06', 'old', NULL, 'new', jsonb_build_object('value', n))))
FROM generate_series(1, $1) n
"""


async def measure(stage: Stage, scale: float) -> list[Result]:
    """Every figure of the log."""
    return await sequencing(stage, scale)


async def sequencing(stage: Stage, scale: float) -> list[Result]:
    """How many events a second get their positions, when many wait."""
    events = max(1, round(EVENTS * scale))
    stage.indicators.stop()
    tables = await stage.connect()
    await tables.execute(_FILL, events, str(uuid.uuid4()))
    url = make_url(stage.settings.admin_url_of("indicators") or "")
    database = Database(url.render_as_string(hide_password=False), "indicators", stage.settings)
    sequencer = Sequencer(database, batch=stage.settings.sequencer_batch, poll_seconds=1)
    started, moved = perf_counter(), 0
    while found := await sequencer.pass_once():
        moved += found
    seconds = perf_counter() - started
    await database.close()
    await tables.close()
    return [Result("sequencer", moved / seconds, "events/s", 25_000)]
