"""What an operator sees of the log without asking the database for it."""

from __future__ import annotations

import asyncio

from prometheus_client import REGISTRY
from sqlalchemy import text

from chassis import lag
from chassis.feed import Filter, encode_position
from chassis.outbox import Event
from chassis.streams.listening import Listener, Shared
from chassis.streams.reading import EVERYBODY, Reader
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.test_feed import URL, write
from tests.chassis.test_streams_blocks import never


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
    await lag.measure(desk.house)
    assert gauge("event_log_position") == 3
    assert gauge("event_log_oldest_position") == 1
    assert gauge("event_outbox_events") == 2
    assert 0.01 <= (gauge("event_outbox_oldest_seconds") or 0) < 60
    assert gauge("event_archive_files") == 2
    assert gauge("event_archive_bytes") == 100
    await desk.sequence()
    await lag.measure(desk.house)
    assert (gauge("event_outbox_events"), gauge("event_outbox_oldest_seconds")) == (0, 0)


async def test_how_far_the_stream_furthest_behind_is_is_measured(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(7)))
    await desk.sequence()
    streams, feed = desk.house.streams, desk.house.feed
    assert streams
    assert feed
    shared = Shared(Reader(feed))
    late, near = [
        Listener(shared, EVERYBODY, Filter(), await shared.reader.start(encode_position(f"1.{pos}")), never)
        for pos in (2, 6)
    ]
    with streams.counted("a", near), shared.blocks.listening():
        with streams.counted("a", late):
            await lag.measure(desk.house)
            assert gauge("streams_behind_events") == 5
            await late.next()
            await lag.measure(desk.house)
            assert gauge("streams_behind_events") == 1
        assert streams.behind(9) == 3
    await lag.measure(desk.house)
    assert gauge("streams_behind_events") == 0


async def test_a_page_says_how_much_follows(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(5)))
    await desk.sequence()
    first = await desk.client.get(URL, params={"limit": 2})
    assert first.headers["Changes-Behind"] == "3"
    rest = await desk.client.get(URL, params={"after": first.json()["next"]})
    assert rest.headers["Changes-Behind"] == "0"
