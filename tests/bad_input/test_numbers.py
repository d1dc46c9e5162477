"""Huge, tiny and odd numbers: refused with their place, quickly, and never rounded or wrapped unseen."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.bad_input.refusals import ACTUALS, BUDGET, PLAN, refused
from tests.house import House

AS_JSON = {"Content-Type": "application/json"}
LINE = {"key": "A", "title_vi": "T", "amount_vnd": 1, "expenditure_kind": "recurrent"}
MARK = "__number__"

HUGE = [
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1" + "0" * 400,
    "1e400",
    "1E+1000000000",
    "-1e99999",
    "1e-99999999",
    "0." + "0" * 5000 + "1",
    "123456789012345678901234567890.123456789",
]


def with_number(content: Any, number: str) -> bytes:
    """A body whose mark is that number, as written."""
    return json.dumps(content).replace(f'"{MARK}"', number).encode()


async def quickly(house: House, method: str, path: str, content: bytes, **expected: Any) -> dict[str, Any]:
    started = time.monotonic()
    problem, _ = await refused(house, method, path, headers=AS_JSON, content=content, **expected)
    assert time.monotonic() - started < 5
    return problem


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"lines": [{**LINE, "amount_vnd": MARK}]}, "/lines/0/amount_vnd"),
        ({"lines": [{**LINE, "phase": MARK}]}, "/lines/0/phase"),
        ({"lines": [{**LINE, "budget_years": [MARK]}]}, "/lines/0/budget_years/0"),
        ({"lines": [{**LINE, "quantity": {"value": MARK, "unit": "T"}}]}, "/lines/0/quantity/value"),
    ],
    ids=["amount", "phase", "year", "quantity"],
)
async def test_a_budget_refuses_numbers_out_of_range(five_plans: House, content: Any, place: str, number: str) -> None:
    body = with_number(content, number)
    await quickly(five_plans, "PUT", BUDGET, body, status=422, code="body_invalid", place=place)


@pytest.mark.parametrize("number", HUGE)
async def test_a_plan_refuses_numbers_out_of_range(five_plans: House, number: str) -> None:
    titles = {"title_vi": "T", "title_en": "T", "issuing_body": "UBND"}
    for field in ("budget_total_vnd", "year"):
        content = with_number({**titles, field: MARK}, number)
        path = f"/v1/plans/{PLAN}"
        await quickly(five_plans, "PUT", path, content, status=422, code="body_invalid", place=f"/{field}")


@pytest.mark.parametrize("number", HUGE)
async def test_a_figure_out_of_range_is_refused_in_its_row(five_plans: House, number: str) -> None:
    row = {
        "admin_unit": "25345",
        "indicator": "BUDGET_DISBURSEMENT_RATE",
        "period": "2026-Q2",
        "value": MARK,
    }
    code = "actuals_refused"
    problem = await quickly(five_plans, "POST", ACTUALS, with_number([row], number), status=422, code=code)
    places = {(fault.get("row"), fault.get("column"), fault.get("pointer")) for fault in problem["errors"]}
    assert places == {(1, "value", None)}


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("field", ["numerator", "denominator", "level", "rank", "base_version"])
async def test_no_number_of_a_row_breaks_a_post(five_plans: House, field: str, number: str) -> None:
    row = {"admin_unit": "25345", "indicator": "BUDGET_DISBURSEMENT_RATE", "period": "2026-Q2", field: MARK}
    await quickly(five_plans, "POST", ACTUALS, with_number([row], number), status=422, code="actuals_refused")


@pytest.mark.parametrize("number", HUGE)
async def test_a_target_out_of_range_is_refused(five_plans: House, number: str) -> None:
    target = {"key": "T1", "indicator": "BUDGET_DISBURSEMENT_RATE", "comparator": "gte", "value": MARK}
    path = f"/v1/indicators/targets/{PLAN}"
    await quickly(five_plans, "PUT", path, with_number({"targets": [target]}, number), status=422, code="body_invalid")


TEXTS = ["1670000000", "1.670.000.000", "1,670,000,000", "1670 triệu", "１６７０", "1_000", " 5 "]


@pytest.mark.parametrize("text", TEXTS)
async def test_an_amount_as_text_is_never_guessed(five_plans: House, text: str) -> None:
    content = {"lines": [{**LINE, "amount_vnd": text}]}
    vi, en = await refused(
        five_plans, "PUT", BUDGET, status=422, code="body_invalid", place="/lines/0/amount_vnd", json=content
    )
    assert vi["errors"][0]["code"] == "amount_not_whole_dong"
    assert vi["errors"][0]["value"] == text
    assert en["errors"][0]["message"].startswith("An amount is whole đồng")
