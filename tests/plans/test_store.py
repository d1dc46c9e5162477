"""Statements: how many, and whom they show what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chassis.auth import ANONYMOUS
from services.plans.domain.filters import AsKnown, ItemFilter, PlanFilter, UnitFilter
from services.plans.store import headers, items, offices, plans
from services.plans.store import units as unit_store
from tests.house import REFERENCE, House, read_yaml
from tests.plans.calls import act, put_plan
from tests.plans.factories import PLAN_KEY, make_plan, make_task

TAN_LOI = "25378-2026-digital-transformation-state-agencies"


async def keys(house: House, listing: Any) -> list[str]:
    async with house.database("plans").read() as db:
        found = await db.execute(listing.query.order_by(*listing.order))
        return [row[listing.columns[0]] for row in found.mappings()]


@pytest.mark.parametrize(
    ("admin_units", "sees_draft"),
    [((), False), (("25378",), True), (("75",), True), (("*",), True), (("25345", "37"), False)],
)
async def test_one_predicate_decides_who_sees_a_draft(
    units: House, admin_units: tuple[str, ...], sees_draft: bool
) -> None:
    await put_plan(units)
    caller = units.caller(admin_units=admin_units)
    assert len(await keys(units, headers.list_plans(caller, PlanFilter(), None))) == int(sees_draft)
    for name in plans.LISTS:
        assert bool(await keys(units, items.list_items(name, caller, ItemFilter(), None))) is sees_draft
    async with units.database("plans").read() as db:
        assert (await plans.find_document(db, caller, PLAN_KEY) is not None) is sees_draft


async def test_what_is_private_is_empty_for_callers_without_a_token(units: House) -> None:
    await put_plan(units)
    await act(units, "issue")
    async with units.database("plans").read() as db:
        document = await plans.find_document(db, ANONYMOUS, PLAN_KEY)
        assert document is not None
        assert (document["signer_name"], document["notes"]) == (None, None)
        for name in plans.LISTS:
            assert {item["note"] for item in document[name]} == {None}
        full = await plans.find_document(db, units.caller(admin_units=()), PLAN_KEY)
        assert full is not None
        assert (full["signer_name"], full["notes"]) == ("Nguyễn Văn Ký", ["Người nhập: bản giấy mờ."])


async def test_a_large_plan_costs_as_many_statements_as_a_small_one(units: House) -> None:
    body = read_yaml(REFERENCE / "plans" / f"{TAN_LOI}.yaml")
    body.pop("life")
    with units.statements("plans") as small:
        await put_plan(units, make_plan(notes=[]))
    with units.statements("plans") as large:
        answer = await put_plan(units, body, key=TAN_LOI)
    assert len(answer.json()["changes"]["tasks"]["created"]) == 61
    # Tan Loi tells no results of the year before: a list less to insert.
    assert (len(small), len(large)) == (30, 29)
    with units.statements("plans") as unchanged:
        await put_plan(units, body, key=TAN_LOI)
    assert len(unchanged) == 16


async def test_removed_and_changed_rows_stay_readable(units: House) -> None:
    await put_plan(units)
    await put_plan(units, make_plan(tasks=[make_task(title_vi="B")], recipients=[]), prune="true")
    async with units.database("plans").engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT title_vi, known_to IS NULL FROM task ORDER BY known_from")
        assert [tuple(row) for row in found] == [("Nâng cấp mạng nội bộ", False), ("B", True)]
        found = await connection.exec_driver_sql("SELECT count(*), count(known_to) FROM recipient")
        assert tuple(found.one()) == (2, 2)
        found = await connection.exec_driver_sql("SELECT version, known_to IS NULL FROM plan ORDER BY version")
        assert [tuple(row) for row in found] == [(1, False), (2, True)]


async def test_a_revision_is_asked_for_as_it_last_stood(units: House) -> None:
    await put_plan(units)
    await act(units, "issue")
    async with units.database("plans").read() as db:
        first = await plans.find_document(db, units.caller(), PLAN_KEY, AsKnown(revision=1))
        assert first is not None
        assert (first["version"], first["status"]) == (2, "issued")
        draft = await plans.find_document(
            db, units.caller(), PLAN_KEY, AsKnown(known_at=first["recorded_at"], revision=1)
        )
        assert draft == first
        assert await plans.find_document(db, ANONYMOUS, PLAN_KEY, AsKnown(revision=2)) is None


async def test_slugs_that_plans_name_are_found(units: House) -> None:
    await put_plan(units)
    async with units.database("plans").read() as db:
        slugs = ["phong-vhxh", "so-khcn", "cong-an-xa", "xom"]
        assert await offices.load_used_slugs(db, slugs, None) == ["cong-an-xa", "phong-vhxh", "so-khcn"]
        assert await offices.load_used_slugs(db, slugs, "75") == ["cong-an-xa", "phong-vhxh", "so-khcn"]
        assert await offices.load_used_slugs(db, slugs, "37") == []
        assert await offices.load_kinds_of_units(db, ["xom", "ap", "nobody"]) == ["ap", "xom"]


async def test_provinces_and_used_codes_are_loaded_at_once(units: House) -> None:
    async with units.database("plans").read() as db:
        with units.statements("plans") as seen:
            provinces = await unit_store.load_provinces(db)
            used = await unit_store.load_used_codes(db, ["25378", "75", "99999"])
        assert len(seen) == 2
    found = sorted((province.code, province.type) for province in provinces)
    assert found == [("37", "province"), ("75", "municipality"), ("75", "province")]
    assert used == ["25378", "75"]


async def test_units_are_narrowed_by_day(units: House) -> None:
    every = unit_store.list_units(UnitFilter(), None)
    assert await keys(units, every) == ["14161", "25345", "25378", "26434", "26491", "37", "75", "75"]
    before = unit_store.list_units(UnitFilter(types=("province",), on=date(2026, 4, 29)), None)
    assert await keys(units, before) == ["75", "37"]
    assert await keys(units, unit_store.list_units(UnitFilter(on=date(2025, 6, 30)), None)) == []
