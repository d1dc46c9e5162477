"""How a refusal must look, whatever is wrong: its code and place, both languages, and nothing written."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from fastapi.routing import APIRoute

from chassis.settings import SERVICES
from chitieu.compose import service_of
from tests.house import House

PLAN = "25345-2026-digital-transformation-st-innovation"
BUDGET = f"/v1/budget/lines/{PLAN}"
ACTUALS = "/v1/indicators/actuals"
IMPORT = "0190aaaa-0000-7000-8000-000000000000"
SAMPLES = {"plan_key": PLAN, "admin_unit": "25345", "code": "25345", "import_id": IMPORT}

# Bytes as they are, or nothing at all: tested where they live.
NO_DOCUMENT = {
    ("PATCH", "/v1/indicators/imports/{import_id}"),
    ("POST", "/v1/indicators/imports/{import_id}/cancel"),
}

# What must never leave the house, whatever went wrong inside.
INSIDES = ("Traceback", "sqlalchemy", "asyncpg", "pydantic", 'File "', "SELECT ", "INSERT ", "/chassis/", "/services/")


def routes(*, writing: bool) -> Iterator[tuple[str, str]]:
    """Method and path of every route that reads, or that writes a document, with codes of the demo data filled in."""
    for name in SERVICES:
        for route in service_of(name).router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods):
                if (method != "GET") is writing and (method, route.path) not in NO_DOCUMENT:
                    yield method, route.path.format(**SAMPLES)


READS = [path for _, path in routes(writing=False)]
WRITES = list(routes(writing=True))


@contextlib.asynccontextmanager
async def nothing_written(house: House) -> AsyncIterator[None]:
    """Every table of every service has as many rows after the block as before, but for the followers' cursors."""
    before = {name: await house.rows(name) for name in SERVICES}
    yield
    after = {name: await house.rows(name) for name in SERVICES}
    for name in SERVICES:
        assert {**after[name], "follower": 0} == {**before[name], "follower": 0}


async def refused(
    house: House,
    method: str,
    path: str,
    *,
    status: int,
    code: str,
    place: str | None = None,
    headers: Mapping[str, str] | None = None,
    **sent: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send a request that must be refused, in both languages; answers both problems (vi, en).

    `place` is the pointer, or the column, of the first fault.
    """
    given = {**house.admin, "Idempotency-Key": "bad-input", **(headers or {})}
    problems = []
    async with nothing_written(house):
        for language in ("vi", "en"):
            response = await house.client.request(method, path, headers={**given, "Accept-Language": language}, **sent)
            problems.append(read_problem(response, status, code, language))
    vi, en = problems
    assert vi["title"] != en["title"]
    assert vi["detail"] != en["detail"]
    if place is not None:
        for problem in problems:
            fault = problem["errors"][0]
            assert fault.get("pointer", fault.get("column")) == place
            assert fault["message"]
        assert vi["errors"][0]["message"] != en["errors"][0]["message"]
    return vi, en


def read_problem(response: Any, status: int, code: str, language: str) -> dict[str, Any]:
    """The problem of a response, in the house's one form."""
    assert response.status_code == status, response.text[:500]
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Content-Language"] == language
    assert response.headers["Cache-Control"] == "no-store"
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"]) == (status, code), response.text[:500]
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert problem["type"].endswith(f"/problems/{code}")
    assert problem["instance"] == response.request.url.path
    for inside in INSIDES:
        assert inside not in response.text
    return problem
