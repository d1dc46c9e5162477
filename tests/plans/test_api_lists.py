"""Lists over all plans: filters, search, batches, and one statement whatever the number."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from services.plans.schemas import rows
from services.plans.schemas.offices import OfficeKindRow, OfficeRow
from services.plans.schemas.plans import PlanDocument, PlanHeader, PlanHeaderRow
from services.plans.schemas.units import AdminUnitRow, MissingPlanRow
from tests.house import House
from tests.plans.calls import get, items, places, refusal

TAN_LOI = "25378-2026-digital-transformation-state-agencies"
TAN_HUNG = "25345-2026-digital-transformation-st-innovation"
GIAO_MINH = "14161-2026-digital-transformation-area"
XUAN_THANH = "26434-2026-resolution-57-implementation"
DAI_PHUOC = "26491-2026-digital-transformation-state-agencies"
FIVE = [GIAO_MINH, TAN_HUNG, TAN_LOI, XUAN_THANH, DAI_PHUOC]
COUNTS = {
    "/tasks": 228,
    "/legal-bases": 91,
    "/reporting-duties": 22,
    "/budget-rules": 27,
    "/prior-year-results": 12,
    "/recipients": 49,
    "/external-systems": 96,
    "/discrepancies": 53,
}
ROWS = {
    "/tasks": rows.TaskRow,
    "/legal-bases": rows.LegalBasisRow,
    "/reporting-duties": rows.ReportingDutyRow,
    "/budget-rules": rows.BudgetRuleRow,
    "/prior-year-results": rows.PriorYearResultRow,
    "/recipients": rows.RecipientRow,
    "/external-systems": rows.ExternalSystemRow,
    "/discrepancies": rows.DiscrepancyRow,
}


@pytest.mark.parametrize(("path", "count"), COUNTS.items())
async def test_everything_is_listed_page_by_page(five_plans: House, path: str, count: int) -> None:
    found = await items(five_plans, path, limit=7)
    assert len(found) == count
    assert len({(row["plan_key"], row["key"]) for row in found}) == count
    order = [(row["admin_unit"], row["plan_key"], row["position"]) for row in found]
    assert order == sorted(order)


@pytest.mark.parametrize("path", COUNTS)
async def test_a_batch_of_plans_is_one_statement(five_plans: House, path: str) -> None:
    found: dict[int, list[Any]] = {}
    for size in (1, 2, 5):
        with five_plans.statements("plans") as seen:
            found[size] = (await get(five_plans, path, plan_key=",".join(FIVE[-size:]), limit=1000))["items"]
        assert len(seen) == 1
    assert len(found[5]) == COUNTS[path]
    assert found[1] == [row for row in found[5] if row["plan_key"] == DAI_PHUOC]
    by_unit = await items(five_plans, path, admin_unit=["26491", "26434"])
    assert by_unit == found[2]


@pytest.mark.parametrize(("path", "row"), ROWS.items())
async def test_a_row_has_the_documented_fields(five_plans: House, path: str, row: Any) -> None:
    page = await get(five_plans, path, limit=1)
    assert set(page["items"][0]) == set(row.model_fields)
    row.model_validate(page["items"][0])


async def test_other_rows_have_the_documented_fields(five_plans: House) -> None:
    shapes: list[tuple[str, dict[str, Any], Any, set[str]]] = [
        ("", {}, PlanHeader, set()),
        ("", {"with": "budget_rules"}, PlanHeaderRow, set()),
        ("/admin-units", {}, AdminUnitRow, {"plans"}),
        ("/admin-units", {"with": "plans"}, AdminUnitRow, set()),
        ("/offices", {}, OfficeRow, set()),
        ("/office-kinds", {}, OfficeKindRow, set()),
        ("/missing", {"province": "75", "year": 2027}, MissingPlanRow, set()),
    ]
    for path, params, row, absent in shapes:
        for found in (await get(five_plans, path, **params))["items"]:
            assert set(found) == set(row.model_fields) - absent
            row.model_validate(found)
    document = await get(five_plans, f"/{DAI_PHUOC}")
    assert set(document) == set(PlanDocument.model_fields)
    PlanDocument.model_validate(document)


@pytest.mark.parametrize(
    ("path", "params", "count"),
    [
        ("/tasks", {"admin_unit": "25378"}, 61),
        ("/tasks", {"province": "37"}, 68),
        ("/tasks", {"province": "75,37"}, 228),
        ("/tasks", {"year": 2026}, 228),
        ("/tasks", {"year": 2025}, 0),
        ("/tasks", {"plan_key": TAN_LOI, "key": "II.1.1,IV.11.2"}, 2),
        ("/tasks", {"plan_key": XUAN_THANH, "pillar": "awareness"}, 3),
        ("/tasks", {"plan_key": XUAN_THANH, "pillar": ["awareness", "human_resources"]}, 6),
        ("/tasks", {"plan_key": DAI_PHUOC, "pillar": "digital_infrastructure", "key": "III.4.4"}, 1),
        ("/tasks", {"plan_key": XUAN_THANH, "office": "to-cnscd"}, 3),
        ("/tasks", {"plan_key": XUAN_THANH, "office": "to-cnscd,htx"}, 4),
        ("/tasks", {"plan_key": XUAN_THANH, "q": "PHONG HOP"}, 2),
        ("/tasks", {"q": "khong co gi nhu the"}, 0),
        ("/legal-bases", {"relation": "proposal"}, 2),
        ("/legal-bases", {"q": "57-nq/tw", "plan_key": XUAN_THANH}, 4),
        ("/legal-bases", {"q": "de an 06"}, 5),
        ("/reporting-duties", {"cycle": "quarterly"}, 3),
        ("/reporting-duties", {"office": "phong-vhxh", "admin_unit": "26434"}, 3),
        ("/reporting-duties", {"q": "ngay 15"}, 1),
        ("/budget-rules", {"kind": "share_min"}, 2),
        ("/budget-rules", {"office": "phong-kinh-te", "plan_key": DAI_PHUOC}, 2),
        ("/prior-year-results", {"q": "to cong nghe so"}, 2),
        ("/recipients", {"office": "van-thu"}, 5),
        ("/external-systems", {"q": "ioc"}, 2),
        ("/external-systems", {"connection": "none"}, 96),
        ("/external-systems", {"connection": "live"}, 0),
        ("/external-systems", {"key": "vneid"}, 5),
        ("/discrepancies", {"type": "ocr"}, 4),
        ("/discrepancies", {"type": "blank", "province": "75"}, 4),
    ],
)
async def test_filters(five_plans: House, path: str, params: dict[str, Any], count: int) -> None:
    assert len(await items(five_plans, path, **params)) == count


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, FIVE),
        ({"admin_unit": "25378,26491"}, [TAN_LOI, DAI_PHUOC]),
        ({"plan_key": [TAN_LOI, GIAO_MINH]}, [GIAO_MINH, TAN_LOI]),
        ({"province": "37"}, [GIAO_MINH]),
        ({"year": 2026, "kind": "digital_transformation_state_agencies"}, [TAN_LOI, DAI_PHUOC]),
        ({"year": 2027}, []),
        ({"status": "issued"}, FIVE),
        ({"status": ["draft", "closed"]}, []),
        ({"q": "doi moi sang tao"}, [TAN_HUNG]),
        ({"q": "99/KH-UBND"}, [DAI_PHUOC]),
        ({"q": "ĐẠI PHƯỚC"}, [DAI_PHUOC]),
    ],
)
async def test_plans_are_filtered(five_plans: House, params: dict[str, Any], expected: list[str]) -> None:
    with five_plans.statements("plans") as seen:
        page = await get(five_plans, "", **params)
    assert [row["plan_key"] for row in page["items"]] == expected
    assert len(seen) == 1


async def test_rules_come_with_their_headers(five_plans: House) -> None:
    with five_plans.statements("plans") as seen:
        page = await get(five_plans, "", **{"with": "budget_rules"})
    assert len(seen) == 1
    assert [len(row["budget_rules"]) for row in page["items"]] == [8, 8, 5, 3, 3]
    listed = await items(five_plans, "/budget-rules", plan_key=TAN_HUNG)
    rules = next(row for row in page["items"] if row["plan_key"] == TAN_HUNG)["budget_rules"]
    assert [{name: row[name] for name in rules[0]} for row in listed] == rules


async def test_a_fields_list_is_followed(five_plans: House) -> None:
    page = await get(five_plans, "/tasks", fields="key,title_vi", limit=2)
    assert [set(row) for row in page["items"]] == [{"key", "title_vi"}] * 2
    answer = await five_plans.client.get("/v1/plans/tasks", params={"fields": "titel"}, headers=five_plans.admin)
    assert refusal(answer) == (422, "fields_unknown")


@pytest.mark.parametrize("path", COUNTS)
async def test_whole_pulls(five_plans: House, path: str) -> None:
    headers = {**five_plans.admin, "Accept": "application/x-ndjson"}
    lines = (await five_plans.client.get(f"/v1/plans{path}", headers=headers)).text.splitlines()
    assert [json.loads(line) for line in lines] == await items(five_plans, path, limit=1000)
    headers["Accept"] = "text/csv"
    answer = await five_plans.client.get(f"/v1/plans{path}", headers=headers)
    assert answer.text.startswith("\ufeff")
    assert len(list(csv.reader(io.StringIO(answer.text)))) == COUNTS[path] + 1
    assert answer.headers["Changes-Cursor"]
    assert answer.headers["Known-At"]


@pytest.mark.parametrize("path", ["", *COUNTS, "/offices", "/office-kinds", "/admin-units"])
async def test_who_may_read(five_plans: House, path: str) -> None:
    assert await items(five_plans, path, {}) != []
    other = five_plans.headers("plans:read", ["37"])
    assert len(await items(five_plans, path, other)) == len(await items(five_plans, path, {}))
    wrong = five_plans.headers("budget:read")
    answer = await five_plans.client.get(f"/v1/plans{path}", headers=wrong)
    assert refusal(answer) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/tasks", {"pillar": "ha_tang"}, [("field_invalid", (None, "pillar.0"))]),
        ("/tasks", {"year": "nay"}, [("field_invalid", (None, "year"))]),
        ("/tasks", {"year": "99999999999"}, [("field_invalid", (None, "year"))]),
        ("/legal-bases", {"relation": "x"}, [("field_invalid", (None, "relation.0"))]),
        ("/tasks", {"pilar": "awareness"}, [("parameter_unknown", (None, "pilar"))]),
        ("/recipients", {"pillar": "awareness"}, [("parameter_unknown", (None, "pillar"))]),
        ("/admin-units", {"on": "hôm nay"}, None),
    ],
)
async def test_a_wrong_filter_is_refused(five_plans: House, path: str, params: Any, expected: Any) -> None:
    answer = await five_plans.client.get(f"/v1/plans{path}", params=params, headers=five_plans.admin)
    assert answer.status_code == 422
    if expected:
        assert places(answer) == expected
