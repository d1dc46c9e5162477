"""Offices and office kinds over HTTP: found by any spelling, never keyed by one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import House
from tests.plans.calls import WRITER, events, get, items, places, put_plan, refusal, writer

KIND = {
    "slug": "phong-moi",
    "name_vi": "Phòng Mới",
    "name_en": "New Division",
    "level": "commune",
    "aliases": ["P. Mới"],
}


async def put_kinds(house: House, *kinds: Any, headers: Any = None, **params: Any) -> Any:
    return await house.client.put(
        "/v1/plans/office-kinds", json={"office_kinds": kinds}, headers=headers or house.admin, params=params
    )


async def put_offices(house: House, unit: str, *offices: Any, headers: Any = None, **params: Any) -> Any:
    return await house.client.put(
        f"/v1/plans/offices/{unit}", json={"offices": offices}, headers=headers or house.admin, params=params
    )


class TestKinds:
    async def test_a_kind_is_found_by_any_spelling(self, five_plans: House) -> None:
        for spelling in ("VHXH", "phòng văn hoá - xã hội", "PHONG VAN HOA XA HOI", "Phòng VH – XH"):
            with five_plans.statements("plans") as seen:
                found = await get(five_plans, "/office-kinds", alias=spelling)
            assert [row["slug"] for row in found["items"]] == ["phong-vhxh"]
            assert len(seen) == 1
        assert (await get(five_plans, "/office-kinds", alias="VHX"))["items"] == []
        assert [row["slug"] for row in await items(five_plans, "/office-kinds", {}, q="van hoa")] == ["phong-vhxh"]
        assert [row["slug"] for row in await items(five_plans, "/office-kinds", level="party")] == ["van-phong-dang-uy"]

    async def test_kinds_are_in_dictionary_order(self, five_plans: House) -> None:
        found = [row["name_vi"] for row in await items(five_plans, "/office-kinds")]
        assert len(found) == 52
        assert found[:3] == [
            "Ban Chỉ đạo chuyển đổi số xã",
            "Ban Chỉ huy Quân sự xã",
            "Các ấp (ban điều hành ấp, trưởng ấp)",
        ]

    async def test_kinds_are_recorded_pruned_and_refused_in_use(self, units: House) -> None:
        kinds = [{k: v for k, v in row.items() if v is not None} for row in await items(units, "/office-kinds")]
        assert (await put_kinds(units, *kinds)).json()["changes"]["office_kinds"]["unchanged"] == 52
        assert (await put_kinds(units, KIND)).json()["changes"]["office_kinds"]["created"] == ["phong-moi"]
        assert (await put_kinds(units, *kinds, prune="true")).json()["changes"]["office_kinds"]["removed"] == [
            "phong-moi"
        ]
        before = await units.rows("plans")
        answer = await put_kinds(units, KIND, prune="true")
        assert refusal(answer) == (409, "office_kind_in_use")
        assert await units.rows("plans") == before

    async def test_a_changed_kind_announces_its_offices(self, units: House) -> None:
        heard = len(await events(units))
        kind = next(row for row in await items(units, "/office-kinds", slug="so-khcn"))
        await put_kinds(units, {**kind, "aliases": [*kind["aliases"], "Sở KHCN"]})
        fresh = (await events(units))[heard:]
        assert [(e["type"], e["subject"], e["data"]["version"]) for e in fresh] == [
            ("vn.chitieu.plans.office.changed.v1", "37/so-khcn", 2),
            ("vn.chitieu.plans.office.changed.v1", "75/so-khcn", 2),
        ]
        assert fresh[0]["data"]["aliases"][-1] == "Sở KHCN"
        found = await items(units, "/offices", alias="so khcn")
        assert [(row["admin_unit"], row["version"]) for row in found] == [("37", 2), ("75", 2)]

    async def test_a_spelling_belongs_to_one_kind(self, house: House) -> None:
        answer = await put_kinds(house, KIND, {**KIND, "slug": "khac", "name_vi": "Khác", "aliases": ["p. mới"]})
        assert places(answer) == [("office_alias_ambiguous", "/office_kinds/1/aliases/0")]
        answer = await put_kinds(house, KIND, KIND)
        assert places(answer) == [("item_key_repeated", "/office_kinds/1/slug")]
        assert (await house.rows("plans"))["office_kind"] == 0

    async def test_who_may_write_kinds(self, house: House) -> None:
        anonymous = await house.client.put("/v1/plans/office-kinds", json={"office_kinds": [KIND]})
        assert refusal(anonymous) == (401, "token_missing")
        assert refusal(await put_kinds(house, KIND, headers=house.headers(WRITER))) == (403, "scope_missing")
        province = house.headers("admin_units:write", ["75"])
        assert refusal(await put_kinds(house, KIND, headers=province)) == (403, "unit_not_covered")
        assert (await house.rows("plans"))["office_kind"] == 0


class TestOffices:
    async def test_an_office_takes_from_its_kind_what_it_leaves_out(self, units: House) -> None:
        await put_offices(units, "25378", {"slug": "phong-vhxh", "aliases": ["Phòng Văn xã"], "agency_code": "H19.1"})
        with units.statements("plans") as seen:
            found = (await get(units, "/offices", admin_unit="25378", slug="phong-vhxh"))["items"]
        assert len(seen) == 1
        assert [(row["name_vi"], row["level"], row["agency_code"]) for row in found] == [
            ("Phòng Văn hóa - Xã hội", "commune", "H19.1")
        ]
        assert found[0]["aliases"][0] == "Phòng Văn xã"
        by_own = await items(units, "/offices", alias="phong van xa")
        by_kind = await items(units, "/offices", alias="vhxh", admin_unit="25378,25345")
        assert [row["admin_unit"] for row in by_own] == ["25378"]
        assert [row["admin_unit"] for row in by_kind] == ["25345", "25378"]

    async def test_an_office_of_its_own_is_named(self, units: House) -> None:
        own = {"slug": "doi-so", "name_vi": "Đội số", "name_en": "Digital team", "level": "community"}
        assert refusal(await put_offices(units, "25378", {"slug": "doi-so"})) == (422, "body_invalid")
        answer = await put_offices(units, "25378", own)
        assert answer.json()["changes"]["offices"]["created"] == ["doi-so"]
        assert [row["slug"] for row in await items(units, "/offices", q="doi so", level="community")] == ["doi-so"]

    async def test_offices_are_announced_and_removed(self, units: House) -> None:
        heard = len(await events(units))
        own = {"slug": "doi-so", "name_vi": "Đội số", "name_en": "Digital team", "level": "community"}
        await put_offices(units, "26434", own)
        rest = [{"slug": row["slug"]} for row in await items(units, "/offices", admin_unit="26434", slug="ttpvhcc")]
        await put_offices(units, "26434", *rest, {**own, "name_en": "Team"})
        kept = [row["slug"] for row in await items(units, "/offices", admin_unit="26434") if row["slug"] != "doi-so"]
        answer = await put_offices(units, "26434", *({"slug": slug} for slug in kept), prune="true")
        assert answer.json()["changes"]["offices"]["removed"] == ["doi-so"]
        fresh = (await events(units))[heard:]
        assert [(e["type"].split(".")[-2], e["subject"], e["data"]["version"]) for e in fresh] == [
            ("changed", "26434/doi-so", 1),
            ("changed", "26434/doi-so", 2),
            ("removed", "26434/doi-so", 3),
        ]
        assert {e["province"] for e in fresh} == {"75"}

    async def test_an_office_a_plan_names_stays(self, units: House) -> None:
        own = {"slug": "doi-so", "name_vi": "Đội số", "name_en": "Digital team", "level": "community"}
        await put_offices(units, "25378", own)
        answer = await put_plan(
            units, {"title_vi": "K", "title_en": "P", "issuing_body": "UBND xã", "standing_office": "doi-so"}
        )
        assert answer.status_code == 200, answer.text
        kept = [row["slug"] for row in await items(units, "/offices", admin_unit="25378") if row["slug"] != "doi-so"]
        answer = await put_offices(units, "25378", *({"slug": slug} for slug in kept), prune="true")
        assert refusal(answer) == (409, "office_in_use")
        assert len(await items(units, "/offices", admin_unit="25378")) == len(kept) + 1

    async def test_who_may_write_offices(self, units: House) -> None:
        before = await units.rows("plans")
        anonymous = await units.client.put("/v1/plans/offices/25378", json={"offices": []})
        assert refusal(anonymous) == (401, "token_missing")
        reader = units.headers("plans:read")
        assert refusal(await put_offices(units, "25378", headers=reader)) == (403, "scope_missing")
        neighbour = writer(units, "25345", "37")
        assert refusal(await put_offices(units, "25378", headers=neighbour)) == (403, "unit_not_covered")
        assert refusal(await put_offices(units, "99999", headers=neighbour)) == (403, "unit_not_covered")
        assert refusal(await put_offices(units, "99999")) == (404, "unit_unknown")
        assert await units.rows("plans") == before
        assert (await put_offices(units, "25378", headers=writer(units, "75"))).status_code == 200

    @pytest.mark.parametrize("count", [1, 5])
    async def test_one_statement_whatever_the_number_of_units(self, five_plans: House, count: int) -> None:
        codes = ["26491", "25345", "25378", "26434", "14161"][:count]
        with five_plans.statements("plans") as seen:
            found = await get(five_plans, "/offices", admin_unit=codes, limit=1000)
        assert {row["admin_unit"] for row in found["items"]} == set(codes)
        assert len(seen) == 1
