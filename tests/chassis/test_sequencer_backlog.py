"""Events that commit late are moved all the same, however many they are and whatever was moved before them."""

from __future__ import annotations

from sqlalchemy import text

from chassis import outbox
from chassis.outbox import Event
from chassis.sequencer import Sequencer
from tests.chassis.conftest import NOTE_TYPE, Desk


async def write(desk: Desk, *subjects: str) -> None:
    async with desk.database.write() as db:
        heads = await outbox.lock(db, subjects)
        await outbox.append(db, heads, [Event(NOTE_TYPE, subject, {}) for subject in subjects])


async def test_more_late_events_than_one_pass_takes_are_all_moved(desk: Desk) -> None:
    sequencer, late = Sequencer(desk.database, batch=3, poll_seconds=1), [f"late-{n}" for n in range(8)]
    async with desk.database.write() as db:
        heads = await outbox.lock(db, late)
        await outbox.append(db, heads, [Event(NOTE_TYPE, subject, {}) for subject in late])
        await write(desk, "early")
        assert [await sequencer.pass_once(), await sequencer.pass_once()] == [1, 0]
    assert [await sequencer.pass_once() for _ in range(4)] == [3, 3, 2, 0]
    async with desk.database.read() as db:
        rows = (await db.execute(text("SELECT pos, subject FROM event_log ORDER BY pos"))).all()
    assert [tuple(row) for row in rows] == list(enumerate(["early", *late], start=1))
