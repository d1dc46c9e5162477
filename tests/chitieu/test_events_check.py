"""The check of a log finds each fault planted in it, and only that; a database that forgets is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from chassis import outbox
from chassis.database import Database
from chassis.event_log import Envelope
from chassis.outbox import Event
from chassis.retention import Sweeper
from chassis.settings import Settings
from chitieu.durability import refuse_unsafe
from chitieu.events.checking import Report, check_log
from chitieu.migrate import Target
from chitieu.troubles import Trouble
from tests.house import House

ARCHIVE = "plans-1-00000000000000000001-00000000000000000004-public.ndjson.gz"
WAITING = (
    "INSERT INTO outbox (type, subject, version, is_public, data, at)"
    " VALUES ('x', 'a', 4, true, '{}', clock_timestamp() - interval '90 seconds')"
)
KIND = "vn.chitieu.plans.note.written.v1"


@pytest.fixture
async def owner(house: House, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Who can plant faults."""
    place = make_url(admin_url).set(database=house.database("plans").url.database)
    connection = await asyncpg.connect(place.render_as_string(hide_password=False))
    await connection.execute("SET ROLE plans_owner; SET search_path = plans")
    yield connection
    await connection.close()


async def write(house: House, *subjects: str) -> None:
    async with house.database("plans").write() as db:
        heads = await outbox.lock(db, subjects)
        await outbox.append(db, heads, [Event(KIND, subject, {}) for subject in subjects])


@pytest.fixture
async def log(house: House, owner: asyncpg.Connection, tmp_path: Path) -> Database:
    """Eight events of two subjects, of which four are archived."""
    database = house.database("plans")
    for _ in range(2):
        for _ in range(2):
            await write(house, "a", "b")
        await house.sequence()
        age = "UPDATE event_log SET logged_at = logged_at - interval '100 days' WHERE pos <= 4"
        await owner.execute(age)
        assert await Sweeper(database, Envelope("plans", None), tmp_path, 90).sweep()
    return database


def faults(report: Report) -> dict[str, str]:
    return {finding.name: finding.detail for finding in report.findings if not finding.holds}


async def test_a_sound_log_with_archives(log: Database, tmp_path: Path) -> None:
    report = await check_log(log, tmp_path)
    assert faults(report) == {}
    assert (report.oldest, report.head, report.events, report.archived) == (5, 8, 4, 4)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (
            "DELETE FROM event_log WHERE pos = 7",
            {
                "dense": "1 positions are missing between 5 and 8",
                "subjects": "1 subjects count otherwise than their events (a)",
            },
        ),
        (
            "UPDATE event_log SET version = 6 WHERE pos = 8",
            {
                "versions": "1 jumps, the first at position 8 (b)",
                "subjects": "1 subjects count otherwise than their events (b)",
            },
        ),
        (
            "UPDATE feed_head SET pos = 9",
            {"head": "the head says 9, the last event is 8"},
        ),
        (
            "DELETE FROM event_log WHERE pos = 5",
            {"beginning": "positions 5 to 5 are neither in the log nor in archives"},
        ),
        (
            "UPDATE event_log SET event_id = (SELECT event_id FROM event_log WHERE pos = 5) WHERE pos = 6",
            {"event ids": "1 events have several positions"},
        ),
        (
            "UPDATE aggregate_head SET version = 5 WHERE subject = 'a'",
            {"subjects": "1 subjects count otherwise than their events (a)"},
        ),
        (
            WAITING,
            {"outbox": "1 events wait for a position, the oldest for 90 s: is the service running?"},
        ),
        (
            "UPDATE event_archive SET events = 3",
            {"archives": "3 events in the archives of positions 1 to 4"},
        ),
        (
            "UPDATE event_archive SET sha256 = decode('00', 'hex')",
            {"archives": "{file}: another sha256 than when it was written"},
        ),
        (
            "UPDATE event_archive SET bytes = 3",
            {"archives": "{file}: {bytes} bytes instead of 3"},
        ),
    ],
)
async def test_a_planted_fault_is_found(
    log: Database, owner: asyncpg.Connection, tmp_path: Path, planted: str, found: dict[str, str]
) -> None:
    await owner.execute(planted)
    archive = tmp_path / ARCHIVE
    values = {"{file}": archive.name, "{bytes}": str(archive.stat().st_size)}
    for name, value in values.items():
        found = {what: detail.replace(name, value) for what, detail in found.items()}
    assert faults(await check_log(log, tmp_path)) == found


async def test_an_archive_that_is_not_there_is_found(log: Database, tmp_path: Path) -> None:
    archive = tmp_path / ARCHIVE
    archive.unlink()
    assert faults(await check_log(log, tmp_path)) == {"archives": f"{archive.name}: No such file or directory"}


async def test_a_database_that_forgets_is_refused(house: House, admin_url: str) -> None:
    """The tests' own server does: it runs without fsync and full_page_writes."""
    url = house.database("plans").url.render_as_string(hide_password=False)
    target = Target("plans", admin_url, url)
    with pytest.raises(Trouble) as refusal:
        await refuse_unsafe([target], Settings())
    assert str(refusal.value) == (
        "PostgreSQL of plans runs with fsync, full_page_writes off, and would lose in a crash what it has confirmed: "
        "turn that on (or set CHITIEU_UNSAFE_DATABASE=true, where losing data does not matter)."
    )
    await refuse_unsafe([target], Settings(unsafe_database=True))
