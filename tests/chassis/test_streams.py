"""A stream says what the feed says: in order, once, to those who may hear it, and goes on where it was cut."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
from joserfc.jwk import KeySet
from sqlalchemy import text

from chassis.feed import encode_position
from chassis.outbox import Event
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.streaming import URL, Served, changes, serving, write, write_notes
from tests.sse import Heard, heard, rest, take


def at(pos: int) -> str:
    return encode_position(f"1.{pos}")


async def test_a_listener_hears_what_is_written_from_now_on(desk: Desk) -> None:
    await write_notes(desk, "before")
    await desk.sequence()
    async with serving(desk) as served, served.listener() as events:
        assert await anext(events) == Heard(at(1), "bookmark")
        await write_notes(desk, "a", "b")
        first, second = await take(events, 2)
    assert (first.id, first.event, second.id) == (at(2), NOTE_TYPE, at(3))
    pulled = (await desk.client.get("/v1/plans/changes", params={"after": at(1)})).json()["items"]
    assert [first.data, second.data] == pulled


async def test_who_comes_back_goes_on_after_its_last_id(desk: Desk) -> None:
    await write_notes(desk, *"abcde")
    await desk.sequence()
    async with serving(desk) as served:
        async with served.listener(after=at(0)) as events:
            assert changes(await take(events, 2)) == ["a", "b"]
        async with served.listener({"Last-Event-ID": at(2)}, after=at(0)) as events:
            await write_notes(desk, "f")
            found = await take(events, 4)
    assert changes(found) == ["c", "d", "e", "f"]
    assert [one.id for one in found] == [at(3), at(4), at(5), at(6)]


async def test_the_reply_is_one_that_nobody_holds_back(desk: Desk) -> None:
    async with (
        serving(desk) as served,
        served.client.stream("GET", URL, headers={"Accept-Encoding": "gzip, zstd, br"}) as response,
    ):
        headers = response.headers
        assert await anext(heard(response)) == Heard(retry="2000")
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in headers
    assert "Content-Length" not in headers


PLACES = [("75", "26491"), ("75", "25378"), ("37", "14161"), ("37", None), (None, None)]
OTHER_TYPE = NOTE_TYPE.replace("note", "letter")
RIGHTS = [None, ("26491",), ("75",), ("*",)]
FILTERS: list[dict[str, str]] = [
    {}, {"province": "75"}, {"commune": "26491,14161"}, {"types": OTHER_TYPE}, {"types": NOTE_TYPE, "province": "37"},
]  # fmt: skip


async def write_mixed(desk: Desk, chance: random.Random) -> None:
    picked = [(chance.choice(PLACES), chance.choice([NOTE_TYPE, OTHER_TYPE])) for _ in range(30)]
    events = [Event(kind, "s", {}, *place, is_public=chance.random() < 0.4) for place, kind in picked]
    await write(desk, *events)
    await desk.sequence()


async def tells_the_same(desk: Desk, events: AsyncIterator[Heard], headers: dict[str, str], **asked: str) -> None:
    """The next changes of a stream are those of the feed after a cursor."""
    pulled = (await desk.client.get("/v1/plans/changes", params={"limit": "100", **asked}, headers=headers)).json()
    assert [one.data for one in await take(events, len(pulled["items"]))] == pulled["items"]


async def test_stream_and_pull_tell_everybody_the_same(desk: Desk) -> None:
    """Read back from the log, and heard as it happens, for every mix of rights and filters."""
    chance = random.Random(4)
    mixes = list(product(RIGHTS, FILTERS))
    turn = asyncio.Barrier(len(mixes) + 1)

    async def follow(served: Served, units: tuple[str, ...] | None, wanted: dict[str, str]) -> None:
        headers = desk.whole.headers("changes:read", units) if units else {}
        async with served.listener(headers, after=at(0), **wanted) as events:
            await tells_the_same(desk, events, headers, after=at(0), **wanted)
            await turn.wait()
            await turn.wait()
            await tells_the_same(desk, events, headers, after=at(30), **wanted)

    await write_mixed(desk, chance)
    async with serving(desk, max_streams_per_caller=100) as served, asyncio.TaskGroup() as group:
        for units, wanted in mixes:
            group.create_task(follow(served, units, wanted))
        await turn.wait()
        await write_mixed(desk, chance)
        await turn.wait()


async def test_the_cursor_of_a_filtered_listener_moves_while_it_hears_nothing(desk: Desk) -> None:
    async with serving(desk, stream_ping_seconds=0.05) as served, served.listener(province="37") as events:
        assert await anext(events) == Heard(at(0), "bookmark")
        assert await anext(events) == Heard(comment="ping")
        await write(desk, Event(NOTE_TYPE, "a", {}, province="75"), Event(NOTE_TYPE, "b", {}, province="75"))
        told = [await anext(events)]
        while told[-1] != Heard(at(2), "bookmark"):
            told.append(await anext(events))
        assert set(told[:-1]) <= {Heard(comment="ping"), Heard(at(1), "bookmark")}
        assert await anext(events) == Heard(comment="ping")


@pytest.mark.parametrize(
    ("cursor", "status", "code"),
    [(at(99), 410, "feed_rewound"), (encode_position("0.0"), 410, "feed_rewound"), ("x", 422, "feed_cursor_invalid")],
)
async def test_a_dead_cursor_is_refused_before_the_stream_begins(
    desk: Desk, cursor: str, status: int, code: str
) -> None:
    for asked in ({"headers": {"Last-Event-ID": cursor}}, {"params": {"after": cursor}}):
        response = await desk.client.get(URL, **asked)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_log_rewound_under_a_stream_ends_it_with_the_reason(desk: Desk) -> None:
    async with serving(desk) as served, served.listener() as events:
        await write_notes(desk, "a")
        await take(events, 1)
        async with desk.database.write() as db:
            await db.execute(text("UPDATE feed_head SET epoch = epoch + 1"))
        (last,) = await rest(events)
    assert (last.event, last.data["code"], last.data["status"]) == ("error", "feed_rewound", 410)
    assert last.data["instance"] == URL
    assert last.id is None


async def test_a_stream_ends_with_the_token_it_was_opened_with(desk: Desk) -> None:
    headers = desk.whole.headers("changes:read")
    async with serving(desk, stream_ping_seconds=0.05) as served, served.listener(headers) as events:
        assert await anext(events) == Heard(at(0), "bookmark")
        served.house.verifier._keys = KeySet([])
        *_, last = await rest(events)
    assert (last.event, last.data["code"], last.data["status"]) == ("error", "token_invalid", 401)


async def test_an_expired_token_holds_no_stream(desk: Desk) -> None:
    headers = desk.whole.headers("changes:read", seconds=-4)  # a clock may be five seconds off
    async with serving(desk, stream_ping_seconds=0.05) as served, served.listener(headers) as events:
        *_, last = await rest(events)
    assert (last.data["code"], last.data["reason"]) == ("token_invalid", "expired_token")


async def test_a_stream_ends_after_its_time_and_outlasts_a_request(desk: Desk) -> None:
    async with serving(desk, request_timeout_seconds=1, stream_seconds=1.5, stream_ping_seconds=0.05) as served:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with served.listener() as events:
            said = await rest(events)
        assert 1.19 <= loop.time() - began <= 9
        await served.open_are(0)
    assert said[0] == Heard(at(0), "bookmark")
    assert set(said[1:]) == {Heard(comment="ping")}


async def test_all_streams_end_with_the_process(desk: Desk) -> None:
    async with serving(desk) as served, served.listener() as events, served.listener() as others:
        await anext(events)
        await anext(others)
        served.house.stop_waiting()
        assert await rest(events) == await rest(others) == []
        await served.open_are(0)


async def test_streams_are_limited_for_one_caller_and_for_the_process(desk: Desk) -> None:
    async def refused(served: Served, headers: dict[str, str]) -> tuple[int, str, str]:
        response = await served.client.get(URL, headers=headers)
        return response.status_code, response.json()["code"], response.headers["Retry-After"]

    one, other = (desk.whole.headers("changes:read", client_id=name) for name in ("one", "other"))
    async with serving(desk, max_streams=3, max_streams_per_caller=2) as served:
        async with served.listener(one), served.listener(one):
            assert await refused(served, one) == (429, "streams_too_many", "5")
            async with served.listener(other):
                assert await refused(served, {}) == (503, "streams_full", "5")
        await served.open_are(0)
        async with served.listener(one), served.listener(), served.listener():
            pass


async def test_who_does_not_read_is_cut_off(desk: Desk) -> None:
    async with serving(desk, stream_send_timeout_seconds=0.2) as served:
        host, port = served.address.removeprefix("http://").split(":")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((host, int(port)))
        deaf.sendall(f"GET {URL} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await served.open_are(1)
        async with served.listener() as events:
            for _ in range(10):  # more than a socket takes for who does not read
                await write(desk, *(Event(NOTE_TYPE, "a", {"text": random.randbytes(20_000).hex()}) for _ in range(20)))
                await take(events, 20)
            await served.open_are(1)
            await write_notes(desk, "b")
            assert changes(await take(events, 1)) == ["b"]
        deaf.close()


async def test_all_listeners_share_one_reader(desk: Desk) -> None:
    statements: list[str] = []
    async with serving(desk) as served:
        streams: list[Any] = [served.listener() for _ in range(20)]
        listeners = [await stream.__aenter__() for stream in streams]
        await write_notes(desk, "a")
        await asyncio.gather(*(take(events, 1) for events in listeners))
        stop = desk.database.listen(statements)
        for turn in range(10):
            await write_notes(desk, str(turn))
            found = await asyncio.gather(*(take(events, 1) for events in listeners))
            assert [changes(each) for each in found] == [[str(turn)]] * 20
        stop()
        for stream in streams:
            await stream.__aexit__(None, None, None)
    reads = [each for each in statements if "ORDER BY pos" in each]
    assert 10 <= len(reads) <= 40  # waiting for the next one reads as well; never twenty times as often


async def test_a_stream_outlives_an_outage_of_the_database(desk: Desk) -> None:
    async with serving(desk) as served, served.listener() as events:
        await write_notes(desk, "a")
        assert changes(await take(events, 1)) == ["a"]
        async with desk.database.engine.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
                )
            )
        await write_notes(desk, "b")
        assert changes(await take(events, 1)) == ["b"]
