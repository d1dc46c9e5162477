"""Replicas of units, offices and plans: repaired by a list, and asked for without starving the pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text

from tests.budget.given import URL, body, line
from tests.conftest import TEMPLATE
from tests.house import House, open_house

PLAN = "25378-2026-digital-transformation"
GHOSTS = (
    "UPDATE admin_unit SET version = 99, name_vi = 'Tên cũ'",
    "INSERT INTO admin_unit (code, valid_from, name_vi, type, version) VALUES ('25378', '2000-01-01', 'Ma', 'ward', 9)",
    "UPDATE office SET version = 99, name_vi = 'Tên cũ'",
    "INSERT INTO office SELECT '25378', 'ma', 'Ma', NULL, 'commune', '{}', 9",
    "UPDATE plan SET version = 99, status = 'closed', budget_rules = '[]'",
    (
        "INSERT INTO plan SELECT 'x', uuidv7(), '25378', '75', 2026, 'ma', 1, 'issued', now(), 'Ma',"
        " NULL, NULL, NULL, 9, NULL, '[]'"
    ),
)
KEPT = (
    "SELECT to_jsonb(admin_unit) FROM admin_unit ORDER BY code, valid_from",
    "SELECT to_jsonb(office) FROM office ORDER BY admin_unit, slug",
    "SELECT to_jsonb(plan) FROM plan ORDER BY plan_key",
)


@pytest.fixture
async def house(admin_url: str, signing_key: OKPKey) -> AsyncIterator[House]:
    """The whole application before anybody has read a list."""
    async with open_house(admin_url, signing_key, template=TEMPLATE) as opened:
        yield opened


async def kept(house: House) -> list[list[tuple[Any, ...]]]:
    async with house.database("budget").engine.connect() as connection:
        return [[tuple(each) for each in await connection.exec_driver_sql(query)] for query in KEPT]


async def run(house: House, service: str, *statements: str) -> None:
    async with house.database(service).write() as db:
        for statement in statements:
            await db.execute(text(statement))


async def one_plan(house: House) -> None:
    """Units, offices and one plan with a rule, told by the plans service."""
    await house.load_units()
    params = {"metric": "an toàn thông tin", "comparator": "gte", "value": 10.1, "measure_unit": "percent"}
    plan = {
        "title_vi": "Kế hoạch 2026",
        "title_en": "Plan 2026",
        "issuing_body": "UBND xã Tân Lợi",
        "budget_rules": [{"key": "R1", "kind": "share_min", "rule_vi": "Tối thiểu 10,1%", "params": params}],
    }
    assert (await house.client.put(f"/v1/plans/{PLAN}", json=plan, headers=house.admin)).status_code == 200
    await house.follow()


async def test_a_list_read_again_repairs_everything(house: House) -> None:
    await one_plan(house)
    before = await kept(house)
    assert [len(each) for each in before] == [8, 120, 1]
    await run(house, "budget", *GHOSTS)
    assert await kept(house) != before
    await run(house, "plans", "UPDATE feed_head SET epoch = epoch + 1")
    await house.follow()
    assert await kept(house) == before


async def test_a_rule_is_kept_as_the_plan_wrote_it(house: House) -> None:
    await one_plan(house)
    async with house.database("budget").engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT budget_rules -> 0 -> 'params' ->> 'value' FROM plan")
        assert found.scalars().all() == ["10.1"]


async def test_many_writes_that_need_news_are_all_refused_for_their_fault(house: House) -> None:
    await one_plan(house)
    assert house.settings.database_pool_size == 4
    stranger = body(line("A", lead_offices=["phong-khong-co"]))
    for url, status in ((URL, 404), (f"/v1/budget/lines/{PLAN}", 422)):
        puts = (house.client.put(url, json=stranger, headers=house.admin) for _ in range(32))
        assert [answer.status_code for answer in await asyncio.gather(*puts)] == [status] * 32
