"""Calls that many tests make."""

from __future__ import annotations

import uuid
from typing import Any

from httpx2 import Response

from tests.house import House
from tests.plans.factories import PLAN_KEY, make_plan

WRITER = "plans:read plans:write changes:read"


def writer(house: House, *units: str) -> dict[str, str]:
    """A caller who writes the plans of some units."""
    return house.headers(WRITER, units or ("25378",))


async def put_plan(
    house: House,
    body: dict[str, Any] | None = None,
    *,
    headers: dict[str, str] | None = None,
    key: str = PLAN_KEY,
    **params: Any,
) -> Response:
    """Record a plan."""
    content = make_plan() if body is None else body
    return await house.client.put(f"/v1/plans/{key}", json=content, headers=headers or house.admin, params=params)


async def act(
    house: House,
    deed: str,
    body: dict[str, Any] | None = None,
    *,
    headers: dict[str, str] | None = None,
    key: str = PLAN_KEY,
    **params: Any,
) -> Response:
    """State an act of a plan's life."""
    sent = {"Idempotency-Key": str(uuid.uuid4()), **(headers or house.admin)}
    return await house.client.post(f"/v1/plans/{key}/{deed}", json=body or {}, headers=sent, params=params)


async def get(house: House, path: str, headers: dict[str, str] | None = None, **params: Any) -> Any:
    """The body of a reply that must be good."""
    response = await house.client.get(
        f"/v1/plans{path}", headers=house.admin if headers is None else headers, params=params
    )
    assert response.status_code == 200, response.text
    return response.json()


async def items(house: House, path: str, headers: dict[str, str] | None = None, **params: Any) -> list[Any]:
    """Every row of a list, page by page."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(house, path, headers, **params, **cursor)
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


async def events(house: House, headers: dict[str, str] | None = None) -> list[Any]:
    """Everything that has been announced, as a caller hears it."""
    await house.sequence()
    response = await house.client.get(
        "/v1/plans/changes", params={"limit": 1000}, headers=house.admin if headers is None else headers
    )
    assert response.status_code == 200, response.text
    return list(response.json()["items"])


def places(response: Response) -> list[tuple[str, Any]]:
    """Code and place of every fault of a problem."""
    found = response.json().get("errors", [])
    return [(e["code"], e.get("pointer") or (e.get("row"), e.get("column"))) for e in found]


def refusal(response: Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"]
