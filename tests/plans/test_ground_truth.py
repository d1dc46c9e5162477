"""Everything the five plans say is served, field by field: against our own reference data, and against the truth."""

from __future__ import annotations

from typing import Any

import pytest

from services.plans.schemas.plans import PlanBody
from tests.house import REFERENCE, House, read_yaml
from tests.plans.calls import get, items
from tests.plans.truth import TRUTH, UNITS, expected_header, expected_items, plan_key_of, read_truth

needs_truth = pytest.mark.skipif(not TRUTH.exists(), reason="the checked data are not beside this checkout")
PLANS = sorted(path.stem for path in (REFERENCE / "plans").glob("*.yaml"))
TOTALS = {
    "/tasks": 228,
    "/legal-bases": 91,
    "/reporting-duties": 22,
    "/budget-rules": 27,
    "/prior-year-results": 12,
    "/recipients": 49,
    "/external-systems": 96,
    "/discrepancies": 53,
}


def differences(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What is served otherwise than expected."""
    return {
        name: (value, found.get(name, "not served"))
        for name, value in expected.items()
        if name not in found or found[name] != value
    }


@needs_truth
@pytest.mark.parametrize("slug", UNITS)
class TestTruth:
    async def test_the_header_is_served(self, five_plans: House, slug: str) -> None:
        truth = read_truth(slug)
        document = await get(five_plans, f"/{plan_key_of(slug, truth)}")
        assert differences(expected_header(slug, truth), document) == {}
        assert (document["status"], document["revision"]) == ("issued", 1)

    async def test_the_unit_is_served(self, five_plans: House, slug: str) -> None:
        plan = read_truth(slug)["plan"]
        unit = (await get(five_plans, f"/admin-units/{UNITS[slug][0]}"))["current"]
        province = (await get(five_plans, f"/admin-units/{UNITS[slug][1]}"))["current"]
        assert (unit["name_vi"], province["name_vi"]) == (plan["commune"], plan["province"])
        assert {"commune": "xã"}[unit["type"]] == plan["commune_type"]

    async def test_every_item_is_served(self, five_plans: House, slug: str) -> None:
        truth = read_truth(slug)
        key = plan_key_of(slug, truth)
        document = await get(five_plans, f"/{key}")
        for path, expected in expected_items(slug, truth).items():
            listed = await items(five_plans, path, plan_key=key)
            held = document[path.strip("/").replace("-", "_")]
            assert len(listed) == len(held) == len(expected)
            for wanted, row, part in zip(expected, listed, held, strict=True):
                assert differences(wanted, row) == {}, (path, row["key"])
                assert {name: row[name] for name in part if name in row} == part

    async def test_no_field_of_the_truth_is_forgotten(self, five_plans: House, slug: str) -> None:
        truth = read_truth(slug)
        for rows in expected_items(slug, truth).values():
            assert {name for row in rows for name in row} - _served_names() == set()
        assert set(truth) == {
            "plan", "discrepancies", "legal_bases", "tasks", "budget_lines", "budget_groups", "budget_rules",
            "reporting_duties", "prior_year_results", "prior_year_budget", "recipients", "external_systems",
        }  # fmt: skip


def _served_names() -> set[str]:
    schema = PlanBody.model_json_schema()
    return {name for part in schema["$defs"].values() for name in part.get("properties", {})}


@needs_truth
async def test_every_office_is_served(five_plans: House) -> None:
    base = read_yaml(TRUTH / "offices.yaml")
    extra = read_yaml(TRUTH / "plans" / "extra_offices.yaml")
    served = {row["slug"]: row for row in await items(five_plans, "/office-kinds")}
    assert set(served) == {row["slug"] for row in (*base, *extra)}
    for row in base:
        assert differences(row, served[row["slug"]]) == {}
    for row in extra:
        for name, value in differences(row, served[row["slug"]]).items():
            assert f"{name} {value[0]}" in served[row["slug"]]["note"]
    for row in base:
        for spelling in row["aliases"]:
            assert [r["slug"] for r in await items(five_plans, "/office-kinds", alias=spelling)] == [row["slug"]]


@needs_truth
async def test_the_units_of_the_demo_are_those_of_the_official_list(five_plans: House) -> None:
    official = (TRUTH / "units.csv").read_text(encoding="utf-8").splitlines()
    ours = (REFERENCE / "units.csv").read_text(encoding="utf-8").splitlines()
    assert set(ours) <= set(official)
    assert len(await items(five_plans, "/admin-units", on="all")) == len(ours) - 1


@pytest.mark.parametrize(("path", "count"), TOTALS.items())
async def test_the_totals_are_served(five_plans: House, path: str, count: int) -> None:
    assert len(await items(five_plans, path)) == count


@pytest.mark.parametrize("plan_key", PLANS)
async def test_our_own_reference_is_served(five_plans: House, plan_key: str) -> None:
    body = read_yaml(REFERENCE / "plans" / f"{plan_key}.yaml")
    assert body.pop("life") == "issued"
    document = await get(five_plans, f"/{plan_key}")
    lists = {name: body.pop(name) for name in list(body) if name in _lists()}
    assert differences(body, document) == {}
    for name, rows in lists.items():
        for wanted, found in zip(rows, document[name], strict=True):
            assert differences(wanted, {**found, "params": _stated(found)} if "params" in wanted else found) == {}


def _lists() -> set[str]:
    return {path.strip("/").replace("-", "_") for path in TOTALS}


def _stated(rule: dict[str, Any]) -> dict[str, Any]:
    """Parameters without those that the file leaves out."""
    return {name: value for name, value in rule["params"].items() if value is not None or name == "comparator"}


async def test_the_odd_ones_are_served(five_plans: House) -> None:
    blank = await get(five_plans, "/25378-2026-digital-transformation-state-agencies")
    assert (blank["document_number"], blank["document_number_raw"], blank["issued_partial"]) == (
        None,
        "/KH-UBND",
        "2026-04",
    )
    assert blank["blank_in_source"] == ["document_number", "issued_on"]
    year_range = (await items(five_plans, "/tasks", admin_unit="26491", key="III.5.3"))[0]
    assert (year_range["execution_time_text"], year_range["starts_on"], year_range["ends_on"]) == (
        "2026-2027",
        "2026-01-01",
        "2027-12-31",
    )
    ongoing = (await items(five_plans, "/tasks", admin_unit="26434", key="PL.II.2"))[0]
    assert (ongoing["is_continuous"], ongoing["starts_on"], ongoing["from_annex"]) == (True, None, True)
    words = (await items(five_plans, "/budget-rules", admin_unit="25345", key="R6"))[0]["params"]
    assert (words["comparator"], words["value"], words["measure_unit"], words["base"]) == (
        None,
        None,
        "tháng/quý",
        "PL3.6, PL3.9",
    )
    total = (await items(five_plans, "/budget-rules", admin_unit="25345", key="R1"))[0]["params"]
    assert (total["comparator"], total["value"], total["base"]) == ("eq", 100, 1_670_000_000)
    incidents = (await items(five_plans, "/prior-year-results", key="KQ9"))[0]
    assert (incidents["value"], incidents["measure_unit"]) == (0, "sự cố")
    unassigned = [row for row in await items(five_plans, "/tasks") if not row["lead_offices"]]
    assert len(unassigned) == 54
    assert {row["lead_basis"] for row in unassigned} == {"none"}
    assert [
        row["key"] for row in await items(five_plans, "/recipients", admin_unit="25345") if row["names_person"]
    ] == ["NN10"]


async def test_applying_the_reference_again_changes_nothing(five_plans: House) -> None:
    for plan_key in PLANS:
        body = read_yaml(REFERENCE / "plans" / f"{plan_key}.yaml")
        body.pop("life")
        answer = await five_plans.client.put(
            f"/v1/plans/{plan_key}", json=body, params={"prune": "true"}, headers=five_plans.admin
        )
        assert (answer.json()["version"], answer.json()["write_token"]) == (2, None)
