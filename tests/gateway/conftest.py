"""A gateway alone (no service answers), and ways to ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from joserfc.jwk import OKPKey

from chassis.auth import Verifier
from chassis.house import House
from chassis.peers import Peers
from chassis.settings import Settings
from gateway.app import build_gateway
from tests.gateway.shapes import Served, separate


def alone(**settings: Any) -> Any:
    """The gateway's application, with no service in this process and none behind a URL."""
    read = Settings(**settings)
    return build_gateway(House(read, verifier=Verifier(read), peers=Peers(read)))


def asking(app: Any) -> httpx2.AsyncClient:
    """A client of an application of this process."""
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://door", trust_env=False)


@pytest.fixture
async def gateway() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a gateway whose services are all away."""
    async with asking(alone()) as client:
        yield client


@pytest.fixture(scope="session")
async def apart(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[Served]:
    """The gateway before three services with a database each, reached by URL."""
    async with separate(admin_url, signing_key, reference_template) as made:
        yield made


@pytest.fixture(scope="session", params=["one application", "four applications"])
def served(request: pytest.FixtureRequest, five_plans: Any, apart: Served) -> Served:
    """The gateway before the five plans, in either shape."""
    if request.param == "four applications":
        return apart
    return Served(five_plans.client, five_plans.admin, house=five_plans)
