"""What cannot be read, is too large, or names what is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.chassis.conftest import Desk

URL = "/v1/plans/notes"


async def send(desk: Desk, content: Any, **headers: str) -> Any:
    every = {**desk.whole.admin, "Idempotency-Key": "k", "Content-Type": "application/json", **headers}
    return await desk.client.post(URL, content=content, headers=every)


BROKEN = {
    "cut off": b"{",
    "no value": b'{"a":}',
    "not UTF-8": b"\xff\xfe",
    "lone surrogate": b'"\xed\xa0\x80"',
    "nested too deep": b"[" * 50_000,
    "trailing comma": b'{"subject":"a",}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
async def test_broken_json_is_unreadable(desk: Desk, content: bytes) -> None:
    response = await send(desk, content)
    assert response.status_code == 400
    assert response.json()["code"] == "body_unreadable"
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_decimals_stay_exact_and_text_becomes_nfc(desk: Desk) -> None:
    content = '{"subject":"a","text":"Tân","inner":[{"amount":0.1000000000000000000000001},{"amount":1e2}]}'
    response = await send(desk, content.encode())
    assert response.json()["text"] == "Tân"
    assert b'"amounts":[0.1000000000000000000000001,1E+2]' in response.content


async def test_an_unknown_field_is_named_with_the_nearest_one(desk: Desk) -> None:
    response = await send(desk, b'{"subject":"a","text":"b","due":1,"inner":[{"amont":1}]}')
    assert response.status_code == 422
    body = response.json()
    assert body["code"] == "body_invalid"
    assert {(e["code"], e["pointer"]) for e in body["errors"]} == {
        ("field_unknown", "/due"),
        ("field_unknown", "/inner/0/amont"),
    }
    messages = {e["pointer"]: e["message"] for e in body["errors"]}
    assert messages["/inner/0/amont"] == "Không có trường amont. Có phải là amount?"


async def test_a_missing_field_and_a_wrong_kind_have_their_place(desk: Desk) -> None:
    response = await send(desk, b'{"text":"b","due_on":"2026-13-01"}', **{"Accept-Language": "en"})
    faults = {(e["code"], e["pointer"]) for e in response.json()["errors"]}
    assert faults == {("field_missing", "/subject"), ("field_invalid", "/due_on")}
    assert response.headers["Content-Language"] == "en"
    assert response.json()["title"] == "Refused by a rule"
    assert response.json()["errors_total"] == 2


async def test_nul_is_refused_with_its_place(desk: Desk) -> None:
    response = await send(desk, b'{"subject":"a","text":"b\\u0000c"}')
    assert response.status_code == 422
    assert [(e["code"], e["pointer"]) for e in response.json()["errors"]] == [("text_has_nul", "/text")]


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Content-Encoding": "gzip"}]
)
async def test_what_is_not_json_is_not_read(desk: Desk, headers: dict[str, str]) -> None:
    response = await send(desk, b"{}", **headers)
    assert (response.status_code, response.json()["code"]) == (415, "media_unsupported")


async def test_a_declared_giant_is_refused_unread(desk: Desk) -> None:
    response = await send(desk, b" " * 100_001)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert "100000" in response.json()["detail"]


async def test_an_undeclared_giant_is_cut_off(desk: Desk) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 10_000
            yield b" " * 10_000

    response = await send(desk, endless())
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


async def test_an_unknown_parameter_is_refused_with_a_suggestion(desk: Desk) -> None:
    response = await desk.client.get("/v1/plans/numbers", params={"limt": 3})
    assert (response.status_code, response.json()["code"]) == (422, "parameter_unknown")
    assert response.json()["errors"][0]["column"] == "limt"
    assert "limit" in response.json()["errors"][0]["message"]


async def test_no_address_no_page_of_html(desk: Desk) -> None:
    missing = await desk.client.get("/v1/plans/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    method = await desk.client.delete("/v1/plans/numbers")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")
    assert method.headers["Allow"] == "GET"


async def test_every_problem_has_a_page(desk: Desk) -> None:
    missing = (await desk.client.get("/v1/plans/nothing")).json()
    page = await desk.client.get(missing["type"])
    assert page.json()["code"] == "not_found"


async def test_request_ids_come_back(desk: Desk) -> None:
    given = await desk.client.get("/v1/plans/nothing", headers={"X-Request-Id": "abc-1"})
    assert given.headers["X-Request-Id"] == given.json()["request_id"] == "abc-1"
    odd = await desk.client.get("/livez", headers={"X-Request-Id": "a b"})
    assert len(odd.headers["X-Request-Id"]) == 32
