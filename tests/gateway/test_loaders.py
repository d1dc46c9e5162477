"""What is asked in one layer travels together, in calls of bounded length; each key keeps its own outcome."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.clients import Params, Row, Services, UpstreamAway
from gateway.loaders import KEYS_OF_ONE_CALL, UNITS, ListOf, Loaders

RENAMED = ListOf("plans", "/v1/plans/admin-units", "province_code", "province")


class Asked(Services):
    """Answers a row per key, and notes what was asked."""

    def __init__(self) -> None:
        self.params: list[dict[str, Any]] = []

    async def rows(self, service: str, path: str, params: Params) -> list[Row]:
        """One row per key; the key "away" is never answered."""
        self.params.append(dict(params))
        name = "code" if "code" in params else "province"
        field = {"code": "code", "province": "province_code"}[name]
        keys: Any = params[name]
        if "away" in keys:
            raise UpstreamAway(service, retryable=True, reason="test")
        return [{field: key, "year": params.get("year")} for key in keys if key != "none"]


async def test_one_layer_is_one_call_and_a_key_is_asked_once() -> None:
    services = Asked()
    loaders = Loaders(services)
    found = await asyncio.gather(*(loaders.first(UNITS, key) for key in ("1", "2", "1", "none")))
    assert found == [{"code": "1", "year": None}, {"code": "2", "year": None}, {"code": "1", "year": None}, None]
    assert services.params == [{"code": ["1", "2", "none"]}]
    await loaders.first(UNITS, "2")
    assert len(services.params) == 1


async def test_other_filters_are_another_call_and_absent_ones_are_none() -> None:
    services = Asked()
    loaders = Loaders(services)
    await asyncio.gather(
        loaders.rows(UNITS, "1", year=2026), loaders.rows(UNITS, "1"), loaders.rows(UNITS, "1", year=None)
    )
    assert services.params == [{"code": ["1"], "year": 2026}, {"code": ["1"]}]


async def test_the_filter_may_have_another_name_than_the_field() -> None:
    services = Asked()
    assert await Loaders(services).rows(RENAMED, "75") == [{"province_code": "75", "year": None}]
    assert services.params == [{"province": ["75"]}]


async def test_calls_are_of_bounded_length() -> None:
    services = Asked()
    loaders = Loaders(services)
    keys = [str(number) for number in range(KEYS_OF_ONE_CALL + 1)]
    found = await asyncio.gather(*(loaders.first(UNITS, key) for key in keys))
    assert [row["code"] for row in found if row] == keys
    assert [len(params["code"]) for params in services.params] == [KEYS_OF_ONE_CALL, 1]


async def test_a_failed_call_fails_its_own_keys_only() -> None:
    loaders = Loaders(Asked())
    outcomes = await asyncio.gather(
        loaders.rows(UNITS, "away", year=1), loaders.rows(UNITS, "1", year=2), return_exceptions=True
    )
    assert isinstance(outcomes[0], UpstreamAway)
    assert outcomes[1] == [{"code": "1", "year": 2}]


async def test_a_cancelled_neighbour_does_not_cancel_what_others_wait_for() -> None:
    loaders = Loaders(Asked())
    gone = asyncio.create_task(loaders.first(UNITS, "1"))
    stays = asyncio.create_task(loaders.first(UNITS, "1"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == {"code": "1", "year": None}
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_what_is_known_is_not_asked() -> None:
    services = Asked()
    loaders = Loaders(services)
    loaders.prime(UNITS, "1", [{"code": "1"}], year=2026)
    assert await loaders.first(UNITS, "1", year=2026) == {"code": "1"}
    assert services.params == []
