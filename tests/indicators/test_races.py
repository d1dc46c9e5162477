"""The catalogue and the regimes do not change under a post or a set of targets that relies on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from chassis.tabular import Body
from services.indicators.domain.actuals.titles import TITLES
from services.indicators.schemas.targets import TargetsBody
from services.indicators.service import actuals
from services.indicators.service import targets as service
from services.indicators.service.applying import Terms
from services.indicators.service.terms import PostTerms
from tests.house import House
from tests.indicators.given import CATALOGUE, ENTRIES, PLAN, REGIMES, STATE, TARGETS, post, row, target


async def no_news(_db: Any) -> None:
    """Nothing has happened elsewhere."""


def body_of(*rows: dict[str, Any]) -> Body:
    """Rows as they are posted."""
    return Body(json.dumps(rows).encode(), "application/json", TITLES)


async def waits(work: Awaitable[Any]) -> asyncio.Future[Any]:
    """Start some work, and see that it does not get through."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=0.4)
    assert not done
    return task


def prune_catalogue(house: House, code: str) -> Awaitable[Any]:
    left = {"indicators": [each for each in ENTRIES if each["code"] != code]}
    return house.client.put(CATALOGUE, json=left, params={"prune": "true"}, headers=house.admin)


async def test_a_code_is_not_pruned_while_a_figure_is_posted_for_it(stocked: House) -> None:
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(indicator="WIFI_POINTS", value=3)), terms)
        task = await waits(prune_catalogue(stocked, "WIFI_POINTS"))
    response = await task
    assert (response.status_code, response.json()["code"]) == (409, "indicator_in_use")


async def test_a_code_is_not_pruned_while_a_target_is_set_for_it(stocked: House) -> None:
    wifi = target("X", indicator="WIFI_POINTS", value_type="count", comparator="gte", value=15)
    body = TargetsBody.model_validate({"targets": [target(), wifi]}, strict=False)
    async with stocked.database("indicators").write() as db:
        await service.apply_targets(db, stocked.caller(), PLAN, body, Terms(no_news, correction="Nhập sót"))
        task = await waits(prune_catalogue(stocked, "WIFI_POINTS"))
    response = await task
    assert (response.status_code, response.json()["code"]) == (409, "indicator_in_use")


async def test_periods_do_not_move_while_a_figure_is_posted_into_one(stocked: House) -> None:
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(value=85)), terms)
        moved = {"regimes": [{**STATE, "opens_on_day": 10}]}
        task = await waits(stocked.client.put(REGIMES, json=moved, headers=stocked.admin))
    response = await task
    assert (response.status_code, response.json()["code"]) == (409, "regime_in_use")


async def test_posts_of_different_units_do_not_wait_for_each_other(stocked: House) -> None:
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(value=85)), terms)
        assert (await post(stocked, row(admin_unit="26434"))).status_code == 200
        unchanged = await stocked.client.put(TARGETS, json={"targets": [target()]}, headers=stocked.admin)
        assert unchanged.status_code == 200
