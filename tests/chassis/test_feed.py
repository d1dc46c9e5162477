"""The log is dense, nothing is lost or reordered, and everybody hears what they may."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlalchemy import text

from chassis import outbox
from chassis.beside import beside
from chassis.feed import encode_position
from chassis.outbox import Event
from chassis.sequencer import Sequencer, raise_epoch_if_restored
from tests.chassis.conftest import NOTE_TYPE, Desk

URL = "/v1/plans/changes"


async def write(desk: Desk, *events: Event) -> str:
    async with desk.database.write() as db:
        heads = await outbox.lock(db, [event.subject for event in events])
        return await outbox.append(db, heads, list(events))


async def test_positions_follow_the_order_of_writing(desk: Desk) -> None:
    await write(desk, Event(NOTE_TYPE, "b", {"n": 1}), Event(NOTE_TYPE, "a", {"n": 2}), Event(NOTE_TYPE, "b", {"n": 3}))
    await desk.sequence()
    page = (await desk.client.get(URL)).json()
    assert [(e["subject"], e["data"]["n"], e["data"]["version"]) for e in page["items"]] == [
        ("b", 1, 1),
        ("a", 2, 1),
        ("b", 3, 2),
    ]
    assert [e["sequence"] for e in page["items"]] == [f"{n:020d}" for n in (1, 2, 3)]
    assert page["items"][0]["specversion"] == "1.0"
    assert page["items"][0]["source"] == "/plans"
    assert page["next"] == page["head"] == encode_position("1.3")


async def test_restricted_events_are_for_those_who_cover_the_unit(desk: Desk) -> None:
    await write(
        desk,
        Event(NOTE_TYPE, "a", {}, province="75", commune="26491", is_public=False),
        Event(NOTE_TYPE, "b", {}, province="37", commune="14161", is_public=False),
        Event(NOTE_TYPE, "c", {}, province="75", commune="25378"),
    )
    await desk.sequence()

    async def heard(*units: str) -> list[str]:
        headers = desk.whole.headers("changes:read", units) if units else {}
        response = await desk.client.get(URL, headers=headers)
        assert response.json()["next"] == encode_position("1.3")
        return [event["subject"] for event in response.json()["items"]]

    assert await heard() == ["c"]
    assert await heard("26491") == ["a", "c"]
    assert await heard("37") == ["b", "c"]
    assert await heard("75") == ["a", "c"]
    assert await heard("*") == ["a", "b", "c"]


async def test_filters_skip_and_the_cursor_still_moves(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, str(n), {}, province="75", commune="26491") for n in range(5)))
    await desk.sequence()
    page = (await desk.client.get(URL, params={"province": "37"})).json()
    assert page["items"] == []
    assert page["next"] == encode_position("1.5")
    page = (await desk.client.get(URL, params={"commune": "26491,14161", "limit": 2, "types": NOTE_TYPE})).json()
    assert len(page["items"]) == 2
    assert page["next"] == encode_position("1.2")


async def test_a_long_poll_hears_a_write_of_this_process_at_once(desk: Desk) -> None:
    assert desk.house.sequencer
    async with beside(desk.house.sequencer.run()):
        waiting = asyncio.create_task(desk.client.get(URL, params={"wait": 20, "after": encode_position("1.0")}))
        await asyncio.sleep(0)
        await write(desk, Event(NOTE_TYPE, "a", {}))
        page = (await asyncio.wait_for(waiting, 5)).json()
        assert [event["subject"] for event in page["items"]] == ["a"]


async def test_a_rewound_log_tells_readers_to_list_again(desk: Desk) -> None:
    for cursor in (encode_position("1.99"), encode_position("0.0")):
        response = await desk.client.get(URL, params={"after": cursor})
        assert response.status_code == 410
        assert response.json()["code"] == "feed_rewound"


async def test_a_made_up_cursor_is_refused(desk: Desk) -> None:
    response = await desk.client.get(URL, params={"after": "không"})
    assert response.status_code == 422
    assert response.json()["code"] == "feed_cursor_invalid"


async def test_cloudevents_batch_is_the_bare_array(desk: Desk) -> None:
    await write(desk, Event(NOTE_TYPE, "a", {}))
    await desk.sequence()
    response = await desk.client.get(URL, headers={"Accept": "application/cloudevents-batch+json"})
    assert response.headers["Content-Type"] == "application/cloudevents-batch+json"
    assert response.headers["Changes-Cursor"] == encode_position("1.1")
    assert [event["subject"] for event in response.json()] == ["a"]


@pytest.mark.parametrize(
    ("accept", "is_bare"),
    [
        ("Application/CloudEvents-Batch+JSON; q=0.5", True),
        ("application/json, application/cloudevents-batch+json;q=0", False),
        ("application/cloudevents-batch+jsonx", False),
    ],
)
async def test_a_batch_is_given_to_who_accepts_one(desk: Desk, accept: str, is_bare: bool) -> None:
    response = await desk.client.get(URL, headers={"Accept": accept})
    assert isinstance(response.json(), list) is is_bare


@pytest.mark.parametrize("sequencers", [1, 3])
async def test_concurrent_writers_lose_nothing(desk: Desk, sequencers: int) -> None:
    """Writers that hold their transactions open for odd times, one sequencer or several."""
    chance = random.Random(7)
    acknowledged: list[tuple[str, int]] = []

    async def writer(number: int) -> None:
        for turn in range(12):
            async with desk.database.write() as db:
                heads = await outbox.lock(db, [f"s{chance.randint(1, 6)}"])
                subject = next(iter(heads.versions))
                await outbox.append(db, heads, [Event(NOTE_TYPE, subject, {"by": number, "turn": turn})])
                await asyncio.sleep(chance.random() * 0.01)
            acknowledged.append((subject, number * 100 + turn))

    async def sequence(own: Sequencer) -> None:
        while True:
            await own.pass_once()
            await asyncio.sleep(0.002)

    movers = (sequence(Sequencer(desk.database, batch=5, poll_seconds=0.01)) for _ in range(sequencers))
    async with beside(*movers):
        await asyncio.gather(*(writer(number) for number in range(3)))
    await desk.sequence()
    async with desk.database.read() as db:
        rows = (await db.execute(text("SELECT pos, subject, version, data FROM event_log ORDER BY pos"))).all()
    assert [row.pos for row in rows] == list(range(1, 37))
    assert sorted((row.subject, row.data["by"] * 100 + row.data["turn"]) for row in rows) == sorted(acknowledged)
    for subject in {row.subject for row in rows}:
        versions = [row.version for row in rows if row.subject == subject]
        assert versions == list(range(1, len(versions) + 1))


async def test_a_log_restored_into_another_server_begins_a_new_epoch(desk: Desk) -> None:
    token = await write(desk, Event(NOTE_TYPE, "a", {}))
    await desk.sequence()
    cursor = (await desk.client.get(URL)).json()["next"]
    await raise_epoch_if_restored(desk.database)
    assert (await desk.client.get(URL, params={"after": cursor})).status_code == 200
    async with desk.database.write() as db:
        await db.execute(text("UPDATE feed_head SET system_id = 'elsewhere'"))
    await raise_epoch_if_restored(desk.database)
    await raise_epoch_if_restored(desk.database)
    rewound = await desk.client.get(URL, params={"after": cursor})
    assert (rewound.status_code, rewound.json()["code"]) == (410, "feed_rewound")
    assert (await desk.client.get(URL)).json()["next"] == encode_position("2.1")
    lost = await desk.client.get("/v1/plans/numbers", headers={"X-Min-Version": token})
    assert (lost.status_code, lost.json()["code"]) == (410, "write_lost")
