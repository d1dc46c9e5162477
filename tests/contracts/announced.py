"""One of each: writes upon the five plans that make the services announce an event of every type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from chassis.settings import SERVICES
from tests.house import REFERENCE, House, read_yaml

UNIT = "26491"
PLAN = "26491-2026-digital-transformation-state-agencies"
CORRECTION = "Ghi nhầm khi nhập liệu"
AMENDMENT = {"document_number": "112/KH-UBND", "issued_on": "2026-07-15", "reason_vi": "Điều chỉnh giữa năm"}
# Stands where people's names, remarks and evidence stand, none of which is ever announced.
UNSAID = "Nguyễn Văn Không-Nói-Ra"
WITHDRAWN = [{"indicator": "AGENCIES_IT_EQUIPPED_RATE", "action": "withdraw", "reason": "Chưa kiểm đếm xong"}]
POSTED = [
    {
        "indicator": "PUBLIC_WIFI_POINTS", "value": 30, "measured_on": "2026-09-14",
        "evidence_url": "https://example.gov.vn/minh-chung",
    },
    {"indicator": "AGENCIES_IT_EQUIPPED_RATE", "numerator": 59, "denominator": 60, "measured_on": "2026-09-14"},
]  # fmt: skip

# The event that shows its type best: the last one of its type and subject.
SHOWN: Mapping[str, str] = {
    "vn.chitieu.plans.admin_unit.changed.v1": UNIT,
    "vn.chitieu.plans.office.changed.v1": f"{UNIT}/phong-vhxh",
    "vn.chitieu.plans.office.removed.v1": f"{UNIT}/to-de-an-06",
    "vn.chitieu.plans.plan.recorded.v1": PLAN,
    "vn.chitieu.plans.plan.issued.v1": PLAN,
    "vn.chitieu.plans.plan.amended.v1": PLAN,
    "vn.chitieu.plans.plan.closed.v1": PLAN,
    "vn.chitieu.indicators.actuals.posted.v1": UNIT,
    "vn.chitieu.indicators.targets.applied.v1": PLAN,
    "vn.chitieu.indicators.indicator.changed.v1": "PUBLIC_WIFI_POINTS",
    "vn.chitieu.indicators.regime.changed.v1": "state",
    "vn.chitieu.budget.lines.applied.v1": PLAN,
}


def reference(name: str) -> Any:
    """A file of the reference data."""
    return read_yaml(REFERENCE / name)


async def write(house: House, method: str, path: str, body: Any, **query: str) -> None:
    """One write of the commune's own client."""
    headers = {**house.headers(client_id="dai-phuoc"), "Idempotency-Key": str(uuid4())}
    answer = await house.client.request(method, path, json=body, params=query, headers=headers)
    assert answer.status_code in (200, 201), answer.text


async def live_through_a_year(house: House) -> None:
    """Upon the five plans: offices come and go, figures and targets change, the plan is amended and closed."""
    await change_units_and_offices(house)
    await change_figures_and_targets(house)
    await change_budget_and_lists(house)
    plan = {name: value for name, value in reference(f"plans/{PLAN}.yaml").items() if name != "life"}
    plan["tasks"][0] |= {"title_vi": f"{plan['tasks'][0]['title_vi']} (điều chỉnh)", "note": UNSAID}
    plan["recipients"][0] |= {"raw_text": UNSAID, "names_person": True, "note": UNSAID}
    plan["budget_rules"][0] |= {"note": UNSAID}
    plan |= {"signer_name": UNSAID, "notes": [UNSAID]}
    await write(house, "POST", f"/v1/plans/{PLAN}/amend", {"amendment": AMENDMENT, "plan": plan})
    await write(house, "POST", f"/v1/plans/{PLAN}/close", {"closed_on": "2026-12-31", "reason_vi": "Hết năm kế hoạch"})
    await house.sequence()


async def change_figures_and_targets(house: House) -> None:
    """A sample is withdrawn, figures are posted with evidence, a target is corrected."""
    for rows in (WITHDRAWN, POSTED):
        body = [{**row, "admin_unit": UNIT, "period": "2026-Q3", "note": UNSAID} for row in rows]
        await write(house, "POST", "/v1/indicators/actuals", body)
    targets = reference(f"targets/{PLAN}.yaml")
    targets["targets"][1] |= {"value": 35, "raw_target": "dự kiến 35 điểm", "note": UNSAID}
    await write(house, "PUT", f"/v1/indicators/targets/{PLAN}", targets, correction=CORRECTION)


async def change_budget_and_lists(house: House) -> None:
    """A budget line is corrected; a catalogue entry and a regime's due rule say something else."""
    budget = reference(f"budget/{PLAN}.yaml")
    budget["lines"][1] |= {"amount_vnd": 75_000_000, "note": UNSAID}
    await write(house, "PUT", f"/v1/budget/lines/{PLAN}", budget, correction=CORRECTION)
    catalogue = reference("catalogue.yaml")
    entry = next(each for each in catalogue["indicators"] if each["code"] == "PUBLIC_WIFI_POINTS")
    entry |= {"name_vi": f"{entry['name_vi']} (đang hoạt động)", "note": UNSAID}
    await write(house, "PUT", "/v1/indicators/catalogue", catalogue)
    regimes = reference("regimes.yaml")
    regimes["regimes"][0] |= {"note": UNSAID}
    regimes["regimes"][0]["due_rules"][1] |= {"day": 12}
    await write(house, "PUT", "/v1/indicators/regimes", regimes)


async def change_units_and_offices(house: House) -> None:
    """A unit gets its electronic identifier; an office is added, another renamed, and the first removed again."""
    unit = {"code": UNIT, "name_vi": "Đại Phước", "name_en": "Dai Phuoc", "type": "commune", "province_code": "75"}
    validity = {**unit, "agency_code": "H19.138", "valid_from": "2025-07-01"}
    await write(house, "PUT", "/v1/plans/admin-units", {"admin_units": [validity]})
    offices = reference(f"offices/{UNIT}.yaml")["offices"]
    added = {"slug": "to-de-an-06", "name_vi": "Tổ Đề án 06", "name_en": "Project 06 team", "level": "commune"}
    renamed = [{"slug": "phong-vhxh", "name_vi": "Phòng Văn hóa - Xã hội", "aliases": ["P. VH-XH"]}]
    await write(house, "PUT", f"/v1/plans/offices/{UNIT}", {"offices": [*offices, added]})
    await write(house, "PUT", f"/v1/plans/offices/{UNIT}", {"offices": [*renamed, *offices[1:]]}, prune="true")


async def heard(house: House, headers: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Every event of every service a caller may hear, in the order of each."""
    found: list[dict[str, Any]] = []
    for service in SERVICES:
        after = ""
        while True:
            asked = {"limit": "1000", **({"after": after} if after else {})}
            answer = await house.client.get(f"/v1/{service}/changes", params=asked, headers=headers or house.admin)
            page = json.loads(answer.content, object_pairs_hook=_once)
            found += page["items"]
            if not page["items"]:
                break
            after = page["next"]
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose fields stand in it once."""
    found = dict(pairs)
    assert len(found) == len(pairs), pairs
    return found
