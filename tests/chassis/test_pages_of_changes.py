"""Pages of changes: told alike everywhere, bounded in events and bytes, whole whatever they are read in."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from chassis.auth import Caller
from chassis.event_log import Envelope, reading
from chassis.feed import MOST_EVENTS, Changes, Filter, encode_position
from chassis.outbox import Event, pack
from chassis.replies import encode
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.test_feed import URL, write

EVERYBODY = Caller("x", "x", frozenset(), frozenset({"*"}))
LONG = {"text": 'điện tử " \\ \n' * 400}
BASE = "https://chitieu.example.vn"


async def changes(desk: Desk, **wanted: Any) -> Changes:
    assert desk.house.feed
    return await desk.house.feed.changes(EVERYBODY, None, Filter(**wanted), limit=MOST_EVENTS, wait=0)


def no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def cloud_event(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the log as a CloudEvent, made of decoded values."""
    event = {
        "specversion": "1.0",
        "id": str(row["event_id"]),
        "source": f"{BASE}/plans",
        "type": row["type"],
        "subject": row["subject"],
        "time": row["at"],
        "datacontenttype": "application/json",
        "dataschema": f"{BASE}/v1/plans/event-schemas/{row['type']}",
        "sequence": f"{row['pos']:020d}",
        "partitionkey": row["subject"],
        "province": row["province"],
        "traceparent": row["trace"],
        "data": {**row["data"], "version": row["version"]},
    }
    return {name: value for name, value in event.items() if value is not None}


async def test_an_event_is_told_as_its_row_says(desk: Desk) -> None:
    """The text made without decoding anything, against the one made of decoded values."""
    await write(
        desk,
        Event(NOTE_TYPE, "a", {"amount": 1, "on": None}, province="75", commune="26491", is_public=False),
        Event(NOTE_TYPE, 'ngoặc " \\ \u2028', {}),
        Event(NOTE_TYPE, "long", LONG, province="75"),
        Event(NOTE_TYPE, "packed", pack(encode(LONG))),
        Event(NOTE_TYPE, "raw", msgspec.Raw(b'{"n":12345678901234567.10}')),
    )
    await desk.sequence()
    rows = (await changes(desk)).rows
    told = Envelope("plans", BASE).texts(rows)
    assert [row.pos for row in rows] == [1, 2, 3, 4, 5]
    assert [row["packed"] is None for row in rows] == [True, True, False, False, True]
    for row, each in zip(rows, told, strict=True):
        expected = encode(cloud_event(row.as_dict()))
        assert json.loads(each, object_pairs_hook=no_name_twice) == json.loads(expected)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ('"2026-11-22T07:23:22.123456+00:00"', '"2026-11-22T07:23:22.123456Z"'),
        ('"2026-11-22T07:23:22.12+00:00"', '"2026-11-22T07:23:22.120000Z"'),
        ('"2026-11-22T07:23:22+00:00"', '"2026-11-22T07:23:22Z"'),
    ],
)
def test_moments_are_told_as_everywhere_in_the_house(kept: str, said: str) -> None:
    row = (1, "id", NOTE_TYPE, "s", 1, None, None, True, kept, None, "{}", None)
    (told,) = Envelope("plans", None).texts([row])  # type: ignore[list-item]  # a row is a tuple with names
    assert f'"time":{said},' in told
    moment = msgspec.json.decode(kept, type=datetime)
    assert encode(moment).decode() == said


async def test_the_version_is_the_logs_to_give(desk: Desk) -> None:
    with pytest.raises(ValueError, match="given by the log"):
        await write(desk, Event(NOTE_TYPE, "a", {"version": 7}))


class Spilling:
    """A basket that takes nothing."""

    size = 0

    def put(self, _rows: object, _texts: object = None) -> None:
        raise RuntimeError("spilt")


async def test_a_page_that_breaks_off_leaves_its_connection_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "CHUNK_EVENTS", 2)
    await write(desk, *(Event(NOTE_TYPE, "a", LONG) for _ in range(200)))
    await desk.sequence()
    reader, wish = reading.LogReader(desk.database), reading.Wish(EVERYBODY, None, Filter(), MOST_EVENTS)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="spilt"):
            await reader.page(wish, Spilling())
    async with desk.database.driver() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_page_has_ten_thousand_events_at_most(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(3)))
    await desk.sequence()
    assert len((await desk.client.get(URL, params={"limit": MOST_EVENTS})).json()["items"]) == 3
    refused = await desk.client.get(URL, params={"limit": MOST_EVENTS + 1})
    assert (refused.status_code, refused.json()["errors"][0]["column"]) == (422, "limit")


@pytest.mark.parametrize(("chunk", "part"), [(7, 3), (5, 100), (1, 1), (2000, 100)])
@pytest.mark.parametrize("limit", [1, 7, 23, 100])
async def test_pages_are_whole_in_chunks_of_any_size(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, chunk: int, part: int, limit: int
) -> None:
    monkeypatch.setattr(reading, "CHUNK_EVENTS", chunk)
    monkeypatch.setattr(reading, "SLICE_EVENTS", part)
    await write(desk, *(Event(NOTE_TYPE, str(n), {}, "75", "26491" if n % 3 else "25378") for n in range(40)))
    await desk.sequence()
    heard, cursor = [], encode_position("1.0")
    for _ in range(60):
        page = (await desk.client.get(URL, params={"after": cursor, "limit": limit, "commune": "26491"})).json()
        heard += [event["subject"] for event in page["items"]]
        assert len(page["items"]) <= limit
        cursor = page["next"]
        if cursor == page["head"]:
            break
    assert heard == [str(n) for n in range(40) if n % 3]


async def test_a_page_ends_at_so_many_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_BYTES", 20_000)
    monkeypatch.setattr(reading, "SLICE_EVENTS", 2)
    await write(desk, *(Event(NOTE_TYPE, str(n), LONG) for n in range(12)))
    await desk.sequence()
    first = await desk.client.get(URL, params={"limit": 100})
    assert [event["subject"] for event in first.json()["items"]] == ["0", "1", "2", "3"]
    assert first.headers["Changes-Behind"] == "8"
    rest = await desk.client.get(URL, params={"limit": 3, "after": first.json()["next"]})
    assert [event["subject"] for event in rest.json()["items"]] == ["4", "5", "6"]
    assert [row["subject"] for row in (await changes(desk)).items] == ["0", "1", "2", "3"]


async def test_a_long_page_is_sent_in_pieces_and_arrives_whole(desk: Desk) -> None:
    await write(desk, *(Event(NOTE_TYPE, str(n), LONG) for n in range(100)))
    await desk.sequence()
    answer = await desk.client.get(URL, params={"limit": 100}, headers={"Accept-Encoding": "identity"})
    assert len(answer.content) == int(answer.headers["Content-Length"]) > 256 * 1024
    assert [event["data"] for event in answer.json()["items"]] == [{**LONG, "version": 1}] * 100
    packed = await desk.client.get(URL, params={"limit": 100}, headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["Content-Encoding"], packed.json()) == ("gzip", answer.json())
