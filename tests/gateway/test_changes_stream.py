"""One stream of the changes of all services, in both shapes: it goes on where it was cut, whatever was cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import text
from starlette.responses import Response

from chassis.event_log.positions import Position
from chassis.settings import SERVICES
from gateway.changes.places import decode_places, encode_places
from tests.gateway.merging import URL, Door, before, note, told
from tests.house import House
from tests.lines import line_to
from tests.sse import Heard, follow, heard, rest, take

LOTS, PATIENCE = 60, 60


@pytest.fixture(params=[False, True], ids=["in one process", "behind URLs"])
async def door(request: pytest.FixtureRequest, house: House) -> AsyncIterator[Door]:
    async with before(house, apart=request.param) as opened:
        yield opened


def cursor(**places: int) -> str:
    return encode_places({name: Position(1, place) for name, place in places.items()})


async def begun(events: AsyncIterator[Heard], services: int = 3) -> str:
    """The cursor from which a stream goes on that was opened without one: every service has said its place."""
    told = [await anext(events) for _ in range(services)]
    assert {one.event for one in told} == {"bookmark"}
    assert told[-1].id
    return told[-1].id


async def test_a_listener_hears_every_service_from_now_on(door: Door) -> None:
    await door.write("plans", "before")
    async with asyncio.timeout(PATIENCE), door.listener() as events:
        assert await begun(events) == cursor(plans=1, indicators=0, budget=0)
        heard = []
        for service, subject in (("budget", "a"), ("plans", "b"), ("indicators", "c"), ("budget", "d")):
            await door.write(service, subject)
            heard += await take(events, 1)
    assert told([one.data for one in heard]) == [
        ("budget", "a"), ("plans", "b"), ("indicators", "c"), ("budget", "d")
    ]  # fmt: skip
    assert heard[0].event == "vn.chitieu.budget.note.written.v1"
    assert heard[-1].id == cursor(plans=2, indicators=1, budget=2)
    assert heard[0].data == (await door.client.get("/v1/budget/changes")).json()["items"][0]


async def test_it_goes_on_from_a_page_or_from_the_last_id(door: Door) -> None:
    await door.write("plans", "a", "b")
    await door.write("budget", "c")
    page = await door.pull(limit=1)
    assert told(page["items"]) == [("plans", "a")]
    async with asyncio.timeout(PATIENCE), door.listener(page["next"]) as events:
        one, other = await take(events, 2)
        assert sorted(told([one.data, other.data])) == [("budget", "c"), ("plans", "b")]
    async with asyncio.timeout(PATIENCE), door.listener(one.id) as events:
        assert await take(events, 1) == [other]


async def test_a_page_may_leave_a_service_at_its_beginning(house: House) -> None:
    async with before(house, apart=True) as door, asyncio.timeout(PATIENCE):
        await door.write("plans", "a")
        await door.write("budget", "b", "c")
        door.lines["budget"].is_up = False
        page = await door.pull()
        door.lines["budget"].is_up = True
        async with door.listener(page["next"]) as events:
            assert told([one.data for one in await take(events, 2)]) == [("budget", "b"), ("budget", "c")]


async def test_a_page_goes_on_from_a_stream_that_never_reached_a_service(house: House) -> None:
    async with before(house, apart=True) as door, asyncio.timeout(PATIENCE):
        await door.write("budget", "before")
        door.lines["budget"].is_up = False
        async with door.listener() as events:
            await door.write("plans", "a")
            (one,) = [each for each in await take(events, 2) if each.id]
        door.lines["budget"].is_up = True
        page = await door.pull(one.id)
        assert decode_places(page["next"]) == {"plans": (1, 1), "indicators": (1, 0), "budget": (1, 1)}
        await door.write("budget", "b")
        assert told((await door.pull(page["next"]))["items"]) == [("budget", "b")]


async def test_the_services_and_filters_asked_for_are_followed(door: Door) -> None:
    own = door.house.headers("changes:read", ["75"])
    async with asyncio.timeout(PATIENCE), door.listener(None, own, services="plans,budget", commune="26491") as events:
        assert await begun(events, 2) == cursor(plans=0, budget=0)
        await door.write("indicators", "a", province="75", commune="26491")
        await door.write("plans", "b", province="75", commune="25378")
        await door.write("budget", "c", province="75", commune="26491", is_public=False)
        (one,) = await take(events, 1)
    assert told([one.data]) == [("budget", "c")]


async def test_it_is_refused_as_the_services_refuse(door: Door) -> None:
    bad = {"Authorization": "Bearer x"}
    for cursor_, headers, status, code in (
        (cursor(plans=7), {}, 410, "feed_rewound"),
        (cursor(plans=0), bad, 401, "token_invalid"),
        (cursor(plans=0), door.house.headers("plans:read"), 403, "scope_missing"),
    ):
        response = await door.client.get(f"{URL}/stream", params={"after": cursor_}, headers=headers)
        problem = response.json()
        assert (response.status_code, problem["code"], problem["service"]) == (status, code, "plans")
        assert problem["instance"] == f"{URL}/stream"


async def test_a_log_rewound_under_it_ends_it_with_the_services_name(door: Door) -> None:
    async with asyncio.timeout(PATIENCE), door.listener(services="plans,budget") as events:
        await begun(events, 2)
        await door.write("budget", "a")
        await take(events, 1)
        async with door.house.database("budget").write() as db:
            await db.execute(text("UPDATE feed_head SET epoch = epoch + 1"))
        *_, last = await rest(events)
    assert (last.event, last.data["code"], last.data["service"]) == ("error", "feed_rewound", "budget")


async def test_it_ends_with_the_process_and_nothing_stays_open(door: Door) -> None:
    async with asyncio.timeout(PATIENCE), door.listener() as events:
        await begun(events)
        door.gateway.stop_waiting()
        assert await rest(events) == []
    for app in door.house.composition.services.values():
        async with asyncio.timeout(PATIENCE):
            while app.state.house.streams.count:  # noqa: ASYNC110 - a stream ends without telling anybody
                await asyncio.sleep(0.01)


async def test_it_says_that_it_lives_and_ends_after_its_time(house: House) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        before(house, apart=False, stream_ping_seconds=0.05, stream_seconds=0.5) as door,
        door.listener() as events,
    ):
        await begun(events)
        said = await rest(events)
    assert set(said) == {Heard(comment="ping")}


async def test_a_service_that_leaves_is_named_and_goes_on_when_it_comes_back(house: House) -> None:
    async with before(house, apart=True) as door, asyncio.timeout(PATIENCE):
        door.lines["budget"].is_up = False
        async with door.listener() as events:
            first = [await anext(events) for _ in range(3)]
            assert sorted(one.event or "" for one in first) == ["bookmark", "bookmark", "unreachable"]
            await door.write("plans", "a")
            (one,) = await take(events, 1)
            assert decode_places(one.id or "") == {"plans": (1, 1), "indicators": (1, 0), "budget": "now"}
            door.lines["budget"].is_up = True
            assert (await take(events, 1))[0] == Heard(event="unreachable", data={"services": []})
            await begun(events, 1)
            await door.write("budget", "b")
            assert told([(await take(events, 1))[0].data]) == [("budget", "b")]
            door.lines["plans"].is_up = False
            door.lines["plans"].cut()
            assert (await take(events, 1))[0] == Heard(event="unreachable", data={"services": ["plans"]})
            await door.write("plans", "c")
            await door.write("budget", "d")
            assert told([(await take(events, 1))[0].data]) == [("budget", "d")]
            door.lines["plans"].is_up = True
            back, late = await take(events, 2)
    assert back.data == {"services": []}
    assert told([late.data]) == [("plans", "c")]


@pytest.mark.parametrize("said", [b"id: !\nevent: x\n\n", b"event: error\ndata: [\n\n", b"event: error\ndata: {}\n\n"])
async def test_a_service_that_says_nonsense_is_away_until_it_is_itself_again(house: House, said: bytes) -> None:
    async with before(house, apart=False) as door, asyncio.timeout(PATIENCE):
        peers, plans = door.gateway.peers, house.composition.services["plans"]
        peers.attach("plans", Response(said, media_type="text/event-stream"))
        async with door.listener(cursor(plans=0, budget=0)) as events:
            assert await anext(events) == Heard(event="unreachable", data={"services": ["plans"]})
            peers.attach("plans", plans)
            await door.write("plans", "a")
            assert await anext(events) == Heard(event="unreachable", data={"services": []})
            (one,) = await take(events, 1)
    assert told([one.data]) == [("plans", "a")]


async def test_a_page_that_is_nonsense_is_a_service_that_is_away(house: House) -> None:
    async with before(house, apart=False) as door, asyncio.timeout(PATIENCE):
        await door.write("budget", "b")
        door.gateway.peers.attach("plans", Response(b"<html>", media_type="text/html"))
        async with door.listener(encode_places({"plans": None, "budget": None})) as events:
            heard = await take(events, 2)
    assert {one.event for one in heard} == {"unreachable", note("budget")}


async def test_a_services_own_stream_passes_through_the_door(door: Door) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        door.client.stream("GET", "/v1/plans/changes/stream", headers={"Accept-Encoding": "gzip"}) as response,
    ):
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in response.headers
        events = heard(response)
        assert await anext(events) == Heard(retry="2000")
        await door.write("plans", "a")
        assert told([(await take(events, 1))[0].data]) == [("plans", "a")]
        (door.gateway if door.lines else door.house.composition).stop_waiting()
        assert await rest(events) == []


async def test_many_streams_through_the_door_leave_room_for_others(house: House) -> None:
    async with before(house, apart=True) as door, asyncio.timeout(PATIENCE), contextlib.AsyncExitStack() as stack:
        host, port = str(door.client.base_url).removeprefix("http://").strip("/").split(":")
        for number in range(70):
            reader, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            token = house.headers("changes:read", client_id=str(number % 2))["Authorization"]
            asked = f"GET /v1/plans/changes/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
            writer.write(asked.encode())
            said = await reader.readline()
            assert b" 200 " in said, said + await reader.read(2000)
        assert (await door.client.get("/v1/plans/meta")).status_code == 200
        assert (await door.client.post("/graphql", json={"query": "{ meta { services { name } } }"})).status_code == 200
        assert told((await door.pull())["items"]) == []


async def test_each_anonymous_address_has_its_own_streams(house: House) -> None:
    """Behind the gateway the services tell callers apart by what it says of their address."""

    def asking(door: Door, address: str) -> contextlib.AbstractAsyncContextManager[httpx2.Response]:
        return door.client.stream("GET", "/v1/plans/changes/stream", headers={"X-Forwarded-For": address})

    async with before(house, apart=True) as door, asyncio.timeout(PATIENCE), contextlib.AsyncExitStack() as stack:
        for _ in range(house.settings.max_streams_per_caller):
            assert (await stack.enter_async_context(asking(door, "203.0.113.9"))).status_code == 200
        refused = await stack.enter_async_context(asking(door, "203.0.113.9"))
        assert (refused.status_code, json.loads(await refused.aread())["code"]) == (429, "streams_too_many")
        async with asking(door, "203.0.113.10") as other:
            assert other.status_code == 200


async def test_lines_cut_anywhere_lose_and_repeat_nothing(house: House) -> None:
    """Between listener and gateway, and between gateway and services."""
    chance = random.Random(5)
    start = cursor(plans=0, indicators=0, budget=0)
    async with (
        before(house, apart=True) as door,
        line_to(str(door.client.base_url).rstrip("/")) as line,
        asyncio.timeout(PATIENCE),
    ):
        for each in (line, *door.lines.values()):
            each.lasts = lambda: chance.randint(0, 20_000)
        following = asyncio.create_task(
            follow(f"{line.address}{URL}/stream", start, lambda found: len(found) == LOTS * 4)
        )
        for number in range(LOTS):
            await door.write(chance.choice(SERVICES), *(f"{number}-{n}" for n in range(4)))
            if number % 10 == 0:
                line.cut()
        found = await following
    assert line.connections > 3
    assert len(found) == LOTS * 4
    for service in SERVICES:
        sequence = [int(one.data["sequence"]) for one in found if one.data["source"] == f"/{service}"]
        assert sequence == list(range(1, len(sequence) + 1))
