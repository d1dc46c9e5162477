"""One caller's appetite never starves another; what is used up comes back with time."""

from __future__ import annotations

import pytest

from chassis.errors import TooManyRequests
from gateway.allowance import CALLERS_KEPT, Allowance
from tests.gateway.conftest import alone, asking
from tests.house import House


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def left(headers: object) -> int:
    return int(str(headers["RateLimit"]).split("r=")[1].split(";")[0])  # type: ignore[index]


def test_what_is_taken_is_gone_and_comes_back_with_time() -> None:
    clock = Clock()
    allowance = Allowance(600, clock)
    assert left(allowance.take("a", 500)) == 100
    with pytest.raises(TooManyRequests) as refused:
        allowance.take("a", 150)
    assert refused.value.headers == {
        "Retry-After": "5",
        "RateLimit-Policy": '"graphql-cost";q=600;w=60',
        "RateLimit": '"graphql-cost";r=100;t=50',
    }
    clock.now = 5
    assert left(allowance.take("a", 150)) == 0
    clock.now = 1_000
    assert left(allowance.take("a", 1)) == 599


def test_callers_do_not_share_and_nothing_is_free() -> None:
    allowance = Allowance(10, Clock())
    assert left(allowance.take("a", 10)) == 0
    assert left(allowance.take("b", 0)) == 9
    with pytest.raises(TooManyRequests):
        allowance.take("a", 0)


def test_memory_is_bounded() -> None:
    allowance = Allowance(10, Clock())
    for number in range(CALLERS_KEPT + 1):
        allowance.take(str(number), 10)
    assert left(allowance.take("0", 1)) == 9
    with pytest.raises(TooManyRequests):
        allowance.take(str(CALLERS_KEPT), 1)


async def test_a_forged_token_buys_no_new_allowance() -> None:
    async with asking(alone(graphql_cost_per_minute=3)) as client:
        for token in ("one", "two", "three"):
            response = await client.post(
                "/graphql", json={"query": "{__typename}"}, headers={"Authorization": f"Bearer {token}"}
            )
            assert response.status_code == 200
        response = await client.post("/graphql", json={"query": "{__typename}"}, headers={"Accept-Language": "en"})
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "20"
    assert response.json() == {
        "errors": [
            {
                "message": "The allowance of 3 objects a minute is used up; try again in 20 seconds.",
                "extensions": {"code": "graphql_cost_exhausted"},
            }
        ]
    }


async def test_a_client_is_known_by_its_token(five_plans: House) -> None:
    async def ask(client_id: str) -> int:
        headers = five_plans.headers("plans:read", client_id=client_id)
        body = {"query": "{communes(first: 10){nodes{code}}}"}
        return left((await five_plans.client.post("/graphql", json=body, headers=headers)).headers)

    first = await ask("dashboard-a")
    assert first == 1_000_000 - 11
    assert await ask("dashboard-b") == 1_000_000 - 11
    assert await ask("dashboard-a") <= first
