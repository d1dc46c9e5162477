"""All 98 indicators and 159 targets, field by field: REST against reference/, reference/ against the truth."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.indicators.schemas.catalogue import IndicatorBody
from services.indicators.schemas.targets import TargetBody
from tests.house import REFERENCE, House, read_yaml
from tests.indicators.given import items

TRUTH = REFERENCE.parent.parent / "shared" / "reference"
PLANS = {
    "tan-loi": "25378-2026-digital-transformation-state-agencies",
    "tan-hung": "25345-2026-digital-transformation-st-innovation",
    "giao-minh": "14161-2026-digital-transformation-area",
    "xuan-thanh": "26434-2026-resolution-57-implementation",
    "dai-phuoc": "26491-2026-digital-transformation-state-agencies",
}
needs_truth = pytest.mark.skipif(not TRUTH.is_dir(), reason="the ground truth lies beside the repository only here")


def read(path: Path) -> Any:
    return read_yaml(path)


def full(kind: type[IndicatorBody] | type[TargetBody], declared: dict[str, Any]) -> dict[str, Any]:
    """A declaration with every field it leaves to its default, as JSON says it."""
    exact = {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in declared.items()}
    told = kind(**exact).model_dump(mode="json")
    if "value" in told:
        told["value"] = declared.get("value")
    return told


def declared_catalogue() -> dict[str, dict[str, Any]]:
    return {each["code"]: full(IndicatorBody, each) for each in read(REFERENCE / "catalogue.yaml")["indicators"]}


def declared_targets(plan_key: str) -> list[dict[str, Any]]:
    return [full(TargetBody, each) for each in read(REFERENCE / "targets" / f"{plan_key}.yaml")["targets"]]


async def test_all_98_indicators_are_served_as_declared(five_plans: House) -> None:
    served = await items(five_plans, "/v1/indicators/catalogue", limit=1000)
    declared = declared_catalogue()
    assert len(served) == len(declared) == 98
    for row in served:
        expected = declared[row["code"]]
        assert {name: row[name] for name in expected} == expected
        one = await five_plans.client.get(f"/v1/indicators/catalogue/{row['code']}", headers=five_plans.admin)
        assert one.json() == row


async def test_all_159_targets_are_served_as_declared(five_plans: House) -> None:
    served = await items(five_plans, "/v1/indicators/targets", limit=1000)
    assert len(served) == 159
    for plan_key in PLANS.values():
        declared = declared_targets(plan_key)
        listed = [row for row in served if row["plan_key"] == plan_key]
        document = await five_plans.client.get(f"/v1/indicators/targets/{plan_key}", headers=five_plans.admin)
        for rows in (listed, document.json()["targets"]):
            assert [{name: row[name] for name in TargetBody.model_fields} for row in rows] == declared
        assert [row["position"] for row in listed] == list(range(1, len(declared) + 1))


async def test_every_target_has_its_verdict_and_sentence(five_plans: House) -> None:
    cards = await items(five_plans, "/v1/indicators/scorecards", limit=1000, on="2026-11-22")
    assert len(cards) == 159
    verdicts = Counter(card["evaluation"]["achievement"] for card in cards)
    assert set(verdicts) >= {"exceeded", "met", "on_track", "off_track", "not_met", "no_data", "not_measurable"}
    for card in cards:
        reason = card["evaluation"]["reason_vi"]
        assert card["plan_key"] in reason
        assert card["target"]["name_vi"] in reason
        assert reason.endswith(".")
        assert "‹" not in reason + card["evaluation"]["reason_en"]
    samples = [card["actual"] for card in cards if card["actual"]]
    assert {actual["source"] for actual in samples} == {"sample"}
    assert all(actual["is_sample"] for actual in samples)


@pytest.mark.parametrize(
    ("unit", "key", "expected"),
    [
        ("25378", "3", {"value_type": "text", "comparator": "qualitative", "raw_target": "Theo phân bổ của tỉnh"}),
        ("26491", "III.1", {"value_type": "rank", "comparator": "top_n", "value": 10, "raw_target": "Top 10"}),
        ("25378", "24", {"value_type": "level", "comparator": "eq", "value": 1, "raw_target": "Cấp độ 1"}),
        ("14161", "2.3.7a", {"sub_population": "giáo viên", "value": 100}),
        ("14161", "2.3.7b", {"sub_population": "học sinh phổ thông", "value": 65}),
        ("14161", "2.5.1", {"value_type": "index", "value": 0.7, "comparator": "gte"}),
        (
            "26434",
            "I.6",
            {"comparator": "by_date", "due": {"kind": "month", "value": "2026-04"}, "due_on": "2026-04-30"},
        ),
        ("25345", "body.VI.6b", {"comparator": "eq", "value": 0, "measure_unit": "hồ sơ", "plan_row": None}),
        ("25378", "body.II.4.1", {"value": 2, "measure_unit": "lớp/năm"}),
    ],
)
async def test_odd_targets_are_served_as_they_are(
    five_plans: House, unit: str, key: str, expected: dict[str, Any]
) -> None:
    rows = await items(five_plans, "/v1/indicators/targets", admin_unit=unit, limit=1000)
    found = next(row for row in rows if row["key"] == key)
    assert {name: found[name] for name in expected} == expected


async def test_targets_without_an_office_say_so(five_plans: House) -> None:
    cards = await items(five_plans, "/v1/indicators/scorecards", limit=1000)
    assert sum(card["target"]["lead_vi"] == "chưa phân công" for card in cards) == 77


CATALOGUE_NAMES = {"unit": "measure_unit"}
TARGET_NAMES = {
    "row": "plan_row",
    "unit": "measure_unit",
    "lead": "lead_offices",
    "coordinating": "coordinating_offices",
    "supporting": "supporting_offices",
}


@needs_truth
async def test_the_catalogue_is_the_truth_and_used_by_follows_from_the_targets(five_plans: House) -> None:
    served = {row["code"]: row for row in await items(five_plans, "/v1/indicators/catalogue", limit=1000)}
    declared = declared_catalogue()
    for truth in read(TRUTH / "catalogue.yaml"):
        users = sorted(PLANS[slug][:5] for slug in truth.pop("used_by"))
        code = truth["code"]
        assert {name: declared[code][CATALOGUE_NAMES.get(name, name)] for name in truth} == truth
        assert served[code]["used_by"] == users


@needs_truth
@pytest.mark.parametrize("slug", PLANS)
def test_targets_are_the_truth(slug: str) -> None:
    declared = {each["key"]: each for each in declared_targets(PLANS[slug])}
    truths = read(TRUTH / "targets" / f"{slug}.yaml")
    assert len(declared) == len(truths)
    for truth in truths:
        ours = declared[truth.pop("key").partition("/")[2]]
        due = truth.pop("due")
        told = due and {"kind": due["kind"], "value": None if due["value"] is None else str(due["value"])}
        assert ours["due"] == told
        assert {name: ours[TARGET_NAMES.get(name, name)] for name in truth} == truth
