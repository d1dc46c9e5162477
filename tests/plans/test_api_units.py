"""Units over HTTP: recorded as JSON or CSV, thousands at once, read by day."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.house import House
from tests.plans.calls import events, get, items, places, refusal
from tests.plans.factories import make_province, make_unit

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "reference" / "units.csv"
PATH = "/v1/plans/admin-units"
PHU_DONG = make_unit(name_vi="Phú Đông", name_en="Phu Dong", valid_from="2020-01-01", valid_to="2025-07-01")


async def put(house: House, *units: dict[str, Any], headers: dict[str, str] | None = None, **params: Any) -> Any:
    return await house.client.put(
        PATH, json={"admin_units": list(units)}, headers=headers or house.admin, params=params
    )


async def put_csv(house: House, text: str | bytes, **params: Any) -> Any:
    content = text.encode() if isinstance(text, str) else text
    headers = {**house.admin, "Content-Type": "text/csv; charset=utf-8"}
    return await house.client.put(PATH, content=content, headers=headers, params=params)


class TestPut:
    async def test_rows_are_recorded_and_announced(self, house: House) -> None:
        answer = await put(house, make_province(), PHU_DONG, make_unit())
        assert answer.status_code == 200
        assert answer.json()["changes"] == {
            "admin_units": {"created": ["75", "26491"], "updated": [], "unchanged": 0, "removed": [], "kept": []}
        }
        heard = await events(house)
        assert [(e["type"], e["subject"], e["data"]["version"]) for e in heard] == [
            ("vn.chitieu.plans.admin_unit.changed.v1", "75", 1),
            ("vn.chitieu.plans.admin_unit.changed.v1", "26491", 1),
        ]
        assert heard[1]["province"] == "75"
        assert heard[1]["data"]["validities"] == [
            {
                "name_vi": "Phú Đông",
                "name_en": "Phu Dong",
                "type": "commune",
                "province_code": "75",
                "agency_code": None,
                "valid_from": "2020-01-01",
                "valid_to": "2025-07-01",
            },
            {
                "name_vi": "Đại Phước",
                "name_en": "Dai Phuoc",
                "type": "commune",
                "province_code": "75",
                "agency_code": None,
                "valid_from": "2025-07-01",
                "valid_to": None,
            },
        ]

    async def test_the_same_again_changes_nothing(self, house: House) -> None:
        await put(house, make_province(), make_unit())
        before = await house.rows("plans")
        answer = await put(house, make_unit(), make_province())
        assert answer.json()["changes"]["admin_units"]["unchanged"] == 2
        assert answer.json()["write_token"] is None
        assert await house.rows("plans") == before

    async def test_the_rows_of_a_code_replace_all_its_rows(self, house: House) -> None:
        await put(house, make_province(), PHU_DONG, make_unit())
        moment = (await house.client.get(PATH, headers=house.admin)).headers["Known-At"]
        answer = await put(house, make_unit(agency_code="H19.75.1"))
        assert answer.json()["changes"]["admin_units"]["updated"] == ["26491"]
        found = await get(house, "/admin-units/26491")
        assert [row["agency_code"] for row in found["validities"]] == ["H19.75.1"]
        assert found["version"] == 2
        before = await items(house, "/admin-units", code="26491", on="all", known_at=moment)
        assert [row["name_vi"] for row in before] == ["Phú Đông", "Đại Phước"]

    async def test_a_dry_run_answers_the_same_and_keeps_nothing(self, house: House) -> None:
        before = await house.rows("plans")
        answer = await put(house, make_province(), make_unit(), dry_run="true")
        assert answer.json()["dry_run"] is True
        assert answer.json()["write_token"] is None
        assert answer.json()["changes"]["admin_units"]["created"] == ["75", "26491"]
        assert await house.rows("plans") == before

    async def test_what_is_left_out_goes_only_when_pruned(self, units: House) -> None:
        keep = [
            {k: v for k, v in row.items() if k != "version"} for row in await items(units, "/admin-units", on="all")
        ]
        kept = [row for row in keep if row["code"] not in ("25345", "14161")]
        answer = await put(units, *kept)
        assert answer.json()["changes"]["admin_units"]["unchanged"] == 5
        assert refusal(await put(units, *kept, prune="true")) == (409, "unit_in_use")
        for code in ("25345", "14161"):
            body = {"offices": []}
            await units.client.put(
                f"/v1/plans/offices/{code}", json=body, params={"prune": "true"}, headers=units.admin
            )
        answer = await put(units, *kept, prune="true")
        assert answer.json()["changes"]["admin_units"]["removed"] == ["14161", "25345"]
        assert refusal(await units.client.get(f"{PATH}/14161", headers=units.admin)) == (404, "unit_unknown")
        gone = [e for e in await events(units) if e["subject"] == "14161"][-1]
        assert (gone["data"]["validities"], gone["data"]["version"], gone["province"]) == ([], 2, "37")

    @pytest.mark.parametrize(
        ("unit", "expected"),
        [
            ({"valid_to": "2025-07-01"}, [("unit_validity_empty", (2, "valid_to"))]),
            ({"province_code": "38"}, [("unit_province_unknown", (2, "province_code"))]),
            ({"province_code": None}, [("unit_province_missing", (2, "province_code"))]),
            ({"type": "province", "province_code": None}, [("unit_type_mismatch", (2, "type"))]),
            ({"code": "2649"}, [("field_invalid", "/admin_units/1/code")]),
            ({"code": 26491}, [("field_invalid", "/admin_units/1/code")]),
            ({"type": "xã"}, [("field_invalid", "/admin_units/1/type")]),
            ({"valid_from": "01/07/2025"}, [("field_invalid", "/admin_units/1/valid_from")]),
            ({"agency_code": "h19"}, [("field_invalid", "/admin_units/1/agency_code")]),
            ({"name": "Đại Phước"}, [("field_unknown", "/admin_units/1/name")]),
        ],
    )
    async def test_a_wrong_row_is_refused_with_its_place(self, refusing: House, unit: Any, expected: Any) -> None:
        before = await refusing.rows("plans")
        answer = await put(refusing, make_province(), make_unit(**unit))
        assert refusal(answer) == (422, "body_invalid")
        assert places(answer) == expected
        assert await refusing.rows("plans") == before

    async def test_overlapping_validities_are_refused_with_their_place(self, refusing: House) -> None:
        answer = await put(refusing, make_province(), make_unit(), make_unit(valid_from="2026-01-01", type="ward"))
        assert places(answer) == [("unit_validity_overlaps", (3, "valid_from"))]
        assert answer.json()["errors"][0]["message"] == (
            "Mã 26491: hiệu lực từ 2026-01-01 chồng lên dòng bắt đầu 2025-07-01, kết thúc None."
        )

    async def test_decomposed_text_is_kept_composed(self, house: House) -> None:
        await put(house, make_province(), make_unit(name_vi=unicodedata.normalize("NFD", "Đại Phước")))
        assert (await get(house, "/admin-units/26491"))["current"]["name_vi"] == "Đại Phước"

    async def test_who_may_write(self, house: House) -> None:
        rows = (make_province(), make_unit())
        before = await house.rows("plans")
        anonymous = await house.client.put(PATH, json={"admin_units": list(rows)})
        assert refusal(anonymous) == (401, "token_missing")
        reader = house.headers("plans:read plans:write")
        assert refusal(await put(house, *rows, headers=reader)) == (403, "scope_missing")
        neighbour = house.headers("admin_units:write", ["37"])
        assert refusal(await put(house, *rows, headers=neighbour)) == (403, "unit_not_covered")
        assert await house.rows("plans") == before
        own = house.headers("admin_units:write", ["75"])
        assert (await put(house, *rows, headers=own)).status_code == 200
        assert refusal(await put(house, make_unit(province_code="37"), headers=own)) == (403, "unit_not_covered")


class TestCsv:
    async def test_the_official_list_loads_in_seconds(self, house: House) -> None:
        if not TRUTH.exists():
            pytest.skip("the official list is not beside this checkout")
        started = time.perf_counter()
        with house.statements("plans") as seen:
            answer = await put_csv(house, TRUTH.read_bytes())
        assert answer.status_code == 200, answer.text
        assert time.perf_counter() - started < 10
        assert len(answer.json()["changes"]["admin_units"]["created"]) == 3355
        assert len(seen) == 11
        assert len(await items(house, "/admin-units", on="all", limit=1000)) == 3366
        assert len(await items(house, "/admin-units", on="2026-04-29", limit=1000)) == 3355
        wards = [row["code"] for row in await items(house, "/admin-units", province="75", type="ward", on="2026-04-30")]
        assert len(wards) - len(await items(house, "/admin-units", province="75", type="ward", on="2026-04-29")) == 10
        again = await put_csv(house, TRUTH.read_bytes())
        assert again.json()["changes"]["admin_units"]["unchanged"] == 3355

    async def test_six_units_are_called_tan_hung(self, house: House) -> None:
        if not TRUTH.exists():
            pytest.skip("the official list is not beside this checkout")
        await put_csv(house, TRUTH.read_bytes())
        found = await items(house, "/admin-units", q="tan hung", on="2026-11-22")
        assert len([row for row in found if row["name_vi"] == "Tân Hưng"]) == 6
        collided = await items(house, "/admin-units", q="lộc thành", province="75")
        assert {row["name_vi"] for row in collided} == {"Lộc Thành", "Lộc Thạnh"}
        assert [row["code"] for row in await items(house, "/admin-units", q="HOÀ BÌNH", province="25")] == [
            row["code"] for row in await items(house, "/admin-units", q="hòa bình", province="25")
        ]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("code,name_vi,name_en,type,valid_from\n1,A,A,province,2025-07-01\n", [("field_invalid", (1, "code"))]),
            (
                "code,name_vi,name_en,type,valid_from\n75,A,A,province,1/7/2025\n",
                [("field_invalid", (1, "valid_from"))],
            ),
            ("code,name_vi,name_en,type,valid_from\n75,,A,province,2025-07-01\n", [("field_invalid", (1, "name_vi"))]),
            ("code,name_vi,name_en,type\n", [("field_missing", (0, "valid_from"))]),
            ("mã,name_vi,name_en,type,valid_from\n", [("field_unknown", (0, "mã")), ("field_missing", (0, "code"))]),
        ],
    )
    async def test_a_wrong_file_is_refused_with_row_and_column(self, refusing: House, text: str, expected: Any) -> None:
        answer = await put_csv(refusing, text)
        assert refusal(answer) == (422, "body_invalid")
        assert places(answer) == expected

    @pytest.mark.parametrize("text", ["code,name_vi,name_en,type,valid_from\n", b"\xff\xfe\x00", 'code,name_vi\n"75'])
    async def test_what_is_no_list_is_refused(self, house: House, text: str | bytes) -> None:
        answer = await put_csv(house, text)
        assert answer.status_code == 422
        assert (await house.rows("plans"))["admin_unit"] == 0

    async def test_a_file_with_bom_is_read(self, house: House) -> None:
        header = "\ufeffcode,name_vi,name_en,type,province_code,valid_from,valid_to"
        text = f"{header}\n75,Đồng Nai,Dong Nai,province,,2025-07-01,\n"
        assert (await put_csv(house, text)).json()["changes"]["admin_units"]["created"] == ["75"]

    async def test_other_formats_are_refused(self, refusing: House) -> None:
        answer = await refusing.client.put(PATH, content=b"x", headers={**refusing.admin, "Content-Type": "text/plain"})
        assert refusal(answer) == (415, "media_unsupported")

    async def test_broken_json_is_refused(self, refusing: House) -> None:
        headers = {**refusing.admin, "Content-Type": "application/json"}
        answer = await refusing.client.put(PATH, content=b'{"admin_units": [', headers=headers)
        assert refusal(answer) == (400, "body_unreadable")


class TestRead:
    async def test_a_recycled_code_is_read_by_day(self, house: House) -> None:
        await put(house, make_province(), PHU_DONG, make_unit())
        assert (await get(house, "/admin-units/26491", on="2025-06-30"))["current"]["name_vi"] == "Phú Đông"
        assert (await get(house, "/admin-units/26491", on="2025-07-01"))["current"]["name_vi"] == "Đại Phước"
        assert (await get(house, "/admin-units/26491", on="2019-12-31"))["current"] is None
        listed = await items(house, "/admin-units", code="26491", on="2025-06-30")
        assert [row["name_vi"] for row in listed] == ["Phú Đông"]

    async def test_an_unknown_code_is_not_found(self, five_plans: House) -> None:
        answer = await five_plans.client.get(f"{PATH}/99999")
        assert refusal(answer) == (404, "unit_unknown")

    async def test_anybody_reads_where_public_reading_is_on(self, five_plans: House) -> None:
        assert len(await items(five_plans, "/admin-units", {})) == 7

    @pytest.mark.parametrize(
        ("params", "expected"),
        [
            ({"code": "26491,25345"}, ["26491", "25345"]),
            ({"province": "75"}, ["26491", "25345", "25378", "26434"]),
            ({"province": ["37", "75"], "q": "tan"}, ["25345", "25378"]),
            ({"type": "municipality"}, ["75"]),
            ({"type": "province", "on": "2026-04-29"}, ["75", "37"]),
            ({"q": "TÂN LỢI"}, ["25378"]),
            ({"q": unicodedata.normalize("NFD", "tân lợi")}, ["25378"]),
            ({"q": "2537"}, ["25378"]),
            ({"q": "%"}, []),
            ({}, ["26491", "75", "14161", "37", "25345", "25378", "26434"]),
        ],
    )
    async def test_filters(self, five_plans: House, params: Any, expected: list[str]) -> None:
        with five_plans.statements("plans") as seen:
            page = await get(five_plans, "/admin-units", **params)
        assert [row["code"] for row in page["items"]] == expected
        assert len(seen) == 1

    async def test_every_validity_is_listed_by_code(self, five_plans: House) -> None:
        found = await items(five_plans, "/admin-units", on="all")
        assert [row["code"] for row in found] == ["14161", "25345", "25378", "26434", "26491", "37", "75", "75"]
        assert {row["version"] for row in found} == {1}

    async def test_plans_are_embedded_in_the_same_statement(self, five_plans: House) -> None:
        with five_plans.statements("plans") as seen:
            page = await get(five_plans, "/admin-units", **{"with": "plans", "year": 2026})
        assert len(seen) == 1
        keys = {row["code"]: [plan["plan_key"] for plan in row["plans"]] for row in page["items"]}
        assert keys["26491"] == ["26491-2026-digital-transformation-state-agencies"]
        assert keys["75"] == []
        header = (await get(five_plans, "", plan_key=keys["26491"][0]))["items"][0]
        embedded = next(row for row in page["items"] if row["code"] == "26491")["plans"][0]
        assert embedded == header
        other = await get(five_plans, "/admin-units", **{"with": "plans", "year": 2027})
        assert [row["plans"] for row in other["items"]] == [[]] * 7

    async def test_an_unknown_parameter_is_refused_with_advice(self, five_plans: House) -> None:
        answer = await five_plans.client.get(PATH, params={"provinces": "75"}, headers=five_plans.admin)
        assert refusal(answer) == (422, "parameter_unknown")
        assert "province" in answer.json()["detail"]


class TestMissing:
    async def test_communes_without_an_issued_plan(self, refusing: House) -> None:
        with refusing.statements("plans") as seen:
            found = await items(refusing, "/missing", province="75", year=2026)
        assert [row["admin_unit"] for row in found] == ["26491", "25345", "25378", "26434"]
        assert len(seen) == 1

    async def test_an_issued_plan_counts_in_its_year_only(self, five_plans: House) -> None:
        assert await items(five_plans, "/missing", {}, province="75", year=2026) == []
        assert len(await items(five_plans, "/missing", {}, province="75", year=2027)) == 4

    async def test_province_and_year_are_needed(self, five_plans: House) -> None:
        answer = await five_plans.client.get("/v1/plans/missing", headers=five_plans.admin)
        assert sorted(places(answer)) == [("field_missing", (None, "province")), ("field_missing", (None, "year"))]
