"""Arguments: an empty selection fits nothing, and what is too long or unreadable is the caller's mistake."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.settings import SERVICES
from gateway.clients import selects_nothing
from tests.gateway.test_faults import before

EMPTY = (
    "communes(code: []){nodes{code}}",
    "communes(type: []){nodes{code}}",
    "communes(type: [PROVINCE]){nodes{code}}",
    'communes(code: ["", " "]){nodes{code}}',
    'communes(province: ""){nodes{code}}',
    "plans(adminUnit: []){nodes{planKey}}",
    "plans(status: []){nodes{planKey}}",
    "indicators(pillar: []){nodes{code}}",
    "indicators(valueType: []){nodes{code}}",
    "actuals(adminUnit: []){nodes{period}}",
    "actuals(indicator: []){nodes{period}}",
    "budget(adminUnit: []){lines{nodes{key}}}",
    "budget(planKey: []){groups{nodes{key}}}",
    "budget{lines(pillar: []){nodes{key}}}",
    "budget{lines(office: []){nodes{key}}}",
)
LONG = "x" * 90_000
WRONG = (
    (f'communes(code: ["{LONG}"]){{nodes{{code}}}}', "argument_too_long"),
    (f'commune(code: "{LONG}"){{code}}', "argument_too_long"),
    (f'communes(q: "{"x" * 201}"){{nodes{{code}}}}', "argument_too_long"),
    (f'node(id: "{LONG}"){{id}}', "argument_too_long"),
    ('commune(code: "\\u0000"){code}', "argument_unreadable"),
    ('communes(code: ["1", "2\\n"]){nodes{code}}', "argument_unreadable"),
    (f"communes(code: {str(['1'] * 201).replace(chr(39), chr(34))}){{nodes{{code}}}}", "argument_list_too_long"),
    (f"communes(code: {str(['ệ' * 200] * 100).replace(chr(39), chr(34))}){{nodes{{code}}}}", "arguments_too_long"),
    ("changes(service: PLANS, first: 1000){next}", "first_out_of_range"),
    ("changes(service: PLANS, first: 0){next}", "first_out_of_range"),
)


class Counted:
    """Three services that answer every list with one row, and how often they were asked."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        app = Starlette(routes=[Route("/{path:path}", self._answer)])
        self.services: dict[str, Any] = dict.fromkeys(SERVICES, app)

    async def _answer(self, request: Request) -> Response:
        self.queries.append(request.url.query)
        return JSONResponse({"items": [{"code": "26491"}], "next": "1.7", "head": "1.9"})


async def ask(client: httpx2.AsyncClient, field: str) -> Any:
    response = await client.post("/graphql", json={"query": "{" + field + "}"}, headers={"Accept-Language": "en"})
    return response.json()


@pytest.mark.parametrize("field", EMPTY)
async def test_an_empty_selection_fits_nothing_and_asks_nobody(field: str) -> None:
    counted = Counted()
    async with before(counted.services) as client:
        answer = await ask(client, field)
    assert "errors" not in answer
    assert "[]" in str(answer["data"])
    assert counted.queries == []


async def test_a_feed_without_any_kind_of_change_goes_to_its_head() -> None:
    counted = Counted()
    async with before(counted.services) as client:
        answer = await ask(client, "changes(service: PLANS, types: []){items{id} next head}")
    assert answer["data"] == {"changes": {"items": [], "next": "1.9", "head": "1.9"}}
    assert counted.queries == ["limit=1"]


@pytest.mark.parametrize(("field", "code"), WRONG)
async def test_bad_arguments_are_told_as_such(field: str, code: str) -> None:
    counted = Counted()
    async with before(counted.services, graphql_max_body_bytes=200_000) as client:
        answer = await ask(client, field)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == code
    assert counted.queries == []


async def test_words_of_nothing_and_absent_filters_select_everything() -> None:
    assert not selects_nothing({"q": "", "province": None, "year": 0})
    assert selects_nothing({"q": "x", "code": ()})
