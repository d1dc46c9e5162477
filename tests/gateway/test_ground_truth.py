"""Everything the five plans say is read back through GraphQL and compared field by field with `reference/`."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.selections import camel, everything
from tests.gateway.shapes import Served
from tests.house import REFERENCE, read_yaml

# What the truth holds; the numbers of the issue, counted in the source texts.
COUNTS = {
    "tasks": 228, "legalBases": 91, "reportingDuties": 22, "budgetRules": 27, "priorYearResults": 12,
    "recipients": 49, "externalSystems": 96, "discrepancies": 53, "targets": 159, "lines": 29, "groups": 7,
}  # fmt: skip
LISTS = {
    "tasks": "Task", "legalBases": "LegalBasis", "reportingDuties": "ReportingDuty", "budgetRules": "BudgetRule",
    "priorYearResults": "PriorYearResult", "recipients": "Recipient", "externalSystems": "ExternalSystem",
    "discrepancies": "Discrepancy", "targets": "Target",
}  # fmt: skip
RENAMED = {"admin_unit": "adminUnitCode", "indicator": "indicatorCode"}
# Answered beside what a file says: keys of the whole, places, and what follows from what is said.
DERIVED = {
    "id", "planKey", "adminUnitCode", "year", "position", "startsOn", "endsOn", "isContinuous", "dueFrom", "dueOn",
    "knownFrom", "planId", "kind", "revision", "status", "version", "recordedAt", "usedBy", "allowsAbove100",
    "budgetYears", "lines", "connection",
}  # fmt: skip
DEFAULTS = {"stage": "ESTIMATED", "trajectory": "NONE", "accumulation": "UNKNOWN", "derivedFrom": "POSTED"}


def files(folder: str) -> list[Path]:
    return sorted((REFERENCE / folder).glob("*.yaml"))


def read(path: Path) -> Any:
    return read_yaml(path)


def plain(value: Any) -> Any:
    """A value as both sides can be compared: enums in small letters, numbers exact, offices by slug."""
    if isinstance(value, dict):
        return value["slug"] if value.keys() == {"slug"} else {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def differences(said: dict[str, Any], served: dict[str, Any], place: str) -> Iterator[str]:
    """Fields that a file says and GraphQL does not, and the other way round."""
    told: set[str] = set()
    for name, value in said.items():
        field = RENAMED.get(name, camel(name))
        if name == "base":
            field = "baseVnd" if isinstance(value, int) else "baseText"
        told.add(field)
        if field not in served:
            yield f"{place}.{field} is not served"
        else:
            yield from difference(value, served[field], f"{place}.{field}")
    for field, value in served.items():
        if field not in told | DERIVED and value not in (None, [], False, DEFAULTS.get(field)):
            yield f"{place}.{field} = {value!r} is not in the file"


def difference(said: Any, served: Any, place: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(served, dict):
        yield from differences(said, served, place)
    elif isinstance(said, list) and said and isinstance(said[0], dict):
        if len(said) != len(served):
            yield f"{place}: {len(said)} said, {len(served)} served"
        for at, (one, other) in enumerate(zip(said, served, strict=False)):
            yield from differences(one, other, f"{place}[{at}]")
    elif not same(plain(said), plain(served)):
        yield f"{place}: said {said!r}, served {served!r}"


def same(said: Any, served: Any) -> bool:
    if said == served:
        return True
    if isinstance(said, Decimal) and isinstance(served, str):
        return said == Decimal(served)
    if isinstance(said, str) and isinstance(served, str):
        return said.upper() == served  # a code and its enum value
    return isinstance(said, list) and isinstance(served, list) and [each.upper() for each in said] == served


async def plan_of(served: Served, plan_key: str) -> Any:
    """A whole plan; in several operations, for one may not ask that much."""
    found: dict[str, Any] = {}
    for part in (
        everything("Plan"),
        *(f"{name}{{{everything(kind)}}}" for name, kind in LISTS.items()),
        f"budget{{lines{{{everything('BudgetLine')}}} groups{{{everything('BudgetGroup')}}}}}",
    ):
        data = await served.ask(f"query($key: String!){{plan(planKey: $key){{{part}}}}}", {"key": plan_key})
        found |= data["plan"]
    return found


@pytest.fixture(scope="module")
async def plans(served: Served) -> dict[str, Any]:
    return {path.stem: await plan_of(served, path.stem) for path in files("plans")}


async def test_every_plan_says_what_its_document_says(plans: dict[str, Any]) -> None:
    assert len(plans) == 5
    found = []
    for path in files("plans"):
        said = read(path)
        assert (said.pop("life"), plans[path.stem]["status"]) == ("issued", "ISSUED")
        served = {name: value for name, value in plans[path.stem].items() if name not in ("budget", "targets")}
        found += list(differences(said, served, path.stem))
    assert found == []


async def test_every_target_says_what_its_plan_says(plans: dict[str, Any]) -> None:
    found = []
    for path in files("targets"):
        served = {"targets": plans[path.stem]["targets"]}
        found += list(differences(read(path), served, path.stem))
    assert found == []


async def test_every_budget_says_what_its_plan_says(plans: dict[str, Any]) -> None:
    found = []
    for path in files("budget"):
        found += list(differences(read(path), plans[path.stem]["budget"], path.stem))
    assert found == []
    without = set(plans) - {path.stem for path in files("budget")}
    assert [plans[key]["budget"] for key in without] == [{"lines": [], "groups": []}] * 3


async def test_nothing_of_the_truth_is_lost(plans: dict[str, Any]) -> None:
    counted = Counter[str]()
    for plan in plans.values():
        for name in LISTS:
            counted[name] += len(plan[name])
        for name in ("lines", "groups"):
            counted[name] += len(plan["budget"][name])
    assert counted == COUNTS


async def test_every_indicator_says_what_the_catalogue_says(served: Served) -> None:
    page = f"nodes{{{everything('Indicator')}}} pageInfo{{hasNextPage endCursor}}"
    query = f"query($after: Cursor){{indicators(first: 60, after: $after){{{page}}}}}"
    nodes: list[Any] = []
    info: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while info["hasNextPage"]:
        answered = (await served.ask(query, {"after": info["endCursor"]}))["indicators"]
        nodes += answered["nodes"]
        info = answered["pageInfo"]
    said = {row["code"]: row for row in read(REFERENCE / "catalogue.yaml")["indicators"]}
    assert len(nodes) == len({node["code"] for node in nodes}) == 98
    found = [line for node in nodes for line in differences(said[node["code"]], node, node["code"])]
    assert found == []
    assert sum(len(node["usedBy"]) == 1 for node in nodes) == 63


async def test_the_odd_ones_are_there(plans: dict[str, Any]) -> None:
    targets = [target for plan in plans.values() for target in plan["targets"]]
    texts = [target for target in targets if target["rawTarget"] == "Theo phân bổ của tỉnh"]
    assert [(target["valueType"], target["value"]) for target in texts] == [("TEXT", None)]
    tops = [target for target in targets if target["comparator"] == "TOP_N"]
    assert [(target["valueType"], target["value"], target["rawTarget"]) for target in tops] == [
        ("RANK", "10", "Top 10")
    ]
    levels = [target for target in targets if target["valueType"] == "LEVEL"]
    assert levels
    assert all(target["value"] is not None for target in levels)
    twice = Counter((target["planKey"], target["indicatorCode"]) for target in targets)
    disaggregated = [key for key, count in twice.items() if count > 1]
    assert disaggregated
    for plan_key, code in disaggregated:
        parts = [t["subPopulation"] for t in targets if (t["planKey"], t["indicatorCode"]) == (plan_key, code)]
        assert len(set(parts)) == len(parts)
    lead_less = [target for target in targets if not target["leadOffices"]]
    assert len(lead_less) == 77
    lines = [line for plan in plans.values() for line in plan["budget"]["lines"]]
    assert "QUARTER_RANGE" in {line["executionTimeKind"] for line in lines}
    blank = {key for key, plan in plans.items() if plan["documentNumber"] is None}
    assert blank == {key for key, plan in plans.items() if "document_number" in plan["blankInSource"]}
    reserves = [line for line in lines if line["expenditureKind"] == "RESERVE"]
    assert [(line["pillar"], line["amountVnd"]) for line in reserves] == [(None, 50_000_000)]
    sums = {plan["planKey"][:5]: sum(line["amountVnd"] for line in plan["budget"]["lines"]) for plan in plans.values()}
    assert sums == {"14161": 0, "25345": 1_670_000_000, "25378": 0, "26434": 0, "26491": 8_385_000_000}
    cells = [cell for plan in plans.values() for group in plan["budget"]["groups"] for cell in group["cells"]]
    assert (len(cells), sum(cell["amountVnd"] for cell in cells)) == (10, 1_670_000_000)
