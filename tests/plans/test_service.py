"""What happens: who did what is noted, refusals write nothing, a province plans like a commune."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.bodies import decode_json
from chassis.errors import Conflict, Forbidden, NotFound, PreconditionFailed, Refused
from services.plans.domain.filters import AsKnown
from services.plans.schemas.offices import OfficesBody
from services.plans.schemas.plans import AmendBody, CloseBody, IssueBody, PlanBody
from services.plans.schemas.units import AdminUnitsBody
from services.plans.service import acts, offices
from services.plans.service import plans as service
from services.plans.service import units as unit_service
from services.plans.service.plans import Terms
from tests.house import House
from tests.plans.calls import events, get, items, put_plan, writer
from tests.plans.factories import AMENDMENT, PLAN_KEY, make_plan, make_unit


def as_sent(body: dict[str, Any]) -> Any:
    """A body as it comes in: decimals are exact."""
    return decode_json(json.dumps(body).encode())


BODY = PlanBody.model_validate(as_sent(make_plan()))


async def apply(house: House, caller: Any, body: PlanBody = BODY, key: str = PLAN_KEY, **terms: Any) -> Any:
    async with house.database("plans").write() as db:
        return await service.apply_plan(db, caller, key, body, Terms(**terms))


@pytest.mark.parametrize(
    ("admin_units", "key", "refusal", "code"),
    [
        (("25345",), PLAN_KEY, Forbidden, "unit_not_covered"),
        (("25345",), "99999-2026-dx", Forbidden, "unit_not_covered"),
        (("*",), "99999-2026-dx", Refused, "unit_unknown"),
        (("75",), "25378-2020-dx", Refused, "unit_not_valid"),
        (("*",), "x", Refused, "plan_key_invalid"),
    ],
)
async def test_a_refused_write_writes_nothing(
    refusing: House, admin_units: tuple[str, ...], key: str, refusal: Any, code: str
) -> None:
    before = await refusing.rows("plans")
    with pytest.raises(refusal) as refused:
        await apply(refusing, refusing.caller(admin_units=admin_units), key=key)
    assert refused.value.rule.code == code
    assert await refusing.rows("plans") == before


async def test_a_version_read_before_another_write_is_refused(units: House) -> None:
    caller = units.caller()
    assert (await apply(units, caller, version=0))["version"] == 1
    with pytest.raises(PreconditionFailed) as refused:
        await apply(units, caller, version=0)
    assert refused.value.values == {"current": 1, "asked": 0}


async def test_who_did_what_is_noted(units: House) -> None:
    caller = units.caller(admin_units=["25378"])
    await apply(units, caller)
    await apply(units, caller, PlanBody.model_validate(as_sent(make_plan(title_en="Other"))))
    async with units.database("plans").write() as db:
        await acts.issue_plan(db, caller, PLAN_KEY, IssueBody(), None)
        amend = AmendBody.model_validate(as_sent({"amendment": AMENDMENT, "plan": make_plan(title_en="Third")}))
        await acts.amend_plan(db, caller, PLAN_KEY, amend, prune=False, version=None)
        await acts.close_plan(db, caller, PLAN_KEY, CloseBody(reason_vi="Hết năm"), None)
    noted = await items(units, "/audit", subject=PLAN_KEY)
    assert [row["action"] for row in noted] == ["plan.record", "plan.record", "plan.issue", "plan.amend", "plan.close"]
    assert {(row["client_id"], row["province"], row["commune"]) for row in noted} == {("tester", "75", "25378")}
    assert noted[1]["old"] == {"header": {"title_en": make_plan()["title_en"]}}
    assert noted[1]["new"]["header"] == {"title_en": "Other"}
    assert [row["new"]["reason"] for row in noted] == [None, None, None, "Điều chỉnh giữa năm", "Hết năm"]


async def test_an_unchanged_amendment_is_still_an_act(units: House) -> None:
    caller = units.caller()
    await apply(units, caller)
    async with units.database("plans").write() as db:
        await acts.issue_plan(db, caller, PLAN_KEY, IssueBody(), None)
        amend = AmendBody.model_validate(as_sent({"amendment": AMENDMENT, "plan": make_plan()}))
        answer = await acts.amend_plan(db, caller, PLAN_KEY, amend, prune=True, version=2)
    assert (answer["revision"], answer["version"]) == (2, 3)
    assert answer["changes"]["header"]["updated"] == ["revision", "status", "amendment"]


async def test_a_province_plans_like_a_commune(units: House) -> None:
    key = "75-2026-digital-transformation"
    commune = await put_plan(units, key=key, headers=writer(units, "25378"))
    assert commune.json()["code"] == "unit_not_covered"
    answer = await put_plan(units, key=key, headers=writer(units, "75"))
    assert answer.status_code == 200, answer.text
    document = await get(units, f"/{key}", writer(units, "75"))
    assert (document["admin_unit"], document["province"]) == ("75", "75")
    heard = next(event for event in await events(units) if event["subject"] == key)
    assert heard["province"] == "75"
    assert "commune" not in heard or heard["commune"] is None


async def test_a_phase_is_of_every_year_it_holds(units: House) -> None:
    await put_plan(units, make_plan(phase="2026-2030"), key="25378-2026-strategy")
    for year, count in ((2025, 0), (2026, 1), (2028, 1), (2030, 1), (2031, 0)):
        assert len(await items(units, "", year=year)) == count
        assert len(await items(units, "/tasks", year=year)) == count


async def test_reading_what_is_not_there(refusing: House) -> None:
    async with refusing.database("plans").read() as db:
        with pytest.raises(NotFound) as refused:
            await service.get_plan(db, refusing.caller(), PLAN_KEY, AsKnown())
        assert refused.value.rule.code == "plan_unknown"
        with pytest.raises(NotFound) as refused:
            await service.get_plan(db, refusing.caller(), PLAN_KEY, AsKnown(revision=1))
        assert refused.value.rule.code == "plan_revision_unknown"


async def test_a_unit_moves_only_between_provinces_the_caller_covers(units: House) -> None:
    body = AdminUnitsBody.model_validate({"admin_units": [make_unit(province_code="37")]})
    async with units.database("plans").write(keep=False) as db:
        with pytest.raises(Forbidden):
            await unit_service.put_units(db, units.caller(admin_units=["37"]), body, prune=False)
        both = units.caller(admin_units=["37", "75"])
        answer = await unit_service.put_units(db, both, body, prune=False)
    assert answer["changes"]["admin_units"]["updated"] == ["26491"]


async def test_an_office_of_a_shared_kind_may_go_while_plans_name_it(units: House) -> None:
    await apply(units, units.caller())
    async with units.database("plans").write() as db:
        answer = await offices.put_offices(db, units.caller(), "25378", OfficesBody(offices=[]), prune=True)
    assert "phong-vhxh" in answer["changes"]["offices"]["removed"]
    assert (await apply(units, units.caller()))["write_token"] is None


async def test_a_plan_that_was_issued_changes_by_its_own_terms(units: House) -> None:
    caller = units.caller()
    await apply(units, caller)
    async with units.database("plans").write() as db:
        await acts.issue_plan(db, caller, PLAN_KEY, IssueBody(), None)
    other = PlanBody.model_validate(as_sent(make_plan(title_en="Other")))
    before = await units.rows("plans")
    with pytest.raises(Conflict) as refused:
        await apply(units, caller, other)
    assert refused.value.rule.code == "plan_needs_amendment"
    assert await units.rows("plans") == before
    assert (await apply(units, caller, other, correction="Nhập sai tên"))["revision"] == 1


async def test_a_draft_moves_with_its_unit_to_another_province(units: House) -> None:
    await apply(units, units.caller(admin_units=["75"]))
    row = make_unit(code="25378", name_vi="Tân Lợi", name_en="Tan Loi")
    moved = [{**row, "valid_to": "2026-06-01"}, {**row, "valid_from": "2026-06-01", "province_code": "37"}]
    body = AdminUnitsBody.model_validate({"admin_units": moved})
    async with units.database("plans").write() as db:
        await unit_service.put_units(db, units.caller(), body, prune=False)
    with pytest.raises(Forbidden):
        await apply(units, units.caller(admin_units=["75"]))
    answer = await apply(units, units.caller(admin_units=["37"]))
    assert (answer["version"], answer["changes"]["header"]["updated"]) == (2, ["province"])
