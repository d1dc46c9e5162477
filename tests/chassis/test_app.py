"""What every application has: pages of other origins, a time limit, readiness, metrics."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from fastapi import FastAPI

from chassis.app import wrap
from chassis.auth import Verifier
from chassis.house import House
from chassis.peers import Peers
from chassis.problems import install_problems
from chassis.settings import Settings
from tests.chassis.conftest import Desk

ORIGIN = {"Origin": "https://dashboard.example"}


def bare(**settings: Any) -> httpx2.AsyncClient:
    read = Settings(**settings)
    app = FastAPI(openapi_url=None)
    app.state.house = House(read, verifier=Verifier(read), peers=Peers(read))
    install_problems(app, "/v1/plans")

    async def sleep() -> str:
        await asyncio.sleep(60)
        return "never"

    async def fail() -> str:
        raise RuntimeError("nobody foresaw this")

    app.add_api_route("/sleep", sleep)
    app.add_api_route("/fail", fail)
    wrap(app, "bare", "/v1/plans")
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://bare", trust_env=False)


async def test_pages_of_other_origins_read_what_is_public(desk: Desk) -> None:
    response = await desk.client.get("/v1/plans/numbers", headers=ORIGIN)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Changes-Cursor" in response.headers["Access-Control-Expose-Headers"]
    asked = {**ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    preflight = await desk.client.options("/v1/plans/numbers", headers=asked)
    assert preflight.status_code == 200
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


async def test_without_public_reading_only_listed_origins_read() -> None:
    async with bare() as closed, bare(cors_origins="https://dashboard.example") as listed:
        assert "Access-Control-Allow-Origin" not in (await closed.get("/none", headers=ORIGIN)).headers
        known = await listed.get("/none", headers=ORIGIN)
        assert known.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
        other = await listed.get("/none", headers={"Origin": "https://elsewhere.example"})
        assert "Access-Control-Allow-Origin" not in other.headers


async def test_what_nobody_foresaw_is_a_problem_without_details() -> None:
    async with bare() as client:
        response = await client.get("/fail")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "foresaw" not in response.text


async def test_a_request_that_takes_too_long_is_told_so() -> None:
    async with bare(request_timeout_seconds=0.05) as client:
        response = await client.get("/sleep")
    assert (response.status_code, response.json()["code"]) == (503, "request_timed_out")
    assert response.headers["Retry-After"] == "5"


async def test_readiness_knows_the_migrations(desk: Desk) -> None:
    assert (await desk.client.get("/readyz")).json() == {"status": "ok"}
    desk.house.revision = "another"
    behind = await desk.client.get("/readyz")
    assert (behind.status_code, behind.json()["code"]) == (503, "not_ready")
    assert "another" in behind.json()["detail"]


async def test_metrics_show_where_the_log_stands(desk: Desk) -> None:
    await desk.post("x", key="1")
    await desk.sequence()
    text = (await desk.client.get("/metrics")).text
    assert 'chitieu_event_log_position{service="plans"} 1.0' in text
    assert 'chitieu_requests_total{method="POST",route="/v1/plans/notes",service="plans",status="201"}' in text
