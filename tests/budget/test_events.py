"""What the budget service hears of plans, in any order and any number of times, and what it says."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest
from sqlalchemy import text

from services.budget.events import (
    ADMIN_UNIT_CHANGED,
    EVENTS,
    OFFICE_CHANGED,
    OFFICE_REMOVED,
    PLAN_CLOSED,
    PLAN_ISSUED,
    PLAN_RECORDED,
    SUBSCRIPTIONS,
)
from services.plans.events import EVENTS as SAID_BY_PLANS
from tests.budget.given import PLAN, body, cell, group, header, hear_plan, line, put
from tests.house import House

SUBSCRIPTION = SUBSCRIPTIONS[0]


async def hear(house: House, *events: tuple[str, dict[str, Any]]) -> None:
    said = [{"type": event_type, "data": data} for event_type, data in events]
    async with house.database("budget").write() as db:
        await SUBSCRIPTION.apply(db, said)


async def kept(house: House, statement: str) -> list[tuple[Any, ...]]:
    async with house.database("budget").read() as db:
        return [tuple(row) for row in await db.execute(text(statement))]


def plan(version: int, **fields: Any) -> dict[str, Any]:
    return {**header(version=version, **fields), "plan_id": str(header()["plan_id"]), "brand_new_field": 1}


def office(version: int, name_vi: str = "Phòng VH-XH") -> dict[str, Any]:
    return {
        "admin_unit": "25345",
        "slug": "phong-vhxh",
        "name_vi": name_vi,
        "name_en": "Culture",
        "level": "commune",
        "aliases": [],
        "agency_code": None,
        "version": version,
    }


def unit(version: int, *validities: tuple[str, str | None, str]) -> dict[str, Any]:
    rows = [
        {
            "name_vi": name,
            "name_en": name,
            "type": "commune",
            "province_code": "75",
            "agency_code": None,
            "valid_from": start,
            "valid_to": end,
        }
        for start, end, name in validities
    ]
    return {"code": "26491", "version": version, "validities": rows}


PLANS = "SELECT status, version, budget_total_vnd, budget_rules FROM plan"
OFFICES = "SELECT name_vi, version FROM office"
UNITS = "SELECT valid_from, valid_to, name_vi, version FROM admin_unit ORDER BY valid_from"


def test_everything_that_is_heard_is_said_by_plans() -> None:
    assert set(SUBSCRIPTION.types) == set(SAID_BY_PLANS)
    assert SUBSCRIPTION.source == "plans"


async def test_a_plan_is_heard_with_its_total_and_rules(house: House) -> None:
    rules = [{"key": "R1", "kind": "scope_limit", "rule_vi": "Không dàn trải", "params": None}]
    await hear(house, (PLAN_RECORDED, plan(1, status="draft", budget_total_vnd=5, budget_rules=rules)))
    assert await kept(house, PLANS) == [("draft", 1, 5, rules)]


async def test_the_same_event_twice_and_late_ones_change_nothing(house: House) -> None:
    await hear(house, (PLAN_ISSUED, plan(3)), (PLAN_ISSUED, plan(3)))
    await hear(house, (PLAN_RECORDED, plan(1, status="draft")), (PLAN_RECORDED, plan(2, status="draft")))
    assert await kept(house, PLANS) == [("issued", 3, None, [])]
    await hear(house, (PLAN_CLOSED, plan(4, status="closed")))
    assert await kept(house, PLANS) == [("closed", 4, None, [])]


async def test_several_versions_in_one_page_leave_the_newest(house: House) -> None:
    await hear(house, *((PLAN_RECORDED, plan(n, status="draft")) for n in (1, 2)), (PLAN_ISSUED, plan(3)))
    assert await kept(house, PLANS) == [("issued", 3, None, [])]


async def test_offices_come_change_and_go(house: House) -> None:
    await hear(house, (OFFICE_CHANGED, office(1)), (OFFICE_CHANGED, office(2, "Phòng Văn hóa")))
    await hear(house, (OFFICE_CHANGED, office(1)))
    assert await kept(house, OFFICES) == [("Phòng Văn hóa", 2)]
    gone = {"admin_unit": "25345", "slug": "phong-vhxh"}
    await hear(house, (OFFICE_REMOVED, {**gone, "version": 2}))
    assert await kept(house, OFFICES) == [("Phòng Văn hóa", 2)]
    await hear(house, (OFFICE_REMOVED, {**gone, "version": 3}))
    assert await kept(house, OFFICES) == []


PHU_DONG = ("2004-01-01", "2025-07-01", "Phú Đông")
DAI_PHUOC = ("2025-07-01", None, "Đại Phước")


async def test_a_recycled_code_keeps_every_validity(house: House) -> None:
    await hear(house, (ADMIN_UNIT_CHANGED, unit(1, PHU_DONG, DAI_PHUOC)))
    assert await kept(house, UNITS) == [
        (date(2004, 1, 1), date(2025, 7, 1), "Phú Đông", 1),
        (date(2025, 7, 1), None, "Đại Phước", 1),
    ]


async def test_a_validity_that_a_newer_version_left_out_goes_and_stays_away(house: House) -> None:
    await hear(house, (ADMIN_UNIT_CHANGED, unit(1, PHU_DONG, DAI_PHUOC)))
    await hear(house, (ADMIN_UNIT_CHANGED, unit(2, DAI_PHUOC)))
    await hear(house, (ADMIN_UNIT_CHANGED, unit(1, PHU_DONG, DAI_PHUOC)))
    assert await kept(house, UNITS) == [(date(2025, 7, 1), None, "Đại Phước", 2)]


async def test_validities_of_one_version_may_come_in_two_pages(house: House) -> None:
    flat = [{**row, "code": "26491", "version": 1} for row in unit(1, PHU_DONG, DAI_PHUOC)["validities"]]
    for row in flat:
        async with house.database("budget").write() as db:
            await SUBSCRIPTION.lists[0].apply(db, [row])
    assert len(await kept(house, UNITS)) == 2


async def test_a_removed_code_goes(house: House) -> None:
    await hear(house, (ADMIN_UNIT_CHANGED, unit(1, DAI_PHUOC)), (ADMIN_UNIT_CHANGED, unit(2)))
    assert await kept(house, UNITS) == []


async def test_following_brings_units_offices_and_plans(five_plans: House) -> None:
    async with five_plans.database("plans").read() as db:
        expected = (
            await db.execute(
                text(
                    "SELECT (SELECT count(*) FROM admin_unit WHERE known_to IS NULL),"
                    " (SELECT count(*) FROM office WHERE known_to IS NULL),"
                    " (SELECT count(*) FROM plan WHERE known_to IS NULL)"
                )
            )
        ).one()
    counts = "SELECT (SELECT count(*) FROM admin_unit), (SELECT count(*) FROM office), (SELECT count(*) FROM plan)"
    assert await kept(five_plans, counts) == [tuple(expected)]
    assert expected[2] == 5


async def test_replicas_say_what_the_source_says(five_plans: House) -> None:
    listed = await five_plans.client.get("/v1/plans?with=budget_rules&limit=1000", headers=five_plans.admin)
    fields = ("plan_key", "admin_unit", "province", "year", "status", "version", "budget_total_vnd", "budget_rules")
    said = {row["plan_key"]: tuple(row[field] for field in fields) for row in listed.json()["items"]}
    found = await kept(five_plans, f"SELECT {', '.join(fields)} FROM plan")
    assert {row[0]: row for row in found} == said


async def test_what_is_said_fits_its_published_schema(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A"), groups=(group("G", cell("C", "A")),)))
    reserve = body(line("A", expenditure_kind="reserve", pillar=None))
    await put(house, reserve, prune="true", correction="Ghi nhầm loại chi")
    await house.sequence()
    changes = (await house.client.get("/v1/budget/changes", headers=house.admin)).json()["items"]
    assert [event["data"]["version"] for event in changes] == [1, 2]
    schema = (await house.client.get(changes[0]["dataschema"])).json()
    assert changes[0]["type"] in EVENTS
    for event in changes:
        jsonschema.validate(event["data"], schema)
        EVENTS[event["type"]].payload.model_validate(event["data"], strict=False)
        assert (event["subject"], event["province"]) == (PLAN, "75")


@pytest.mark.parametrize(
    ("status", "units", "heard"), [("draft", ["26491"], 0), ("draft", ["75"], 1), ("issued", [], 1)]
)
async def test_changes_of_drafts_are_heard_by_their_unit_only(
    house: House, status: str, units: list[str], heard: int
) -> None:
    await hear_plan(house, status=status)
    await put(house, body(line("A")))
    await house.sequence()
    headers = house.headers("changes:read", units)
    changes = (await house.client.get("/v1/budget/changes", headers=headers)).json()["items"]
    assert len(changes) == heard
