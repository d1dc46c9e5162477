"""How far the log is from what was written and from what is kept, measured every few seconds, never for a request."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from chassis.database import Database
from chassis.streams import Streams
from chassis.telemetry import (
    ARCHIVE_BYTES,
    ARCHIVE_FILES,
    LOG_HEAD,
    LOG_OLDEST,
    OUTBOX_EVENTS,
    OUTBOX_SECONDS,
    STREAMS_BEHIND,
)

log = structlog.get_logger(__name__)
MEASURE_SECONDS = 10.0
MOST_COUNTED = 100_000

_MEASURED = f"""
SELECT h.pos AS head, (SELECT coalesce(min(pos), h.pos + 1) FROM event_log) AS oldest,
  waiting.events, waiting.seconds, archived.files, archived.bytes
FROM (SELECT pos FROM feed_head WHERE feed = 'main') h,
  (SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0) AS seconds
   FROM (SELECT at FROM outbox ORDER BY id LIMIT {MOST_COUNTED}) o) waiting,
  (SELECT count(*) AS files, coalesce(sum(bytes), 0) AS bytes FROM event_archive) archived
"""  # noqa: S608 - a number of ours


class Measured(Protocol):
    """Whose log is measured."""

    @property
    def database(self) -> Database:
        """Where it is."""

    @property
    def streams(self) -> Streams | None:
        """Who listens to it in this process."""


async def measure(house: Measured) -> None:
    """Set the gauges of one service's log."""
    async with house.database.driver() as connection:
        found = await connection.fetchrow(_MEASURED)
    service = house.database.service
    LOG_HEAD.labels(service).set(found["head"])
    LOG_OLDEST.labels(service).set(found["oldest"])
    OUTBOX_EVENTS.labels(service).set(found["events"])
    OUTBOX_SECONDS.labels(service).set(float(found["seconds"]))
    STREAMS_BEHIND.labels(service).set(house.streams.behind(found["head"]) if house.streams else 0)
    ARCHIVE_FILES.labels(service).set(found["files"])
    ARCHIVE_BYTES.labels(service).set(float(found["bytes"]))


async def run(house: Measured) -> None:
    """Measure for as long as the process lives; a lost database is waited for."""
    while True:
        try:
            await measure(house)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("lag_not_measured", service=house.database.service, error=str(error) or repr(error))
        await asyncio.sleep(MEASURE_SECONDS)
