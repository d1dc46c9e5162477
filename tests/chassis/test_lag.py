"""What an operator sees of the log without asking the database for it."""

from __future__ import annotations

import asyncio

from prometheus_client import REGISTRY
from sqlalchemy import text

from chassis import lag
from chassis.outbox import Event
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.test_feed import URL, write


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"chitieu_{name}", labels or {"service": "plans"})


async def test_what_waits_and_what_is_kept_is_measured(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(3)))
    await desk.sequence()
    await write(desk, Event(NOTE_TYPE, "a", {}), Event(NOTE_TYPE, "b", {}))
    await asyncio.sleep(0.01)
    async with desk.database.write() as db:
        await db.execute(
            text(
                "INSERT INTO event_archive (first_pos, audience, last_pos, epoch, events, bytes, sha256, file)"
                " VALUES (1, 'public', 1, 1, 1, 70, '', 'x'), (1, '75', 1, 1, 0, 30, '', 'y')"
            )
        )
    await lag.measure(desk.database)
    assert gauge("event_log_position") == 3
    assert gauge("event_log_oldest_position") == 1
    assert gauge("event_outbox_events") == 2
    assert 0.01 <= (gauge("event_outbox_oldest_seconds") or 0) < 60
    assert gauge("event_archive_files") == 2
    assert gauge("event_archive_bytes") == 100
    await desk.sequence()
    await lag.measure(desk.database)
    assert (gauge("event_outbox_events"), gauge("event_outbox_oldest_seconds")) == (0, 0)


async def test_a_page_says_how_much_follows(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(5)))
    await desk.sequence()
    first = await desk.client.get(URL, params={"limit": 2})
    assert first.headers["Changes-Behind"] == "3"
    rest = await desk.client.get(URL, params={"after": first.json()["next"]})
    assert rest.headers["Changes-Behind"] == "0"
