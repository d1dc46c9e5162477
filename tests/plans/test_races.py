"""Lists that a write relies on do not change under it: units and offices wait for plans, and plans for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

from services.plans.schemas.plans import PlanBody
from services.plans.service import plans as service
from services.plans.service.plans import Terms
from tests.house import House
from tests.plans.calls import put_plan, refusal
from tests.plans.factories import PLAN_KEY, make_plan, make_province, make_unit

PLAN = PlanBody.model_validate(json.loads(json.dumps(make_plan()), parse_float=Decimal))
OWN = {"slug": "to-cds", "name_vi": "Tổ chuyển đổi số", "name_en": "Team", "level": "commune"}


async def waits(work: Awaitable[Any]) -> asyncio.Task[Any]:
    """Start some work, and see that it does not get through."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=0.4)
    assert not done, task.result()
    return task  # type: ignore[return-value]


async def test_a_unit_is_not_removed_while_its_first_plan_is_written(units: House) -> None:
    bare = {"admin_units": [make_province()]}
    await units.client.put(
        "/v1/plans/offices/25378", json={"offices": []}, params={"prune": "true"}, headers=units.admin
    )
    async with units.database("plans").write() as db:
        await service.apply_plan(db, units.caller(), PLAN_KEY, PLAN, Terms())
        pruning = units.client.put("/v1/plans/admin-units", json=bare, params={"prune": "true"}, headers=units.admin)
        task = await waits(pruning)
    assert refusal(await task) == (409, "unit_in_use")


async def test_an_office_is_not_removed_while_a_plan_names_it(units: House) -> None:
    path = "/v1/plans/offices/25378"
    added = await units.client.put(path, json={"offices": [OWN]}, headers=units.admin)
    assert added.status_code == 200, added.text
    named = PLAN.model_copy(update={"standing_office": "to-cds"})
    async with units.database("plans").write() as db:
        await service.apply_plan(db, units.caller(), PLAN_KEY, named, Terms())
        pruning = units.client.put(path, json={"offices": []}, params={"prune": "true"}, headers=units.admin)
        task = await waits(pruning)
    assert refusal(await task) == (409, "office_in_use")


async def test_plans_of_different_units_do_not_wait_for_each_other(units: House) -> None:
    async with units.database("plans").write() as db:
        await service.apply_plan(db, units.caller(), PLAN_KEY, PLAN, Terms())
        other = await put_plan(units, key="26491-2026-digital-transformation")
        assert other.status_code == 200, other.text


async def test_two_lists_of_units_at_once_see_each_other(house: House) -> None:
    path = "/v1/plans/admin-units"
    await house.client.put(path, json={"admin_units": [make_province(), make_unit()]}, headers=house.admin)
    both = [
        house.client.put(path, json={"admin_units": [make_province()]}, params={"prune": "true"}, headers=house.admin),
        house.client.put(path, json={"admin_units": [make_unit(name_vi="Mới")]}, headers=house.admin),
    ]
    answers = await asyncio.gather(*both)
    assert [each.status_code for each in answers] == [200, 200], [each.text for each in answers]
