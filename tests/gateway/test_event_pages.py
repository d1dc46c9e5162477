"""The events of the whole house at one address, whether services live here or behind URLs."""

from __future__ import annotations

from typing import Any

import httpx2
from starlette.responses import Response

from chassis.asyncapi import EXTENSION
from tests.contracts.snapshots import ASYNCAPI, asyncapi_document, text_of
from tests.gateway.conftest import alone, asking
from tests.gateway.shapes import Served
from tests.house import House

ADDRESS = "/docs/events/asyncapi.json"


async def test_the_gateway_serves_what_is_written_down(served: Served) -> None:
    answer = await served.client.get(ADDRESS)
    assert answer.headers["Content-Type"] == "application/json"
    document: dict[str, Any] = answer.json()
    assert document["info"].pop(EXTENSION) == {"away": []}
    assert text_of(document) == ASYNCAPI.read_text(encoding="utf-8")


async def test_a_service_serves_its_own_part(served: Served) -> None:
    document = (await served.client.get("/v1/budget/asyncapi.json")).json()
    whole = asyncapi_document()
    assert set(document["channels"]) == {name for name in whole["channels"] if name.startswith("budget.")}
    for name, message in document["components"]["messages"].items():
        assert whole["components"]["messages"][name] == message


async def test_types_are_listed_in_either_language(five_plans: House) -> None:
    listed = (await five_plans.client.get("/v1/plans/event-schemas", headers={"Accept-Language": "en"})).json()["items"]
    assert [row["title"] for row in listed][:2] == [
        "An administrative unit changed.",
        "An office of a unit was added or changed.",
    ]
    vietnamese = (await five_plans.client.get("/v1/plans/event-schemas")).json()["items"]
    assert [row["type"] for row in vietnamese] == [row["type"] for row in listed]
    assert vietnamese[0]["title"] == "Đơn vị hành chính thay đổi"
    for row in listed:
        schema = await five_plans.client.get(row["dataschema"])
        assert schema.headers["Content-Type"] == "application/schema+json"


async def test_an_unknown_type_is_told(five_plans: House) -> None:
    answer = await five_plans.client.get("/v1/plans/event-schemas/vn.chitieu.budget.lines.applied.v1")
    assert (answer.status_code, answer.json()["code"]) == (404, "event_type_unknown")


async def test_services_out_of_reach_are_named_and_left_out(five_plans: House) -> None:
    app = alone(indicators_url="http://127.0.0.1:9")
    app.house.peers.attach("plans", five_plans.composition.services["plans"])
    app.house.peers.attach("budget", Response("<html>", media_type="text/html"))
    async with asking(app) as client:
        answer = await client.get(ADDRESS)
    document = answer.json()
    assert document["info"][EXTENSION] == {"away": ["indicators", "budget"]}
    assert {name.split(".")[0] for name in document["channels"]} == {"plans", "changes"}
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_without_any_service_the_page_stands_and_the_document_is_unavailable(gateway: httpx2.AsyncClient) -> None:
    page = await gateway.get("/docs/events")
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    answer = await gateway.get(ADDRESS)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    assert answer.headers["Retry-After"] == "1"
