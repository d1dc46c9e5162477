"""What is heard of plans: twice, out of order, with fields we do not know."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from chassis.event_types import data_schema
from services.indicators.events import EVENTS, SUBSCRIPTIONS
from tests.house import House
from tests.indicators.given import ACTUALS, header, hear, items, post, put, row, target, unit

UNIT = "vn.chitieu.plans.admin_unit.changed.v1"
OFFICE = "vn.chitieu.plans.office.changed.v1"
GONE = "vn.chitieu.plans.office.removed.v1"
ISSUED = "vn.chitieu.plans.plan.issued.v1"


async def tell(house: House, *events: tuple[str, dict[str, Any]]) -> None:
    async with house.database("indicators").write() as db:
        await SUBSCRIPTIONS[0].apply(db, [{"type": kind, "data": data} for kind, data in events])


async def kept(house: House, query: str) -> list[tuple[Any, ...]]:
    async with house.database("indicators").engine.connect() as connection:
        return [tuple(found) for found in await connection.exec_driver_sql(query)]


UNITS = "SELECT code, version, name_vi, province_code FROM admin_unit ORDER BY code"


def changed(version: int, *names: str, code: str = "26491") -> tuple[str, dict[str, Any]]:
    days = ["2025-01-01", "2025-07-01", "2026-04-30"]
    validities = [
        {**unit(code, name, "commune", "75", day), "valid_to": later, "agency_code": None, "unheard_of": 1}
        for name, day, later in zip(names, days, [*days[1:], None], strict=False)
    ]
    validities[-1:] = [{**validities[-1], "valid_to": None}] if validities else []
    return UNIT, {"code": code, "version": version, "validities": validities}


async def test_the_newest_version_of_a_unit_wins_whatever_the_order(house: House) -> None:
    newest = changed(3, "Phú Đông", "Đại Phước")
    await tell(house, changed(1, "Phú Đông"), newest, changed(2, "Đại Phước cũ"))
    await tell(house, newest)
    await tell(house, changed(2, "Đại Phước cũ"))
    assert await kept(house, UNITS) == [("26491", 3, "Đại Phước", "75")]
    assert await kept(house, "SELECT name_vi FROM admin_unit_validity ORDER BY valid_from") == [
        ("Phú Đông",),
        ("Đại Phước",),
    ]


async def test_a_removed_unit_takes_no_more_figures(stocked: House) -> None:
    await post(stocked, row())
    await tell(stocked, changed(9))
    response = await post(stocked, row(value=86))
    assert response.json()["errors"][0]["code"] == "admin_unit_not_valid"
    assert len(await items(stocked, ACTUALS)) == 1


async def test_a_list_read_again_changes_nothing(house: House) -> None:
    await hear(house)
    before = await kept(house, UNITS)
    await hear(house)
    assert await kept(house, UNITS) == before
    await tell(house, changed(5, "Đại Phước mới"))
    await hear(house)
    assert ("26491", 5, "Đại Phước mới", "75") in await kept(house, UNITS)


async def test_offices_come_and_go(house: House) -> None:
    office = {
        "admin_unit": "26491",
        "slug": "x",
        "name_vi": "Phòng X",
        "name_en": "X",
        "level": "commune",
        "aliases": ["X"],
    }
    await tell(house, (OFFICE, {**office, "version": 2}), (OFFICE, {**office, "version": 1, "name_vi": "cũ"}))
    assert await kept(house, "SELECT slug, name_vi, aliases FROM office") == [("x", "Phòng X", ["X"])]
    gone = {"admin_unit": "26491", "slug": "x"}
    await tell(house, (GONE, {**gone, "version": 1}))
    assert len(await kept(house, "SELECT 1 FROM office")) == 1
    await tell(house, (GONE, {**gone, "version": 3}))
    assert await kept(house, "SELECT 1 FROM office") == []


async def test_an_issued_plan_shows_its_targets(stocked: House) -> None:
    draft = header(status="draft", version=2)
    await tell(stocked, (ISSUED, draft))
    assert await items(stocked, "/v1/indicators/targets", headers={}) == []
    await tell(stocked, (ISSUED, header(version=4, budget_rules=[], phase=None)), (ISSUED, draft))
    assert len(await items(stocked, "/v1/indicators/targets", headers={})) == 1


async def test_everything_announced_fits_its_schema(stocked: House) -> None:
    await put(
        stocked,
        "/v1/indicators/targets/26491-2026-digital-transformation-state-agencies",
        {"targets": [target(value=85)]},
        correction="Nhập sai chỉ tiêu",
    )
    await post(stocked, row(), row(indicator="INFOSEC_LEVEL", value=None, level=1))
    await post(stocked, row(value=None, action="withdraw", reason="nhầm"))
    await stocked.sequence()
    told = await items(stocked, "/v1/indicators/changes", limit=1000)
    assert {each["type"] for each in told} == set(EVENTS)
    for event in told:
        Draft202012Validator(data_schema(EVENTS[event["type"]])).validate(event["data"])
        schema = await stocked.client.get(event["dataschema"], headers=stocked.admin)
        assert schema.status_code == 200
