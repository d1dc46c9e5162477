"""What the life of a plan allows of its budget: a draft is free, an issued plan is amended, a closed one rests."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Conflict
from services.budget.domain.plan_life import PlanLife
from services.budget.schemas.bodies import BudgetBody
from services.budget.service import budgets, hearing
from services.budget.service.budgets import Terms
from tests.budget.given import PLAN, URL, body, cell, group, header, hear_plan, line, put, rows
from tests.house import House
from tests.plan_life import every_step, refused

FIVE, SIX = body(line("A", amount_vnd=5)), body(line("A", amount_vnd=6))


async def refuse(house: House, content: Any, **params: Any) -> tuple[int, str, list[tuple[str, str]]]:
    return await refused(house, "budget", URL, content, **params)


@every_step
def test_what_each_step_of_a_plans_life_allows(
    status: str, revision: int, applied: int | None, correction: str | None, obstacle: str | None
) -> None:
    refusal = PlanLife(status, revision, applied).refusal(correction)
    codes = {"amendment": "budget_needs_amendment", "closed": "budget_plan_closed"}
    assert (refusal and refusal.code) == (obstacle and codes[obstacle])


async def test_a_budget_recorded_before_or_after_issue_changes_by_amendment_only(house: House) -> None:
    await hear_plan(house, status="draft")
    await put(house, SIX)
    await put(house, FIVE)
    await hear_plan(house, version=2)
    assert await refuse(house, SIX) == (409, "budget_needs_amendment", [("/lines", "A")])
    more = body(line("A", amount_vnd=5), line("B", amount_vnd=1), groups=(group("G", cell("C", "A", amount_vnd=5)),))
    assert (await refuse(house, more))[2] == [("/lines", "B"), ("/groups", "G"), ("/cells", "C")]
    assert (await refuse(house, body(), prune="true"))[2] == [("/lines", "A")]
    assert (await put(house, FIVE))["write_token"] is None
    await hear_plan(house, status="amended", revision=2, version=3)
    await put(house, SIX)
    assert (await refuse(house, FIVE))[1] == "budget_needs_amendment"
    assert [each["amount_vnd"] for each in await rows(house, "lines")] == [6]


async def test_another_order_says_nothing_else(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A"), line("B")))
    assert (await put(house, body(line("B"))))["changes"]["lines"]["updated"] == ["B"]
    assert [each["key"] for each in await rows(house, "lines")] == ["A", "B"]


async def test_a_correction_states_its_reason_and_leaves_the_next_amendment_free(house: House) -> None:
    await hear_plan(house)
    await put(house, FIVE)
    await hear_plan(house, status="amended", revision=2, version=2)
    await put(house, SIX, correction="Nhập sai số tiền")
    await put(house, FIVE)
    noted = (await house.client.get("/v1/budget/audit", headers=house.admin)).json()["items"]
    assert [each["new"]["reason"] for each in noted] == [None, "Nhập sai số tiền", None]
    short = await house.client.put(URL, json=SIX, params={"correction": "x"}, headers=house.admin)
    assert (short.status_code, short.json()["code"]) == (422, "body_invalid")


async def test_a_closed_plan_keeps_its_budget_even_from_corrections(house: House) -> None:
    await hear_plan(house)
    await put(house, FIVE)
    await hear_plan(house, status="closed", version=2)
    for params in ({}, {"correction": "Nhập sai số tiền"}):
        assert (await refuse(house, SIX, **params))[:2] == (409, "budget_plan_closed")
    assert (await put(house, FIVE))["write_token"] is None


async def test_an_amendment_nobody_has_told_of_yet_is_asked_for_before_a_refusal(house: House) -> None:
    await hear_plan(house)
    await put(house, FIVE)
    asked = []

    async def catch_up(_db: Any) -> None:
        asked.append(1)
        if len(asked) == 1:
            async with house.database("budget").write() as other:
                await hearing.hear_plans(other, [header(status="amended", revision=2, version=2)])

    async with house.database("budget").write() as db:
        await budgets.apply_budget(db, house.caller(), PLAN, BudgetBody(**SIX), Terms(catch_up))
    with pytest.raises(Conflict):
        async with house.database("budget").write() as db:
            await budgets.apply_budget(db, house.caller(), PLAN, BudgetBody(**FIVE), Terms(catch_up))
    assert (len(asked), [each["amount_vnd"] for each in await rows(house, "lines")]) == (2, [6])


async def test_what_was_known_carries_no_version_to_edit_upon(house: House) -> None:
    await hear_plan(house)
    await put(house, FIVE)
    now = await house.client.get(URL, headers=house.admin)
    then = await house.client.get(URL, params={"known_at": "2030-01-01T00:00:00Z"}, headers=house.admin)
    assert now.headers["ETag"].startswith('"v1-')
    assert not then.headers["ETag"].startswith('"v')
    assert now.json() == then.json()
