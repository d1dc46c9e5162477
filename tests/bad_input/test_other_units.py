"""Sound bodies under a token of another unit: every write is refused, and drafts stay unseen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bad_input.refusals import ACTUALS, IMPORT, PLAN, WRITES, refused
from tests.house import EVERY_SCOPE, REFERENCE, House, read_yaml


def declared(name: str) -> dict[str, Any]:
    """A declaration of the reference data, as the loader sends it."""
    content: dict[str, Any] = read_yaml(REFERENCE / f"{name}.yaml")
    content.pop("life", None)
    return content


UNIT = {
    "code": "25345",
    "name_vi": "Tân Hưng",
    "name_en": "Tan Hung",
    "type": "commune",
    "province_code": "75",
    "valid_from": "2025-07-01",
}
AMENDMENT = {"reason_vi": "Điều chỉnh kinh phí"}
BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/v1/plans/admin-units"): {"admin_units": [UNIT]},
    ("PUT", "/v1/plans/office-kinds"): declared("offices"),
    ("PUT", "/v1/plans/offices/25345"): declared("offices/25345"),
    ("PUT", f"/v1/plans/{PLAN}"): declared(f"plans/{PLAN}"),
    ("POST", f"/v1/plans/{PLAN}/issue"): {},
    ("POST", f"/v1/plans/{PLAN}/amend"): {"amendment": AMENDMENT, "plan": declared(f"plans/{PLAN}")},
    ("POST", f"/v1/plans/{PLAN}/close"): AMENDMENT,
    ("PUT", "/v1/indicators/catalogue"): declared("catalogue"),
    ("PUT", "/v1/indicators/regimes"): declared("regimes"),
    ("PUT", f"/v1/indicators/targets/{PLAN}"): declared(f"targets/{PLAN}"),
    ("PUT", f"/v1/budget/lines/{PLAN}"): declared(f"budget/{PLAN}"),
}


# An import is opened by anybody; its rows are judged when it is run.
JUDGED_LATER = {("POST", "/v1/indicators/imports"), ("POST", f"/v1/indicators/imports/{IMPORT}/revert")}


def test_every_write_has_a_body_here() -> None:
    assert {*BODIES, *JUDGED_LATER, ("POST", ACTUALS)} == set(WRITES)


@pytest.mark.parametrize(("method", "path"), list(BODIES))
@pytest.mark.parametrize("unit", ["26434", "37"], ids=["another commune", "another province"])
async def test_no_unit_writes_for_another(five_plans: House, method: str, path: str, unit: str) -> None:
    headers = five_plans.headers(EVERY_SCOPE, [unit])
    vi, en = await refused(
        five_plans, method, path, status=403, code="unit_not_covered", headers=headers, json=BODIES[method, path]
    )
    assert vi["detail"].startswith("Mã truy cập này không được làm thay")
    assert en["detail"].startswith("This token may not act")


@pytest.mark.parametrize("unit", ["26434", "37"])
async def test_no_unit_posts_for_another(five_plans: House, unit: str) -> None:
    row = {"admin_unit": "25345", "indicator": "BUDGET_DISBURSEMENT_RATE", "period": "2026-Q2", "value": 50}
    headers = five_plans.headers(EVERY_SCOPE, [unit])
    vi, _ = await refused(five_plans, "POST", ACTUALS, status=422, code="actuals_refused", headers=headers, json=[row])
    assert {(fault["row"], fault["column"]) for fault in vi["errors"]} == {(1, "admin_unit")}
