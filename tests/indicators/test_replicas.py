"""Replicas of units, offices and plans: repaired by a list, whole for every reader, asked for without starving."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from chassis.database import Session
from services.indicators.events import SUBSCRIPTIONS
from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    CATALOGUE,
    ENTRIES,
    PLAN,
    REGIMES,
    STATE,
    TARGETS,
    faults,
    items,
    post,
    put,
    row,
    target,
)

GHOSTS = (
    "UPDATE admin_unit SET version = 99, name_vi = 'Tên cũ'",
    (
        "INSERT INTO admin_unit (code, version, name_vi, type, province_code, search_text)"
        " VALUES ('26490', 9, 'Ma', 'commune', '75', 'ma')"
    ),
    "INSERT INTO admin_unit_validity SELECT id, '2000-01-01', NULL, 'Ma', 'commune', '75' FROM admin_unit",
    "UPDATE office SET version = 99, name_vi = 'Tên cũ'",
    "INSERT INTO office SELECT '26491', 'ma', 'Ma', NULL, 'commune', '{}', 9",
    "UPDATE plan SET version = 99, status = 'closed', title_vi = 'Tên cũ'",
    (
        f"INSERT INTO plan SELECT '{PLAN}-ma', uuidv7(), '26491', '75', 2026, 'ma', 1, 'issued', now(), 'Ma',"
        " NULL, NULL, NULL, 9"
    ),
)
KEPT = (
    "SELECT id, code, version, name_vi, province_code FROM admin_unit WHERE code <> '26490' ORDER BY code",
    "SELECT * FROM admin_unit_validity ORDER BY 1, 2",
    "SELECT * FROM office ORDER BY 1, 2",
    "SELECT to_jsonb(plan) FROM plan ORDER BY plan_key",
)


async def kept(house: House) -> list[list[tuple[Any, ...]]]:
    async with house.database("indicators").engine.connect() as connection:
        return [[tuple(each) for each in await connection.exec_driver_sql(query)] for query in KEPT]


async def run(house: House, service: str, *statements: str) -> None:
    async with house.database(service).write() as db:
        for statement in statements:
            await db.execute(text(statement))


async def one_plan(house: House) -> None:
    """Units, offices and one issued plan, told by the plans service, with a figure of a unit."""
    await house.load_units()
    body = {
        "title_vi": "Kế hoạch 2026",
        "title_en": "Plan 2026",
        "issuing_body": "UBND xã Đại Phước",
        "document_number": "1/KH-UBND",
        "issued_on": "2026-03-25",
    }
    assert (await house.client.put(f"/v1/plans/{PLAN}", json=body, headers=house.admin)).status_code == 200
    sent = {**house.admin, "Idempotency-Key": "1"}
    assert (await house.client.post(f"/v1/plans/{PLAN}/issue", json={}, headers=sent)).status_code == 200
    await house.follow()
    await put(house, CATALOGUE, {"indicators": ENTRIES})
    await put(house, REGIMES, {"regimes": [STATE]})
    await put(house, TARGETS, {"targets": [target()]})
    assert (await post(house, row())).status_code == 200


async def test_a_list_read_again_repairs_everything(house: House) -> None:
    await one_plan(house)
    before = await kept(house)
    assert [len(each) for each in before[1:]] == [8, 120, 1]
    await run(house, "indicators", *GHOSTS)
    assert await kept(house) != before
    await run(house, "plans", "UPDATE feed_head SET epoch = epoch + 1")
    await house.follow()
    assert await kept(house) == before
    assert [each["value"] for each in await items(house, ACTUALS)] == [85.5]
    assert faults(await post(house, row(admin_unit="26490"))) == [(1, "admin_unit", "admin_unit_not_valid")]
    owned = await house.client.put(CATALOGUE, json={"owner": "26490", "indicators": []}, headers=house.admin)
    assert owned.json()["errors"][0]["code"] == "admin_unit_unknown"


async def test_events_after_the_list_count_from_its_versions(house: House) -> None:
    await one_plan(house)
    await run(house, "indicators", *GHOSTS)
    await run(house, "plans", "UPDATE feed_head SET epoch = epoch + 1")
    await house.follow()
    sent = {**house.admin, "Idempotency-Key": "2"}
    closing = {"reason_vi": "Hết năm"}
    assert (await house.client.post(f"/v1/plans/{PLAN}/close", json=closing, headers=sent)).status_code == 200
    await house.follow()
    assert [row[0]["status"] for row in (await kept(house))[3]] == ["closed"]


async def test_nobody_sees_less_than_a_whole_replica(house: House) -> None:
    await one_plan(house)
    before = await kept(house)
    seen = []

    def watched(apply: Callable[[Session, list[dict[str, Any]]], Awaitable[None]]) -> Any:
        async def take_in(db: Session, rows: list[dict[str, Any]]) -> None:
            seen.append(await kept(house))
            await apply(db, rows)
            seen.append(await kept(house))

        return take_in

    follower = house.composition.services["indicators"].state.house.followers[0]
    lists = tuple(replace(each, apply=watched(each.apply)) for each in SUBSCRIPTIONS[0].lists)
    follower._subscription = replace(SUBSCRIPTIONS[0], lists=lists)
    await run(house, "plans", "UPDATE feed_head SET epoch = epoch + 1")
    await house.follow()
    assert seen == [before] * 6


async def test_many_posts_of_an_unknown_unit_are_all_refused_for_it(house: House) -> None:
    await one_plan(house)
    assert house.settings.database_pool_size == 4
    answers = await asyncio.gather(*(post(house, row(admin_unit="99998")) for _ in range(32)))
    assert [answer.status_code for answer in answers] == [422] * 32
    assert {answer.json()["errors"][0]["code"] for answer in answers} == {"admin_unit_unknown"}
    puts = (house.client.put(f"{TARGETS}-x", json={"targets": []}, headers=house.admin) for _ in range(32))
    assert [answer.status_code for answer in await asyncio.gather(*puts)] == [404] * 32


async def test_a_keyed_post_that_waits_for_news_still_happens_once(house: House) -> None:
    await one_plan(house)
    unit = "code,name_vi,name_en,type,province_code,valid_from\n26492,Mới,Moi,commune,75,2025-07-01\n"
    sent = {**house.admin, "Content-Type": "text/csv"}
    assert (await house.client.put("/v1/plans/admin-units", content=unit, headers=sent)).status_code == 200
    await house.sequence()
    headers = {**house.admin, "Idempotency-Key": "k"}
    answers = await asyncio.gather(*(post(house, row(admin_unit="26492"), headers=headers) for _ in range(8)))
    assert {200} <= {answer.status_code for answer in answers} <= {200, 409}
    again = await post(house, row(admin_unit="26492"), headers=headers)
    assert (again.status_code, again.json()["created"]) == (200, 1)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await items(house, f"{ACTUALS}/history", admin_unit="26492")) == 1
