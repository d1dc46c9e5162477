"""The gateway before services it reaches by URL alone, each with a database of its own."""

from __future__ import annotations

import httpx2
import pytest

from tests.gateway.shapes import Served


@pytest.mark.parametrize(
    ("service", "path", "number"),
    [("plans", "plans", 5), ("indicators", "indicators/targets", 159), ("budget", "budget/lines", 29)],
)
async def test_the_gateway_serves_what_the_service_holds(apart: Served, service: str, path: str, number: int) -> None:
    async with httpx2.AsyncClient(headers=apart.headers, trust_env=False) as client:
        own = (await client.get(f"{apart.urls[service]}/v1/{path}?limit=1000")).json()["items"]
        assert (await client.get(f"{apart.urls['gateway']}/v1/{path}?limit=1000")).json()["items"] == own
    assert len(own) == number


async def test_every_application_is_ready(apart: Served) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        for url in apart.urls.values():
            assert (await client.get(f"{url}/readyz")).json() == {"status": "ok"}
