"""What the life of a plan allows of its targets: a draft is free, an issued plan is amended, a closed one rests."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Conflict
from services.indicators.domain.targets import PlanLife
from services.indicators.schemas.targets import TargetsBody
from services.indicators.service import hearing
from services.indicators.service import targets as service
from services.indicators.service.applying import Terms
from tests.house import House
from tests.indicators.given import PLAN, TARGETS, header, items, put, target
from tests.plan_life import every_step, refused

FIRST, OTHER = {"targets": [target()]}, {"targets": [target(value=85)]}


async def hear(house: House, **fields: Any) -> None:
    async with house.database("indicators").write() as db:
        await hearing.hear_plans(db, [header(**fields)])


async def values(house: House) -> list[Any]:
    return [each["value"] for each in await items(house, "/v1/indicators/targets")]


async def refuse(house: House, content: Any, **params: Any) -> tuple[int, str, list[tuple[str, str]]]:
    return await refused(house, "indicators", TARGETS, content, **params)


@every_step
def test_what_each_step_of_a_plans_life_allows(
    status: str, revision: int, applied: int | None, correction: str | None, obstacle: str | None
) -> None:
    refusal = PlanLife(status, revision, applied).refusal(correction)
    codes = {"amendment": "targets_need_amendment", "closed": "targets_plan_closed"}
    assert (refusal and refusal.code) == (obstacle and codes[obstacle])


async def test_targets_of_an_issued_plan_change_by_amendment_only(stocked: House) -> None:
    assert await refuse(stocked, OTHER) == (409, "targets_need_amendment", [("/targets/0", "III.19")])
    more = {"targets": [target(), target("X", indicator="CASHLESS_RATE")]}
    assert (await refuse(stocked, more))[2] == [("/targets/1", "X")]
    assert (await refuse(stocked, {"targets": []}, prune="true"))[2] == [("/targets", "III.19")]
    before = await stocked.rows("indicators")
    assert (await put(stocked, TARGETS, FIRST))["changes"]["targets"]["unchanged"] == 1
    assert await stocked.rows("indicators") == before
    await hear(stocked, status="amended", revision=2, version=2)
    await put(stocked, TARGETS, OTHER)
    assert (await refuse(stocked, FIRST))[1] == "targets_need_amendment"
    assert await values(stocked) == [85]


async def test_another_order_says_nothing_else(stocked: House) -> None:
    both = [target(), target("X", indicator="CASHLESS_RATE")]
    await put(stocked, TARGETS, {"targets": both}, correction="Nhập sót chỉ tiêu")
    turned = await put(stocked, TARGETS, {"targets": both[::-1]})
    assert sorted(turned["changes"]["targets"]["updated"]) == ["III.19", "X"]


async def test_a_correction_states_its_reason_and_leaves_the_next_amendment_free(stocked: House) -> None:
    await hear(stocked, status="amended", revision=2, version=2)
    await put(stocked, TARGETS, OTHER, correction="Nhập sai chỉ tiêu")
    await put(stocked, TARGETS, FIRST)
    noted = await items(stocked, "/v1/indicators/audit", subject=PLAN)
    assert [each["new"]["reason"] for each in noted] == [None, "Nhập sai chỉ tiêu", None]
    assert (noted[1]["old"]["targets"]["III.19"]["value"], noted[1]["new"]["targets"]["III.19"]["value"]) == (80, 85)
    short = await stocked.client.put(TARGETS, json=OTHER, params={"correction": "x"}, headers=stocked.admin)
    assert (short.status_code, short.json()["code"]) == (422, "body_invalid")


async def test_a_closed_plan_keeps_its_targets_even_from_corrections(stocked: House) -> None:
    await hear(stocked, status="closed", version=2)
    for params in ({}, {"correction": "Nhập sai chỉ tiêu"}):
        assert (await refuse(stocked, OTHER, **params))[:2] == (409, "targets_plan_closed")
    assert (await put(stocked, TARGETS, FIRST))["changes"]["targets"]["unchanged"] == 1


async def test_an_amendment_nobody_has_told_of_yet_is_asked_for_before_a_refusal(stocked: House) -> None:
    asked = []

    async def catch_up(_db: Any) -> None:
        asked.append(1)
        if len(asked) == 1:
            await hear(stocked, status="amended", revision=2, version=2)

    other, first = (TargetsBody.model_validate(content, strict=False) for content in (OTHER, FIRST))
    async with stocked.database("indicators").write() as db:
        await service.apply_targets(db, stocked.caller(), PLAN, other, Terms(catch_up))
    with pytest.raises(Conflict):
        async with stocked.database("indicators").write() as db:
            await service.apply_targets(db, stocked.caller(), PLAN, first, Terms(catch_up))
    assert (len(asked), await values(stocked)) == (2, [85])


async def test_what_was_known_carries_no_version_to_edit_upon(stocked: House) -> None:
    now = await stocked.client.get(TARGETS, headers=stocked.admin)
    then = await stocked.client.get(TARGETS, params={"known_at": "2030-01-01T00:00:00Z"}, headers=stocked.admin)
    assert (now.headers["ETag"][:4], now.json()["version"]) == ('"v1-', 1)
    assert (then.headers["ETag"].startswith('"v'), then.json()["version"]) == (False, None)
