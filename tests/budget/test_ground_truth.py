"""The 29 budget lines, 7 groups and 10 cells of the plans, read back through REST field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.budget.given import rows
from tests.house import REFERENCE, House, read_yaml

TAN_HUNG = "25345-2026-digital-transformation-st-innovation"
DAI_PHUOC = "26491-2026-digital-transformation-state-agencies"
WITHOUT = {
    "14161-2026-digital-transformation-area": "giao-minh",
    "25378-2026-digital-transformation-state-agencies": "tan-loi",
    "26434-2026-resolution-57-implementation": "xuan-thanh",
}
SLUGS = {TAN_HUNG: "tan-hung", DAI_PHUOC: "dai-phuoc", **WITHOUT}

TRUTH = REFERENCE.parent.parent / "shared" / "reference"
needs_truth = pytest.mark.skipif(not TRUTH.exists(), reason="the ground truth lies outside the repository")

PLAN_FIELDS = ("plan_key", "admin_unit", "province", "year", "plan_status")
UNSTATED: dict[str, Any] = {
    "title_en": None,
    "scope_vi": None,
    "amount_kind": None,
    "funding_source": None,
    "coordinating_offices": [],
    "beneficiaries": [],
    "quantity": None,
    "phase": None,
    "tasks": [],
    "targets": [],
    "budget_index": None,
    "note": None,
}
KINDS = {"recurrent": "recurrent", "public_investment": "investment", "contingency": "reserve"}


def declared(plan_key: str) -> dict[str, Any]:
    """The declaration in the repository, or an empty one."""
    file = REFERENCE / "budget" / f"{plan_key}.yaml"
    found: dict[str, Any] = read_yaml(file) if file.exists() else {"lines": []}
    return {"groups": [], **found}


def truth(slug: str) -> dict[str, Any]:
    """The ground truth of one plan."""
    found: dict[str, Any] = read_yaml(Path(TRUTH / "plans" / f"{slug}.yaml"))
    return found


def short(key: str) -> str:
    return key.split("/", 1)[1]


@pytest.mark.parametrize("plan_key", [TAN_HUNG, DAI_PHUOC])
async def test_every_declared_line_is_served_as_declared(five_plans: House, plan_key: str) -> None:
    served = await rows(five_plans, "lines", plan_key=plan_key)
    given = declared(plan_key)["lines"]
    assert [row["key"] for row in served] == [line["key"] for line in given]
    for position, (row, line) in enumerate(zip(served, given, strict=True), 1):
        expected = {**UNSTATED, **line, "position": position, "stage": "estimated", "plan_key": plan_key}
        assert {name: row[name] for name in expected} == expected
        assert (row["admin_unit"], row["province"], row["year"]) == (plan_key[:5], "75", 2026)


async def test_every_declared_group_and_cell_is_served_as_declared(five_plans: House) -> None:
    served = await rows(five_plans, "groups", plan_key=TAN_HUNG)
    given = declared(TAN_HUNG)["groups"]
    assert [row["key"] for row in served] == [group["key"] for group in given]
    for row, group in zip(served, given, strict=True):
        cells = [{"objective_vi": None, "note": None, **cell} for cell in group["cells"]]
        expected = {"note": None, "source_ref": None, **group, "cells": cells}
        assert {name: row[name] for name in expected} == expected
        assert row["lines"] == [key for cell in cells for key in cell["lines"]]


async def test_the_whole_budget_says_the_same_as_the_lists(five_plans: House) -> None:
    for plan_key in (TAN_HUNG, DAI_PHUOC):
        response = await five_plans.client.get(f"/v1/budget/lines/{plan_key}", headers=five_plans.admin)
        document = response.json()
        for name in ("lines", "groups"):
            listed = await rows(five_plans, name, plan_key=plan_key)
            own = [{field: row[field] for field in row if field not in PLAN_FIELDS} for row in listed]
            assert document[name] == own


async def test_there_are_twenty_nine_lines_seven_groups_and_ten_cells(five_plans: House) -> None:
    assert len(await rows(five_plans, "lines")) == 29
    groups = await rows(five_plans, "groups")
    assert len(groups) == 7
    assert sum(len(group["cells"]) for group in groups) == 10


@needs_truth
@pytest.mark.parametrize("plan_key", [TAN_HUNG, DAI_PHUOC])
async def test_every_line_of_the_ground_truth_is_served(five_plans: House, plan_key: str) -> None:
    known = truth(SLUGS[plan_key])
    served = {row["key"]: row for row in await rows(five_plans, "lines", plan_key=plan_key)}
    tasks: dict[str, list[str]] = {}
    for task in known["tasks"]:
        for key in task.get("budget_lines", []):
            tasks.setdefault(short(key), []).append(short(task["key"]))
    assert sorted(served) == sorted(short(line["key"]) for line in known["budget_lines"])
    for line in known["budget_lines"]:
        row = served[short(line["key"])]
        due = line["due"]
        assert (
            row
            | {
                "number": str(line["no"]),
                "title_vi": line["title_vi"],
                "scope_vi": line["content_vi"],
                "amount_vnd": line["amount_vnd"],
                "amount_kind": line.get("amount_kind"),
                "expenditure_kind": KINDS[line["category"]],
                "expenditure_kind_stated": line["category_stated"],
                "pillar": line["pillar"],
                "pillar_stated": not line.get("pillar_inferred", False),
                "funding_source": line["funding_source"],
                "lead_offices": line["lead"],
                "coordinating_offices": line["coordinating"],
                "beneficiaries": line.get("beneficiaries", []),
                "execution_time_text": due["raw"],
                "execution_time_kind": due["kind"],
                "execution_time": str(due["value"]),
                "is_continuous": due["kind"] == "ongoing",
                "quantity": line.get("quantity"),
                "phase": line.get("phase"),
                "tasks": tasks.get(row["key"], []),
                "source_ref": line["source_ref"],
                "note": line.get("note"),
            }
            == row
        )


@needs_truth
async def test_every_group_of_the_ground_truth_is_served(five_plans: House) -> None:
    known = truth("tan-hung")
    served = {row["key"]: row for row in await rows(five_plans, "groups")}
    assert list(served) == [short(group["key"]) for group in known["budget_groups"]]
    for group in known["budget_groups"]:
        row = served[short(group["key"])]
        assert (
            row
            | {
                "number": group["stt"],
                "title_vi": group["pillar_vi"],
                "pillars": group["pillars"],
                "amount_vnd": group["amount_vnd"],
                "lines": [short(key) for key in group["lines"]],
                "note": group.get("note"),
            }
            == row
        )
        assert [
            (cell["scope_vi"], cell["objective_vi"], cell["amount_vnd"], cell["lines"], cell["source_ref"])
            for cell in row["cells"]
        ] == [
            (
                item["content_vi"],
                item["target_vi"],
                item["amount_vnd"],
                list(map(short, item["lines"])),
                item["source_ref"],
            )
            for item in group["items"]
        ]


@needs_truth
async def test_totals_of_the_ground_truth_are_computed(five_plans: House) -> None:
    computed = truth("dai-phuoc")["plan"]["budget_total_computed"]
    totals = {row["value"]: row for row in await rows(five_plans, "totals", by="expenditure_kind", plan_key=DAI_PHUOC)}
    assert totals["recurrent"]["amount_vnd"] == computed["recurrent_vnd"]
    assert totals["investment"]["amount_vnd"] == computed["public_investment_vnd"]
    assert sum(row["amount_vnd"] for row in totals.values()) == computed["all_vnd"]


async def test_quarters_and_years_imply_calendar_days(five_plans: House) -> None:
    served = {row["key"]: row for row in await rows(five_plans, "lines", plan_key=DAI_PHUOC)}
    days = {key: (served[key]["starts_on"], served[key]["ends_on"], served[key]["budget_years"]) for key in served}
    assert days["PL2.I.05"] == ("2026-04-01", "2026-09-30", [2026])
    assert days["PL2.I.08"] == ("2026-10-01", "2026-12-31", [2026])
    assert days["PL2.I.03"] == ("2026-01-01", "2026-12-31", [2026])
    assert days["PL2.II.01"] == ("2026-01-01", "2027-12-31", [2026, 2027])
    assert served["PL2.I.03"]["is_continuous"] is True
    assert served["PL2.I.07"]["quantity"] == {"value": 30, "unit": "điểm"}


async def test_the_contingency_line_stands_outside_every_pillar(five_plans: House) -> None:
    (outside,) = await rows(five_plans, "lines", pillar="none")
    assert (outside["key"], outside["expenditure_kind"], outside["amount_vnd"]) == ("PL3.16", "reserve", 50_000_000)
    totals = await rows(five_plans, "totals", by="pillar", plan_key=TAN_HUNG)
    by_pillar = {row["value"]: row["amount_vnd"] for row in totals}
    assert by_pillar == {
        None: 50_000_000,
        "awareness": 480_000_000,
        "cybersecurity": 30_000_000,
        "digital_data": 280_000_000,
        "digital_infrastructure": 500_000_000,
        "digital_society": 110_000_000,
        "human_resources": 120_000_000,
        "science_innovation": 100_000_000,
    }
    assert sum(by_pillar.values()) == 1_670_000_000


async def test_totals_by_kind_office_and_source(five_plans: House) -> None:
    async def totals(by: str, **wanted: str) -> dict[str | None, tuple[int, int]]:
        found = await rows(five_plans, "totals", by=by, **wanted)
        return {row["value"]: (row["lines"], row["amount_vnd"]) for row in found}

    assert await totals("expenditure_kind", plan_key=TAN_HUNG) == {
        "recurrent": (15, 1_620_000_000),
        "reserve": (1, 50_000_000),
    }
    assert await totals("expenditure_kind", per="province", province="75") == {
        "recurrent": (27, 6_005_000_000),
        "investment": (1, 4_000_000_000),
        "reserve": (1, 50_000_000),
    }
    assert await totals("funding_source", plan_key=DAI_PHUOC) == {
        "chi thường xuyên": (12, 4_385_000_000),
        "đầu tư công": (1, 4_000_000_000),
    }
    assert await totals("office", plan_key=DAI_PHUOC) == {
        "phong-kinh-te": (1, 4_000_000_000),
        "phong-vhxh": (10, 4_080_000_000),
        "ttdvth": (1, 185_000_000),
        "van-phong-hdnd-ubnd": (1, 120_000_000),
    }


async def checks_of(house: House, plan_key: str) -> dict[str, dict[str, Any]]:
    (row,) = await rows(house, "checks", plan_key=plan_key)
    return {check["check_key"]: check for check in row["checks"]}


async def test_tan_hung_adds_up_with_both_numbers_shown(five_plans: House) -> None:
    (row,) = await rows(five_plans, "checks", plan_key=TAN_HUNG)
    assert (row["lines"], row["amount_vnd"], row["stated_total_vnd"]) == (16, 1_670_000_000, 1_670_000_000)
    assert row["verdicts"] == {"holds": 7, "broken": 0, "not_measurable": 2, "qualitative": 5, "no_budget": 0}
    checks = {check["check_key"]: check for check in row["checks"]}
    figures = {
        key: tuple((side["name"], side["count"], side["value"]) for side in (check["found"], check["required"]))
        for key, check in checks.items()
        if check["rule"] is None
    }
    total = 1_670_000_000
    assert figures == {
        "lines_equal_total": (("lines", 16, total), ("stated_total", None, total)),
        "cells_equal_lines": (("cells", 10, total), ("lines", 16, total)),
        "groups_equal_cells": (("groups", 7, total), ("cells", 10, total)),
        "groups_equal_total": (("groups", 7, total), ("stated_total", None, total)),
        "every_line_in_one_cell": (("lines", None, 16), ("lines", None, 16)),
        "pillars_match_groups": (("lines", None, 16), ("lines", None, 16)),
    }
    assert {checks[key]["difference"] for key in figures} == {0}
    reserve = checks["R7"]
    assert (reserve["verdict"], reserve["found"]["value"], reserve["required"]["value"]) == (
        "holds",
        50_000_000,
        50_000_000,
    )


async def test_dai_phuoc_shows_its_two_parts_and_states_no_total(five_plans: House) -> None:
    check = (await checks_of(five_plans, DAI_PHUOC))["lines_equal_total"]
    assert (check["verdict"], check["missing"]) == ("not_measurable", ["stated_total"])
    parts = [(p["expenditure_kind"], p["count"], p["amount_vnd"], p["budget_years"]) for p in check["details"]]
    assert parts == [("recurrent", 12, 4_385_000_000, [2026]), ("investment", 1, 4_000_000_000, [2026, 2027])]


@pytest.mark.parametrize(
    ("plan_key", "rule", "comparator", "value", "missing"),
    [
        (TAN_HUNG, "R1", "eq", 100, ["disbursed"]),
        (DAI_PHUOC, "R1", "gte", 2, ["local_spending", "grdp"]),
        ("14161-2026-digital-transformation-area", "R1", "gte", 10, ["budget_lines"]),
        ("25378-2026-digital-transformation-state-agencies", "R1", None, None, ["required_value", "local_spending"]),
    ],
)
async def test_rules_that_need_other_figures_name_them(
    five_plans: House, plan_key: str, rule: str, comparator: str | None, value: int | None, missing: list[str]
) -> None:
    check = (await checks_of(five_plans, plan_key))[rule]
    assert (check["verdict"], check["comparator"], check["missing"]) == ("not_measurable", comparator, missing)
    assert check["required"]["value"] == value
    assert check["rule"]["key"] == rule


@needs_truth
async def test_every_rule_of_the_ground_truth_is_answered(five_plans: House) -> None:
    for plan_key, slug in SLUGS.items():
        checks = await checks_of(five_plans, plan_key)
        known = [(short(rule["key"]), rule["kind"], rule["rule_vi"]) for rule in truth(slug)["budget_rules"]]
        answered = [
            (key, check["rule"]["kind"], check["rule"]["rule_vi"])
            for key, check in checks.items()
            if check["rule"] is not None
        ]
        assert answered == known


@pytest.mark.parametrize("plan_key", list(WITHOUT))
async def test_a_plan_without_a_budget_answers_plainly(five_plans: House, plan_key: str) -> None:
    assert await rows(five_plans, "lines", plan_key=plan_key) == []
    (row,) = await rows(five_plans, "checks", plan_key=plan_key)
    assert (row["has_budget"], row["lines"], row["amount_vnd"], row["stated_total_vnd"]) == (False, 0, 0, None)
    assert row["checks"][0]["verdict"] == "no_budget"
    document = (await five_plans.client.get(f"/v1/budget/lines/{plan_key}", headers=five_plans.admin)).json()
    assert (document["has_budget"], document["lines"], document["groups"]) == (False, [], [])


async def test_applying_the_reference_again_changes_nothing(five_plans: House) -> None:
    for plan_key in (TAN_HUNG, DAI_PHUOC):
        response = await five_plans.client.put(
            f"/v1/budget/lines/{plan_key}",
            json=declared(plan_key),
            params={"dry_run": "true", "prune": "true"},
            headers=five_plans.admin,
        )
        changes = response.json()["changes"]
        assert {name: (c["created"], c["updated"], c["removed"]) for name, c in changes.items()} == dict.fromkeys(
            ("lines", "groups", "cells"), ([], [], [])
        )
