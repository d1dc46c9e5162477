"""Bodies over the limit: refused with the limit named, before they are held in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator

import pytest

from chassis.telemetry import MAX_HEADER_BYTES
from tests.bad_input.refusals import ACTUALS, BUDGET, WRITES, refused
from tests.house import House

FIFTY_MB = 50 * 1024 * 1024
CHUNK = b" " * 65536
AS_JSON = {"Content-Type": "application/json"}


async def stream(size: int) -> AsyncIterator[bytes]:
    """A body without a declared length."""
    for _ in range(size // len(CHUNK)):
        yield CHUNK


@pytest.mark.parametrize(("method", "path"), [write for write in WRITES if write[1] != ACTUALS])
async def test_fifty_megabytes_are_refused_with_the_limit(five_plans: House, method: str, path: str) -> None:
    vi, en = await refused(
        five_plans, method, path, status=413, code="body_too_large", headers=AS_JSON, content=b" " * FIFTY_MB
    )
    limit = five_plans.settings.max_document_bytes
    assert vi["detail"] == f"Nội dung vượt giới hạn {limit} byte."
    assert en["detail"] == f"The body is over the limit of {limit} bytes."


async def test_a_body_without_a_length_is_counted_while_it_comes(five_plans: House) -> None:
    for language in ("vi", "en"):
        headers = {**five_plans.admin, **AS_JSON, "Accept-Language": language}
        response = await five_plans.client.put(BUDGET, content=stream(FIFTY_MB), headers=headers)
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("length", ["-1", "abc", "99999999999999999999", "0x10", "1e9"])
async def test_a_false_length_does_no_harm(five_plans: House, length: str) -> None:
    headers = {**five_plans.admin, **AS_JSON, "Content-Length": length}
    response = await five_plans.client.put(BUDGET, content=b'{"lines":[],', headers=headers)
    assert response.status_code in (400, 413)
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_a_large_body_is_never_held_whole(five_plans: House) -> None:
    headers = {**five_plans.admin, **AS_JSON}
    tracemalloc.start()
    response = await five_plans.client.put(BUDGET, content=stream(FIFTY_MB), headers=headers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert response.status_code == 413
    assert peak < 2 * five_plans.settings.max_document_bytes + 1024 * 1024


@pytest.mark.parametrize("path", ["/v1/plans/plans", "/v1/indicators/actuals", "/graphql", "/v1/changes", "/livez"])
async def test_headers_over_the_limit_are_refused(five_plans: House, path: str) -> None:
    plain = five_plans.client.build_request("GET", path, headers={"X-Much": ""})
    room = MAX_HEADER_BYTES - sum(len(name) + len(value) for name, value in plain.headers.raw)
    for language, said in (
        ("vi", f"Phần đầu của yêu cầu (các header cộng lại) vượt giới hạn {32 * 1024} byte."),
        ("en", f"The headers of the request together are over the limit of {32 * 1024} bytes."),
    ):
        much = {"X-Much": "x" * (room + 1 - len("Accept-Language" + language)), "Accept-Language": language}
        response = await five_plans.client.get(path, headers=much)
        assert response.headers["Content-Type"] == "application/problem+json"
        told = response.json()
        assert (response.status_code, told["code"], told["detail"]) == (431, "headers_too_large", said)
        assert told["request_id"] == response.headers["X-Request-Id"]
        just = {**much, "X-Much": much["X-Much"][1:]}
        assert (await five_plans.client.get(path, headers=just)).status_code != 431


async def test_more_rows_than_one_post_takes_are_refused(five_plans: House) -> None:
    lines = b'{"admin_unit":"25345"}\n' * 200_001
    headers = {"Content-Type": "application/x-ndjson"}
    vi, _ = await refused(
        five_plans, "POST", ACTUALS, status=413, code="actuals_too_many", headers=headers, content=lines
    )
    assert "200000" in vi["detail"]
    assert "/v1/indicators/imports" in vi["detail"]


async def test_rows_of_more_bytes_than_one_post_takes_are_refused(five_plans: House) -> None:
    limit = five_plans.settings.max_bulk_bytes
    vi, _ = await refused(
        five_plans, "POST", ACTUALS, status=413, code="body_too_large", headers=AS_JSON, content=b" " * (limit + 1)
    )
    assert vi["detail"] == f"Nội dung vượt giới hạn {limit} byte."


async def test_a_list_longer_than_its_field_takes_is_refused(five_plans: House) -> None:
    line = {"key": "A", "title_vi": "T", "amount_vnd": 1, "expenditure_kind": "recurrent"}
    await refused(
        five_plans, "PUT", BUDGET, status=422, code="body_invalid", place="/lines", json={"lines": [line] * 2001}
    )
    long = {**line, "title_vi": "T" * 4001}
    place = "/lines/0/title_vi"
    vi, _ = await refused(
        five_plans, "PUT", BUDGET, status=422, code="body_invalid", place=place, json={"lines": [long]}
    )
    assert vi["errors"][0]["message"] == "Giá trị không hợp lệ: dài hơn 4000 ký tự."
    assert len(vi["errors"][0]["value"]) < 300, "a long value is not echoed whole"
