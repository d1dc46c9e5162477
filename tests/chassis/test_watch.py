"""Everybody who waits in a process is served by one watch of the log, whoever gives the events their positions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from chassis.beside import beside
from chassis.database import Database
from chassis.event_log import watch
from chassis.feed import Feed, encode_position
from chassis.outbox import Event
from chassis.sequencer import Sequencer, begin_epoch
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.test_feed import URL, write

START = encode_position("1.0")


@pytest.fixture
async def watched(desk: Desk) -> AsyncIterator[Desk]:
    """A desk whose feed watches; nobody in this process gives positions by itself."""
    async with beside(feed_of(desk).run()):
        await until_live(desk)
        yield desk


@pytest.fixture
async def elsewhere(desk: Desk) -> AsyncIterator[Sequencer]:
    """A sequencer that shares nothing with the desk but the database, as in another process."""
    url = desk.database.url.render_as_string(hide_password=False)
    database = Database(url, "plans", desk.house.settings)
    yield Sequencer(database, batch=100, poll_seconds=1)
    await database.close()


def feed_of(desk: Desk) -> Feed:
    assert desk.house.feed
    return desk.house.feed


async def until_live(desk: Desk) -> None:
    async with asyncio.timeout(10):
        while not feed_of(desk)._watch._is_live:  # noqa: ASYNC110 - nobody else has to know when it begins
            await asyncio.sleep(0.005)


async def until_waiting(desk: Desk, count: int) -> None:
    async with asyncio.timeout(10):
        while feed_of(desk)._watch._waiting != count:  # noqa: ASYNC110 - the same of who waits
            await asyncio.sleep(0.005)


def poll(desk: Desk, headers: dict[str, str] | None = None, **params: Any) -> asyncio.Task[httpx2.Response]:
    asked = {"wait": 25, "after": START, **params}
    return asyncio.create_task(desk.client.get(URL, params=asked, headers=headers))


async def subjects(polling: asyncio.Task[httpx2.Response]) -> list[str]:
    async with asyncio.timeout(4):  # less than the watch would look again by itself
        page = (await polling).json()
    return [event["subject"] for event in page["items"]]


async def test_who_waits_hears_at_once_what_another_process_logged(watched: Desk, elsewhere: Sequencer) -> None:
    waiting = poll(watched)
    await until_waiting(watched, 1)
    await write(watched, Event(NOTE_TYPE, "a", {}))
    assert await elsewhere.pass_once() == 1
    assert await subjects(waiting) == ["a"]


async def test_many_who_wait_read_the_log_once(watched: Desk, elsewhere: Sequencer) -> None:
    waiting = [poll(watched) for _ in range(20)]
    await until_waiting(watched, 20)
    await write(watched, *(Event(NOTE_TYPE, subject, {}) for subject in "ab"))
    statements: list[str] = []
    stop = watched.database.listen(statements)
    await elsewhere.pass_once()
    assert [await subjects(each) for each in waiting] == [["a", "b"]] * 20
    stop()
    assert statements == []


async def test_what_is_shared_is_filtered_by_rights_and_wishes(watched: Desk, elsewhere: Sequencer) -> None:
    def of(*units: str) -> dict[str, str]:
        return watched.whole.headers("changes:read", units)

    places = {"a": ("75", "26491"), "b": ("37", "14161")}
    asked = {
        "anonymous": poll(watched),
        "commune": poll(watched, of("26491")),
        "province": poll(watched, of("75")),
        "everywhere": poll(watched, of("*")),
        "first": poll(watched, of("*"), limit=1),
        "by province": poll(watched, of("*"), province="37"),
        "by type": poll(watched, of("*"), types=NOTE_TYPE, commune="26491,14161"),
    }
    await until_waiting(watched, len(asked))
    restricted = (Event(NOTE_TYPE, name, {}, *place, is_public=False) for name, place in places.items())
    await write(watched, *restricted, Event(NOTE_TYPE, "c", {}))
    await elsewhere.pass_once()
    assert {name: await subjects(each) for name, each in asked.items()} == {
        "anonymous": ["c"],
        "commune": ["a", "c"],
        "province": ["a", "c"],
        "everywhere": ["a", "b", "c"],
        "first": ["a"],
        "by province": ["b"],
        "by type": ["a", "b"],
    }
    first = (await asked["first"]).json()
    assert (first["next"], first["head"]) == (encode_position("1.1"), encode_position("1.3"))


async def test_a_filter_that_lets_nothing_through_moves_on_all_the_same(watched: Desk, elsewhere: Sequencer) -> None:
    waiting = poll(watched, wait=1, province="37")
    await until_waiting(watched, 1)
    await write(watched, Event(NOTE_TYPE, "a", {}, "75", "26491"))
    await elsewhere.pass_once()
    page = (await waiting).json()
    assert (page["items"], page["next"]) == ([], encode_position("1.1"))


async def test_nothing_is_read_while_nobody_waits(watched: Desk, elsewhere: Sequencer) -> None:
    await write(watched, Event(NOTE_TYPE, "a", {}))
    await elsewhere.pass_once()
    assert await subjects(poll(watched)) == ["a"]  # by a page of its own
    held = feed_of(watched)._watch._events
    assert list(held) == []


async def test_who_is_further_behind_than_is_held_reads_the_log(
    watched: Desk, elsewhere: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "KEPT_EVENTS", 2)
    waiting = poll(watched)
    await until_waiting(watched, 1)
    await write(watched, *(Event(NOTE_TYPE, str(n), {}) for n in range(5)))
    await elsewhere.pass_once()
    assert await subjects(waiting) == ["0", "1", "2", "3", "4"]
    assert [row["subject"] for row, _ in feed_of(watched)._watch._events] == ["3", "4"]
    assert await subjects(poll(watched, after=encode_position("1.3"))) == ["3", "4"]


async def test_a_lost_connection_is_made_anew(watched: Desk, elsewhere: Sequencer) -> None:
    waiting = poll(watched)
    await until_waiting(watched, 1)
    (connection,) = (each for each in watched.database._aside if not each.is_closed())
    async with watched.database.write() as db:
        assert await db.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": connection.get_server_pid()})
    await write(watched, Event(NOTE_TYPE, "a", {}))
    await elsewhere.pass_once()
    assert await subjects(waiting) == ["a"]


async def test_a_new_epoch_ends_what_waits(watched: Desk) -> None:
    waiting = poll(watched)
    await until_waiting(watched, 1)
    assert await begin_epoch(watched.database) == 2
    async with asyncio.timeout(4):
        answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (410, "feed_rewound")


async def test_a_process_that_ends_keeps_nobody_waiting(watched: Desk) -> None:
    waiting = poll(watched)
    await until_waiting(watched, 1)
    watched.house.stop_waiting()
    assert await subjects(waiting) == []
