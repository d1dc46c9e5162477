"""Every list, one way: pages, whole pulls, fields, ETags, compression."""

from __future__ import annotations

import gzip
import json

import pytest
from sqlalchemy import select

from chassis.errors import NotAcceptable, Refused
from chassis.feed import encode_position
from chassis.listing import Listing, negotiate
from chassis.pages import PageRequest
from tests.chassis.conftest import Desk

URL = "/v1/plans/numbers"


async def test_pages_follow_each_other_and_repeat_the_first_cursor(desk: Desk) -> None:
    seen, params = [], {"upto": 5, "limit": 2}
    while True:
        with desk.whole.statements("plans"):
            response = await desk.client.get(URL, params=params)
        body = response.json()
        seen.append([row["n"] for row in body["items"]])
        assert response.headers["Changes-Cursor"] == encode_position("1.0")
        assert response.headers["Known-At"].endswith("Z")
        if body["next"] is None:
            assert "Link" not in response.headers
            break
        assert response.headers["Link"].endswith('; rel="next"')
        params["cursor"] = body["next"]
        await desk.post("x", key=str(len(seen)))
        await desk.sequence()
    assert seen == [[1, 2], [3, 4], [5]]


async def test_a_page_is_one_statement(desk: Desk) -> None:
    seen: list[str] = []
    stop = desk.database.listen(seen)
    await desk.client.get(URL, params={"upto": 1000, "limit": 1000})
    stop()
    assert len(seen) == 1


async def test_an_empty_list_still_says_where_to_follow_from(desk: Desk) -> None:
    response = await desk.client.get(URL, params={"upto": 0})
    assert response.json() == {"items": [], "next": None}
    assert response.headers["Changes-Cursor"] == encode_position("1.0")


async def test_fields_are_chosen_or_refused_by_name(desk: Desk) -> None:
    response = await desk.client.get(URL, params={"upto": 1, "fields": "n"})
    assert response.json()["items"] == [{"n": 1}]
    response = await desk.client.get(URL, params={"fields": "m"})
    assert (response.status_code, response.json()["code"]) == (422, "fields_unknown")


async def test_whole_pulls_stream_every_row(desk: Desk) -> None:
    lines = await desk.client.get(URL, params={"upto": 3000}, headers={"Accept": "application/x-ndjson"})
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line)["n"] for line in lines.text.splitlines()] == list(range(1, 3001))
    assert "ETag" not in lines.headers
    table = await desk.client.get(URL, params={"upto": 2}, headers={"Accept": "text/csv"})
    assert table.content.decode("utf-8") == "\ufeffn,formula\r\n1,'=1\r\n2,'=2\r\n"
    assert table.headers["Changes-Cursor"] == encode_position("1.0")


