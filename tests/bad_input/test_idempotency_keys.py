"""Idempotency keys: the same request has one effect and one answer; another request under its key has none."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from tests.bad_input.refusals import ACTUALS, PLAN, WRITES, nothing_written, read_problem, refused
from tests.house import House

POSTS = [path for method, path in WRITES if method == "POST" and path != ACTUALS]
UNIT = {
    "code": "25345",
    "name_vi": "Tân Hưng",
    "name_en": "Tan Hung",
    "type": "commune",
    "province_code": "75",
    "valid_from": "2025-07-01",
}
PROVINCE = {"code": "75", "name_vi": "Đồng Nai", "name_en": "Dong Nai", "type": "province", "valid_from": "2025-07-01"}
DRAFT = {"title_vi": "Kế hoạch", "title_en": "Plan", "issuing_body": "UBND xã", "blank_in_source": ["issued_on"]}
KEY = "25345-2026-digital-transformation"
ISSUE = f"/v1/plans/{KEY}/issue"


async def draft(house: House) -> None:
    """A unit and the draft of a plan."""
    units = await house.client.put("/v1/plans/admin-units", json={"admin_units": [PROVINCE, UNIT]}, headers=house.admin)
    assert units.status_code == 200, units.text
    plan = await house.client.put(f"/v1/plans/{KEY}", json=DRAFT, headers=house.admin)
    assert plan.status_code in (200, 201), plan.text


async def issue(house: House, content: dict[str, Any], key: str, **headers: str) -> Any:
    given = {**house.admin, "Idempotency-Key": key, **headers}
    return await house.client.post(ISSUE, json=content, headers=given)


@pytest.mark.parametrize("path", POSTS)
async def test_a_post_without_a_key_is_refused(five_plans: House, path: str) -> None:
    response = await five_plans.client.post(path, json={}, headers={**five_plans.admin, "Accept-Language": "en"})
    problem = read_problem(response, response.status_code, response.json()["code"], "en")
    assert problem["code"] in ("idempotency_key_missing", "body_invalid")
    assert problem["status"] in (400, 422)


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "tab\there"])
async def test_a_key_of_another_form_is_refused(five_plans: House, key: str) -> None:
    path = f"/v1/plans/{PLAN}/issue"
    await refused(
        five_plans,
        "POST",
        path,
        status=400,
        code="idempotency_key_invalid",
        headers={"Idempotency-Key": key},
        json={"document_number": "1/KH-UBND"},
    )


async def test_the_same_request_again_is_answered_from_what_is_stored(house: House) -> None:
    await draft(house)
    key = str(uuid.uuid4())
    first = await issue(house, {"document_number": "77/KH-UBND"}, key)
    assert first.status_code == 200, first.text
    async with nothing_written(house):
        again = await issue(house, {"document_number": "77/KH-UBND"}, f'"{key}"')
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


async def test_another_request_under_a_used_key_is_refused(house: House) -> None:
    await draft(house)
    assert (await issue(house, {"document_number": "77/KH-UBND"}, "used")).status_code == 200
    given = {"headers": {"Idempotency-Key": "used"}, "status": 422, "code": "idempotency_key_reused"}
    await refused(house, "POST", ISSUE, json={"document_number": "78/KH-UBND"}, **given)
    await refused(house, "POST", f"{ISSUE}?dry_run=false", json={"document_number": "77/KH-UBND"}, **given)
    await refused(house, "POST", f"/v1/plans/{KEY}/close", json={"reason_vi": "Hết năm"}, **given)


async def test_a_key_belongs_to_its_client(house: House) -> None:
    await draft(house)
    assert (await issue(house, {"document_number": "77/KH-UBND"}, "shared")).status_code == 200
    other = await issue(house, {"document_number": "77/KH-UBND"}, "shared", **house.headers(client_id="other"))
    assert (other.status_code, other.json()["code"]) == (409, "plan_already_issued")


async def test_a_refused_request_leaves_its_key_free(house: House) -> None:
    await draft(house)
    assert (await issue(house, {"issued_on": "2999-01-01"}, "again")).status_code == 422
    assert (await issue(house, {"document_number": "77/KH-UBND"}, "again")).status_code == 200


async def test_a_dry_run_leaves_its_key_free(house: House) -> None:
    await draft(house)
    headers = {**house.admin, "Idempotency-Key": "dry"}
    content = {"document_number": "77/KH-UBND"}
    dry = await house.client.post(f"{ISSUE}?dry_run=true", json=content, headers=headers)
    assert dry.status_code == 200
    assert (await issue(house, content, "dry")).status_code == 200


async def test_a_twin_of_a_running_request_is_told_to_wait(house: House) -> None:
    await draft(house)
    # The first request waits for the plan, which somebody else holds locked; its twin must not wait behind it.
    async with house.database("plans").write(keep=False) as db:
        locked = text("SELECT 1 FROM aggregate_head WHERE subject = :s FOR UPDATE")
        await db.execute(locked, {"s": KEY})
        first = asyncio.create_task(issue(house, {"document_number": "77/KH-UBND"}, "twin"))
        await _until_it_waits(house)
        for language in ("vi", "en"):
            twin = await issue(house, {"document_number": "77/KH-UBND"}, "twin", **{"Accept-Language": language})
            problem = read_problem(twin, 409, "request_in_progress", language)
            assert problem["detail"]
            assert twin.headers["Retry-After"] == "1"
    answer = await first
    assert answer.status_code == 200, answer.text
    replay = await issue(house, {"document_number": "77/KH-UBND"}, "twin")
    assert (replay.headers["Idempotency-Replayed"], replay.content) == ("true", answer.content)


async def _until_it_waits(house: House) -> None:
    """Return as soon as some backend of the plans service waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND application_name = 'chitieu-plans'"
    )
    async with asyncio.timeout(10):
        while True:
            async with house.database("plans").read() as db:
                if (await db.execute(waiting)).scalar():
                    return
