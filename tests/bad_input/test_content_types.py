"""Bodies of another kind: refused with what is accepted, never guessed."""

from __future__ import annotations

import gzip

import pytest

from tests.bad_input.refusals import ACTUALS, BUDGET, WRITES, refused
from tests.house import House

KINDS = [
    "",
    "text/plain",
    "text/html",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/jsonp",
    "json",
    ";;",
]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_does_not_call_itself_json_is_not_read(five_plans: House, kind: str) -> None:
    vi, en = await refused(
        five_plans,
        "PUT",
        BUDGET,
        status=415,
        code="media_unsupported",
        headers={"Content-Type": kind},
        content=b'{"lines":[]}',
    )
    assert "application/json" in vi["detail"]
    assert "application/json" in en["detail"]


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_every_write_names_what_it_reads(five_plans: House, method: str, path: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    await refused(five_plans, method, path, status=415, code="media_unsupported", headers=headers, content=b"a=1")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-bogus", "gzip, gzip"])
async def test_a_packed_body_is_not_unpacked(five_plans: House, encoding: str) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    await refused(five_plans, "PUT", BUDGET, status=415, code="media_unsupported", headers=headers, content=bomb)


@pytest.mark.parametrize(("method", "path"), [write for write in WRITES if write[1] != ACTUALS])
async def test_no_other_write_unpacks_a_body(five_plans: House, method: str, path: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    content = gzip.compress(b" " * 1_000_000)
    await refused(five_plans, method, path, status=415, code="media_unsupported", headers=headers, content=content)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON"]
)
async def test_json_by_its_usual_names_is_read(five_plans: House, kind: str) -> None:
    headers = {"Content-Type": kind}
    await refused(five_plans, "PUT", BUDGET, status=400, code="body_unreadable", headers=headers, content=b"{")