async def test_an_etag_answers_304_and_depends_on_the_encoding(desk: Desk) -> None:
    plain = await desk.client.get(URL, params={"upto": 500, "limit": 500}, headers={"Accept-Encoding": "identity"})
    packed = await desk.client.get(URL, params={"upto": 500, "limit": 500}, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert packed.headers["ETag"] != plain.headers["ETag"]
    again = await desk.client.get(
        URL,
        params={"upto": 500, "limit": 500},
        headers={"Accept-Encoding": "gzip, br;q=0.1", "If-None-Match": packed.headers["ETag"]},
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == packed.headers["ETag"]
    assert plain.headers["Vary"] == "Authorization, Accept, Accept-Language, Accept-Encoding, Origin"


async def test_the_tag_of_a_page_with_a_next_one_does_not_move_with_the_feed(desk: Desk) -> None:
    first = await desk.client.get(URL, params={"upto": 5, "limit": 2})
    await desk.post("x", key="1")
    await desk.sequence()
    headers = {"If-None-Match": first.headers["ETag"]}
    second = await desk.client.get(URL, params={"upto": 5, "limit": 2}, headers=headers)
    assert first.headers["ETag"].startswith('W/"')
    assert (second.status_code, second.headers["ETag"]) == (304, first.headers["ETag"])
    other = await desk.client.get(URL, params={"upto": 5, "limit": 3}, headers=headers)
    assert other.status_code == 200


async def test_a_head_is_a_get_without_its_body(desk: Desk) -> None:
    got = await desk.client.get(URL)
    headed = await desk.client.head(URL)
    assert (headed.status_code, headed.content) == (200, b"")
    assert {n: headed.headers[n] for n in ("ETag", "Content-Length")} == {
        n: got.headers[n] for n in ("ETag", "Content-Length")
    }


async def test_a_version_stands_in_the_etag(desk: Desk) -> None:
    response = await desk.client.get("/v1/plans/notes/a")
    assert response.content == b'{"subject":"a","amount":0.10}'
    tag = response.headers["ETag"]
    assert tag.startswith('"v7-')
    headers = {**desk.whole.admin, "If-Match": tag}
    written = await desk.client.put("/v1/plans/notes/a", json={"subject": "a", "text": "x"}, headers=headers)
    assert written.json()["asked"] == 7
    assert "Entity-Version" not in written.headers
    for odd in ("*", f"W/{tag}", '"v' + "9" * 5000 + '"'):
        refused = await desk.client.put(
            "/v1/plans/notes/a", json={"subject": "a", "text": "x"}, headers={**headers, "If-Match": odd}
        )
        assert (refused.status_code, refused.json()["code"]) == (412, "if_match_invalid")
    headers["If-Match"] = '"guessed"'
    refused = await desk.client.put("/v1/plans/notes/a", json={"subject": "a", "text": "x"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (412, "if_match_invalid")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=0.9", "text/csv"),
        ("application/xml, application/x-ndjson", "application/x-ndjson"),
    ],
)
def test_negotiate(accept: str | None, kind: str) -> None:
    assert negotiate(accept) == kind


def test_negotiate_refuses_what_is_not_offered() -> None:
    with pytest.raises(NotAcceptable):
        negotiate("application/xml")


async def test_gzip_is_readable_by_anybody(desk: Desk) -> None:
    async with desk.client.stream(
        "GET", URL, params={"upto": 900, "limit": 900}, headers={"Accept-Encoding": "gzip"}
    ) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert len(json.loads(gzip.decompress(raw))["items"]) == 900


PARTS = Listing(select(), (), ("key", "target", "due"), parts={"target": ("name", "value")})


def test_a_csv_file_has_a_column_for_each_named_field_of_an_object() -> None:
    assert PARTS.csv_columns(("key", "target", "due")) == ["key", "target.name", "target.value", "due"]
    assert PARTS.csv_columns(("target", "target.name")) == ["target.name", "target.value"]
    assert PARTS.csv_columns(("due", "key")) == ["due", "key"]


@pytest.mark.parametrize(
    ("fields", "chosen", "row"),
    [
        ((), ("key", "target", "due"), {"key": 1, "target": {"name": "a", "value": 2}, "due": {"on": 3}}),
        (("due", "key"), ("key", "due"), {"key": 1, "due": {"on": 3}}),
        (("target.value", "key"), ("key", "target.value"), {"key": 1, "target": {"value": 2}}),
        (("target.value", "target"), ("target", "target.value"), {"target": {"name": "a", "value": 2}}),
    ],
)
def test_fields_may_name_a_part(fields: tuple[str, ...], chosen: tuple[str, ...], row: dict[str, object]) -> None:
    assert PARTS.choose(PageRequest(fields=fields)) == chosen
    assert PARTS.row({"key": 1, "target": {"name": "a", "value": 2}, "due": {"on": 3}}, chosen) == row


def test_a_part_of_nothing_is_nothing() -> None:
    assert PARTS.row({"key": 1, "target": None}, ("key", "target.name", "target.value")) == {"key": 1, "target": None}


def test_only_named_parts_can_be_asked_for() -> None:
    with pytest.raises(Refused) as refused:
        PARTS.choose(PageRequest(fields=("due.on", "target.size")))
    assert refused.value.values["fields"] == "due.on, target.size"
