"""One page of the changes of all services: nothing lost, nothing twice, each service's in its own order."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import Response

from chassis.app import build_app
from chassis.database import Database
from chassis.event_log.positions import Position
from chassis.feed import encode_position
from chassis.house import House as ServiceHouse
from chassis.settings import SERVICES
from chitieu.compose import service_of
from gateway.changes.places import decode_places, encode_places
from tests.gateway.merging import URL, Door, before, note, told
from tests.house import House


@pytest.fixture(params=[False, True], ids=["in one process", "behind URLs"])
async def door(request: pytest.FixtureRequest, house: House) -> AsyncIterator[Door]:
    async with before(house, apart=request.param) as opened:
        yield opened


def cursor(**places: int) -> str:
    return encode_places({name: Position(1, place) for name, place in places.items()})


async def test_all_services_are_merged_and_each_keeps_its_order(door: Door) -> None:
    written = []
    for turn in range(1, 4):
        for service in SERVICES:
            subjects = [f"{service}-{turn}-{n}" for n in range(turn)]
            await door.write(service, *subjects)
            written += [(service, subject) for subject in subjects]
    page = await door.pull()
    assert told(page["items"]) == written
    assert page["unreachable"] == []
    assert page["next"] == page["head"] == cursor(plans=6, indicators=6, budget=6)
    for limit in (1, 2, 5, 18):
        found, following = [], None
        while not found or page["items"]:
            page = await door.pull(following, limit=limit)
            assert len(page["items"]) <= limit
            following = page["next"]
            found += told(page["items"])
        assert found == written
        assert following == cursor(plans=6, indicators=6, budget=6)


async def test_an_event_is_what_its_service_says(door: Door) -> None:
    await door.write("plans", "a")
    (event,) = (await door.pull())["items"]
    assert event == (await door.client.get("/v1/plans/changes")).json()["items"][0]
    response = await door.client.get(URL, headers={"Accept": "application/cloudevents-batch+json"})
    assert response.headers["Content-Type"] == "application/cloudevents-batch+json"
    assert response.headers["Changes-Cursor"] == cursor(plans=1, indicators=0, budget=0)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json() == [event]


async def test_the_services_asked_for_at_the_start_are_followed(door: Door) -> None:
    for service in SERVICES:
        await door.write(service, "a")
    page = await door.pull(services="budget,plans")
    assert sorted(told(page["items"])) == [("budget", "a"), ("plans", "a")]
    assert page["next"] == cursor(plans=1, budget=1)
    assert (await door.pull(page["next"]))["next"] == page["next"]
    assert (await door.pull(page["next"], services="plans,budget"))["next"] == page["next"]
    other = await door.client.get(URL, params={"after": page["next"], "services": "plans"})
    assert (other.status_code, other.json()["code"]) == (422, "services_differ")
    strange = await door.client.get(URL, params={"services": "plan"})
    assert (strange.status_code, strange.json()["code"]) == (422, "service_unknown")


async def test_filters_skip_and_the_cursor_still_moves(door: Door) -> None:
    await door.write("plans", "a", province="75", commune="26491")
    await door.write("budget", "b", province="37", commune="14161")
    assert told((await door.pull(province="37"))["items"]) == [("budget", "b")]
    assert told((await door.pull(commune="26491,14161", types=note("plans")))["items"]) == [("plans", "a")]
    page = await door.pull(province="1")
    assert (page["items"], page["next"]) == ([], cursor(plans=1, indicators=0, budget=1))


async def test_each_service_hears_the_callers_own_token(door: Door) -> None:
    await door.write("plans", "a", province="75", commune="26491", is_public=False)
    await door.write("budget", "b", province="37", commune="14161", is_public=False)
    own = door.house.headers("changes:read", ["75"])
    assert told((await door.pull(headers=own))["items"]) == [("plans", "a")]
    assert (await door.pull())["items"] == []
    for headers, status, code in (
        (door.house.headers("plans:read"), 403, "scope_missing"),
        ({"Authorization": "Bearer x"}, 401, "token_invalid"),
    ):
        response = await door.client.get(URL, headers=headers)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.json()["instance"] == URL
        assert response.json()["request_id"] == response.headers["X-Request-Id"]
        assert ("WWW-Authenticate" in response.headers) is (status == 401)


async def test_a_reader_waits_for_the_next_change_of_any_service(door: Door) -> None:
    start = (await door.pull())["next"]
    waiting = asyncio.create_task(door.pull(start, wait=20))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await door.write("budget", "a")
    page = await asyncio.wait_for(waiting, 10)
    assert told(page["items"]) == [("budget", "a")]
    assert page["next"] == cursor(plans=0, indicators=0, budget=1)
    idle = await door.pull(page["next"], wait=0.1)
    assert (idle["items"], idle["next"]) == ([], page["next"])


async def test_a_wait_ends_with_the_process(door: Door) -> None:
    waiting = asyncio.create_task(door.pull(wait=20))
    await asyncio.sleep(0.3)
    door.gateway.stop_waiting()
    assert (await asyncio.wait_for(waiting, 5))["items"] == []


async def test_a_dead_cursor_names_its_service(door: Door) -> None:
    await door.write("plans", "a")
    response = await door.client.get(URL, params={"after": cursor(plans=1, indicators=0, budget=9)})
    problem = response.json()
    assert (response.status_code, problem["code"], problem["service"]) == (410, "feed_rewound", "budget")
    assert response.headers["Content-Type"] == "application/problem+json"


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


async def test_a_service_that_says_nonsense_is_named_and_keeps_its_place(house: House) -> None:
    async with before(house, apart=False) as door:
        await door.write("budget", "b")
        door.gateway.peers.attach("plans", Response(b"<html>", media_type="application/json"))
        page = await door.pull(services="plans,budget")
    assert (told(page["items"]), page["unreachable"]) == ([("budget", "b")], ["plans"])


@pytest.mark.parametrize(
    "made_up",
    [
        "x", "không", packed("[]"), packed("{}"), packed('{"plan":[1,2]}'), packed('{"plans":[1]}'), packed("[" * 9999),
        packed('{"plans":[1,-2]}'), packed('{"plans":[true,2]}'), packed('{"plans":"1.2"}'), encode_position("1.2"),
        packed('{"plans":[1,1000000000000000000]}'), packed('{"plans":[1,2.0]}'), packed('{"plans":"NOW"}'),
    ],
)  # fmt: skip
async def test_a_made_up_cursor_is_refused(gateway: Any, made_up: str) -> None:
    for path in (URL, f"{URL}/stream"):
        response = await gateway.get(path, params={"after": made_up})
        assert (response.status_code, response.json()["code"]) == (422, "feed_cursor_invalid")


async def test_headers_of_any_bytes_reach_the_services(door: Door) -> None:
    """Both answer what the service says of them, page and stream alike."""
    for path in (URL, f"{URL}/stream"):
        response = await door.client.get(path, headers={b"Authorization": b"Bearer \xc3\xa9\xff"})
        assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
        response = await door.client.get(path, headers={b"X-Min-Version": b"\xe9"})
        assert (response.status_code, response.json()["code"]) == (422, "write_token_invalid")


async def test_more_filters_than_an_address_holds_are_refused(door: Door) -> None:
    communes = ",".join(str(code) for code in range(10_000, 18_000))
    for path in (URL, f"{URL}/stream"):
        response = await door.client.get(path, params={"commune": communes})
        assert (response.status_code, response.json()["code"]) == (422, "arguments_too_long")


async def test_unknown_parameters_are_refused(gateway: Any) -> None:
    response = await gateway.get(URL, params={"type": "x"}, headers={"Accept-Language": "en"})
    assert (response.status_code, response.json()["code"]) == (422, "parameter_unknown")
    assert "types" in response.json()["detail"]


async def test_no_service_at_all_is_told_as_such(gateway: Any) -> None:
    for path in (URL, f"{URL}/stream"):
        response = await gateway.get(path)
        assert (response.status_code, response.json()["code"]) == (503, "changes_unreachable")
        assert response.headers["Retry-After"] == "1"


async def test_a_service_out_of_reach_keeps_its_place(house: House) -> None:
    async with before(house, apart=True) as door:
        await door.write("plans", "a")
        await door.write("budget", "b")
        start = (await door.pull())["next"]
        await door.write("plans", "c")
        await door.write("budget", "d")
        door.lines["budget"].is_up = False
        door.lines["budget"].cut()
        response = await door.client.get(URL, params={"after": start})
        page = response.json()
        assert told(page["items"]) == [("plans", "c")]
        assert page["unreachable"] == ["budget"]
        assert response.headers["Changes-Unreachable"] == "budget"
        assert decode_places(page["next"]) == {"plans": (1, 2), "indicators": (1, 0), "budget": (1, 1)}
        anew = await door.pull()
        assert decode_places(anew["next"]) == {"plans": (1, 2), "indicators": (1, 0), "budget": None}
        door.lines["budget"].is_up = True
        assert told((await door.pull(page["next"]))["items"]) == [("budget", "d")]
        assert sorted(told((await door.pull(anew["next"]))["items"])) == [("budget", "b"), ("budget", "d")]


async def test_a_service_of_this_process_without_its_database_keeps_its_place(house: House) -> None:
    async with before(house, apart=False) as door:
        await door.write("plans", "a")
        url = house.database("budget").url.set(database="nowhere").render_as_string(hide_password=False)
        away = Database(url, "budget", house.settings)
        lost = ServiceHouse(house.settings, verifier=door.gateway.verifier, peers=door.gateway.peers, database=away)
        build_app(service_of("budget"), lost)
        page = await door.pull()
        assert (told(page["items"]), page["unreachable"]) == ([("plans", "a")], ["budget"])
        await away.close()


async def test_what_the_gateway_says_of_itself_is_documented(gateway: Any) -> None:
    document = (await gateway.get("/v1/gateway/openapi.json")).json()
    assert set(document["paths"]) == {URL, f"{URL}/stream"}
    assert "text/html" in (await gateway.get("/docs/gateway")).headers["Content-Type"]
