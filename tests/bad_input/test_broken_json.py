"""Bodies that are no JSON, no UTF-8, or nested beyond reason: unreadable, and nothing is written."""

from __future__ import annotations

import json

import pytest

from tests.bad_input.refusals import BUDGET, WRITES, refused
from tests.house import House

AS_JSON = {"Content-Type": "application/json"}
DEEP = 100_000
LINE = b'{"lines":[{"key":"A","title_vi":"%s","amount_vnd":1,"expenditure_kind":"recurrent"}]}'

UNREADABLE = {
    "nothing": b"",
    "blanks": b" \n ",
    "cut off": b'{"lines":[',
    "trailing comma": b'{"lines":[],}',
    "single quotes": b"{'lines':[]}",
    "a comment": b'{"lines":[]} // all',
    "two documents": b'{"lines":[]}{"lines":[]}',
    "NaN": b'{"lines":[],"groups":NaN}',
    "Infinity": b'{"lines":[],"groups":-Infinity}',
    "leading zeros": b'{"lines":[],"groups":007}',
    "raw line break in text": LINE % b"a\nb",
    "BOM": b"\xef\xbb\xbf" + b'{"lines":[]}',
    "UTF-16": '{"lines":[]}'.encode("utf-16"),
    "Latin-1": LINE % b"T\xe2n H\xfdng",
    "invalid UTF-8": LINE % b"\xc3\x28",
    "overlong UTF-8": LINE % b"\xc0\xaf",
    "lone surrogate, raw": LINE % b"\xed\xa0\x80",
    "lone surrogate, escaped": LINE % b"\\ud800",
    "unknown escape": LINE % b"\\q",
    "deep lists": b'{"lines":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and cut off": b"[" * DEEP,
    "a table": "key;số tiền\nA;1.000".encode(),
    "a page": b"<html><body>hello</body></html>",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_no_json_is_unreadable(five_plans: House, content: bytes) -> None:
    await refused(five_plans, "PUT", BUDGET, status=400, code="body_unreadable", headers=AS_JSON, content=content)


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_every_write_refuses_broken_json(five_plans: House, method: str, path: str) -> None:
    content = b'{"admin_units": [}'
    await refused(five_plans, method, path, status=400, code="body_unreadable", headers=AS_JSON, content=content)


@pytest.mark.parametrize(("method", "path"), [pair for pair in WRITES if pair[1] != "/v1/indicators/actuals"])
@pytest.mark.parametrize("content", ["[]", '"text"', "1", "null", "true"])
async def test_json_of_another_shape_is_refused_at_its_root(
    five_plans: House, method: str, path: str, content: str
) -> None:
    await refused(five_plans, method, path, status=422, code="body_invalid", headers=AS_JSON, content=content)


async def test_of_two_equal_names_the_last_one_counts(five_plans: House) -> None:
    content = b'{"lines":[],"lines":[{"key":"A"}]}'
    problem, _ = await refused(
        five_plans, "PUT", BUDGET, status=422, code="body_invalid", headers=AS_JSON, content=content
    )
    assert {fault["pointer"].split("/")[1] for fault in problem["errors"]} == {"lines"}


async def test_a_thousand_faults_are_listed_and_the_rest_is_counted(five_plans: House) -> None:
    content = json.dumps({"lines": [{"key": f"A{n}", "amount_vnd": 0} for n in range(600)]})
    problem, _ = await refused(
        five_plans, "PUT", BUDGET, status=422, code="body_invalid", headers=AS_JSON, content=content
    )
    assert (len(problem["errors"]), problem["errors_total"]) == (1000, 1800)
