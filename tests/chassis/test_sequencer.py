"""A pass of the sequencer: what commits late is moved, whatever was seen before; partitions are there in time."""

from __future__ import annotations

import contextlib

import asyncpg
from sqlalchemy import make_url, text

from chassis import outbox
from chassis.outbox import Event
from chassis.sequencer import PARTITION_SIZE, Sequencer
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.test_feed import write


def sequencer(desk: Desk, batch: int = 100) -> Sequencer:
    return Sequencer(desk.database, batch=batch, poll_seconds=1)


async def logged(desk: Desk) -> list[tuple[int, str]]:
    async with desk.database.read() as db:
        rows = await db.execute(text("SELECT pos, subject FROM event_log ORDER BY pos"))
        return [(row.pos, row.subject) for row in rows]


async def as_owner(desk: Desk, admin_url: str, statement: str) -> None:
    place = make_url(admin_url).set(database=desk.database.url.database)
    owner = await asyncpg.connect(place.render_as_string(hide_password=False))
    await owner.execute(f"SET ROLE plans_owner; SET search_path = plans; {statement}")
    await owner.close()


async def test_an_event_that_commits_after_idle_passes_is_moved(desk: Desk) -> None:
    """Its id lies before what was seen, its transaction was under way then."""
    own = sequencer(desk)
    async with desk.database.write() as db:
        heads = await outbox.lock(db, ["late"])
        await outbox.append(db, heads, [Event(NOTE_TYPE, "late", {})])
        await write(desk, Event(NOTE_TYPE, "early", {}))
        assert [await own.pass_once() for _ in range(3)] == [1, 0, 0]
    assert [await own.pass_once() for _ in range(2)] == [1, 0]
    assert await logged(desk) == [(1, "early"), (2, "late")]


async def test_a_transaction_begun_after_an_idle_pass_is_seen(desk: Desk) -> None:
    own = sequencer(desk)
    for number in range(3):
        assert await own.pass_once() == 0
        await write(desk, Event(NOTE_TYPE, str(number), {}))
        assert await own.pass_once() == 1
    assert await logged(desk) == [(1, "0"), (2, "1"), (3, "2")]


async def test_what_is_rolled_back_leaves_no_gap(desk: Desk) -> None:
    own = sequencer(desk)
    for number in range(4):
        async with desk.database.write(keep=number % 2 == 0) as db:
            heads = await outbox.lock(db, ["a"])
            await outbox.append(db, heads, [Event(NOTE_TYPE, "a", {})])
        await own.pass_once()
    assert [pos for pos, _ in await logged(desk)] == [1, 2]


async def test_two_sequencers_take_turns(desk: Desk) -> None:
    first, second = sequencer(desk, 2), sequencer(desk, 2)
    await write(desk, *(Event(NOTE_TYPE, str(n), {}) for n in range(7)))
    assert [await each.pass_once() for each in (first, second, first, second, first)] == [2, 2, 2, 1, 0]
    await write(desk, Event(NOTE_TYPE, "7", {}))
    assert [await each.pass_once() for each in (first, second)] == [1, 0]
    assert await logged(desk) == [(n + 1, str(n)) for n in range(8)]


async def test_a_lost_connection_is_made_anew(desk: Desk) -> None:
    own = sequencer(desk)
    await write(desk, Event(NOTE_TYPE, "a", {}))
    assert await own.pass_once() == 1
    (connection,) = (each for each in desk.database._aside if not each.is_closed())
    async with desk.database.write() as db:
        assert await db.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": connection.get_server_pid()})
    await write(desk, Event(NOTE_TYPE, "b", {}))
    for _ in range(2):  # the first one may be what finds it lost
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
            await own.pass_once()
    assert await logged(desk) == [(1, "a"), (2, "b")]


async def test_partitions_are_made_ahead_while_others_read_and_write(desk: Desk, admin_url: str) -> None:
    """Somebody who reads the whole log holds up neither the partition nor those who come after."""
    await as_owner(desk, admin_url, f"UPDATE feed_head SET pos = {PARTITION_SIZE - 2}")
    reader = await desk.database.connect_aside()
    holding = reader.transaction()
    await holding.start()
    assert await reader.fetchval("SELECT count(*) FROM event_log") == 0
    await write(desk, *(Event(NOTE_TYPE, str(n), {}) for n in range(4)))
    assert await sequencer(desk).pass_once() == 4
    await holding.rollback()
    assert [pos - PARTITION_SIZE for pos, _ in await logged(desk)] == [-1, 0, 1, 2]
    async with desk.database.read() as db:
        parts = await db.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event_log'::regclass ORDER BY 1")
        )
        assert parts.scalars().all() == ["event_log_p0", "event_log_p1"]
