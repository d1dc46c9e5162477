"""The life of a plan over HTTP: issued, amended, closed; each a stated act, kept for ever."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis import clock
from tests.house import House
from tests.plans.calls import act, events, get, items, places, put_plan, refusal, writer
from tests.plans.factories import AMENDMENT, PLAN_KEY, make_plan, make_task

PATH = f"/v1/plans/{PLAN_KEY}"
BLANK = {"document_number": None, "issued_on": None}
AMEND = {"amendment": AMENDMENT, "plan": make_plan(title_en="Amended")}
CLOSE = {"reason_vi": "Hết năm kế hoạch"}
DEEDS = [("issue", {}), ("amend", AMEND), ("close", CLOSE)]


async def issued(house: House, **departures: Any) -> None:
    """A plan that has been issued."""
    assert (await put_plan(house, make_plan(**departures))).status_code == 200
    answer = await act(house, "issue")
    assert answer.status_code == 200, answer.text


class TestEveryAct:
    @pytest.mark.parametrize(("deed", "body"), DEEDS)
    async def test_who_may_state_it(self, units: House, deed: str, body: Any) -> None:
        await put_plan(units)
        before = await units.rows("plans")
        anonymous = await units.client.post(f"{PATH}/{deed}", json=body, headers={"Idempotency-Key": "k"})
        assert refusal(anonymous) == (401, "token_missing")
        reader = units.headers("plans:read")
        assert refusal(await act(units, deed, body, headers=reader)) == (403, "scope_missing")
        neighbour = writer(units, "25345", "37")
        assert refusal(await act(units, deed, body, headers=neighbour)) == (403, "unit_not_covered")
        assert await units.rows("plans") == before

    @pytest.mark.parametrize(("deed", "body"), DEEDS)
    async def test_it_needs_a_key_and_a_plan(self, refusing: House, deed: str, body: Any) -> None:
        keyless = await refusing.client.post(f"{PATH}/{deed}", json=body, headers=refusing.admin)
        assert refusal(keyless) == (400, "idempotency_key_missing")
        assert refusal(await act(refusing, deed, body)) == (404, "plan_unknown")
        assert refusal(await act(refusing, deed, body, key="x-2026-dx")) == (422, "plan_key_invalid")

    @pytest.mark.parametrize(("deed", "body"), DEEDS)
    async def test_a_stale_version_is_refused(self, units: House, deed: str, body: Any) -> None:
        await put_plan(units)
        if deed != "issue":
            await act(units, "issue")
        before = await units.rows("plans")
        answer = await act(units, deed, body, headers={**units.admin, "If-Match": '"v7-0"'})
        assert refusal(answer) == (412, "stale_version")
        assert await units.rows("plans") == before

    async def test_the_same_key_has_one_effect(self, units: House) -> None:
        await put_plan(units)
        headers = {**units.admin, "Idempotency-Key": '"one"'}
        first = await units.client.post(f"{PATH}/issue", json={}, headers=headers)
        again = await units.client.post(f"{PATH}/issue", json={}, headers=headers)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.content == first.content
        other = await units.client.post(f"{PATH}/close", json=CLOSE, headers=headers)
        assert refusal(other) == (422, "idempotency_key_reused")
        assert [e["type"].split(".")[-2] for e in await events(units) if e["subject"] == PLAN_KEY] == [
            "recorded",
            "issued",
        ]

    async def test_a_dry_run_states_nothing(self, units: House) -> None:
        await put_plan(units)
        before = await units.rows("plans")
        answer = await act(units, "issue", dry_run="true")
        assert (answer.json()["status"], answer.json()["dry_run"]) == ("issued", True)
        assert await units.rows("plans") == before
        assert (await get(units, f"/{PLAN_KEY}"))["status"] == "draft"


class TestIssue:
    async def test_an_issued_plan_is_public(self, units: House) -> None:
        await put_plan(units)
        answer = await act(units, "issue", headers=writer(units))
        said = answer.json()
        assert (said["status"], said["revision"], said["version"]) == ("issued", 1, 2)
        assert said["changes"]["header"]["updated"] == ["status"]
        assert (await get(units, f"/{PLAN_KEY}", {}))["status"] == "issued"
        assert len(await items(units, "/tasks", {})) == 1
        heard = [e for e in await events(units, {}) if e["subject"] == PLAN_KEY]
        assert [e["type"] for e in heard] == ["vn.chitieu.plans.plan.issued.v1"]
        assert (heard[0]["province"], heard[0]["data"]["version"]) == ("75", 2)

    async def test_it_was_no_public_plan_before(self, units: House) -> None:
        await put_plan(units)
        draft = (await get(units, f"/{PLAN_KEY}"))["recorded_at"]
        await act(units, "issue")
        assert (await get(units, f"/{PLAN_KEY}", known_at=draft))["status"] == "draft"
        answer = await units.client.get(PATH, params={"known_at": draft})
        assert refusal(answer) == (404, "plan_unknown")
        assert await items(units, "/tasks", {}, known_at=draft) == []

    async def test_a_blank_is_stated_or_filled(self, units: House) -> None:
        await put_plan(units, make_plan(**BLANK))
        before = await units.rows("plans")
        answer = await act(units, "issue")
        assert places(answer) == [("plan_blank_unstated", "/document_number"), ("plan_blank_unstated", "/issued_on")]
        assert await units.rows("plans") == before
        answer = await act(units, "issue", {"document_number": "9/KH-UBND", "issued_on": "2026-03-05"})
        assert answer.json()["changes"]["header"]["updated"] == ["status", "document_number", "issued_on"]
        document = await get(units, f"/{PLAN_KEY}", {})
        assert (document["document_number"], document["issued_on"]) == ("9/KH-UBND", "2026-03-05")

    async def test_a_blank_in_the_source_does_not_hinder(self, units: House) -> None:
        await issued(units, **BLANK, blank_in_source=["document_number", "issued_on"])
        assert (await get(units, f"/{PLAN_KEY}", {}))["document_number"] is None

    async def test_what_is_stated_is_not_stated_otherwise(self, units: House) -> None:
        await put_plan(units)
        answer = await act(units, "issue", {"document_number": "6/KH-UBND"})
        assert refusal(answer) == (409, "plan_field_already_stated")
        same = await act(units, "issue", {"document_number": "5/KH-UBND", "issued_on": "2026-03-01"})
        assert same.status_code == 200

    async def test_a_day_to_come_is_refused(self, units: House) -> None:
        await put_plan(units, make_plan(issued_on="2026-03-02"))
        with clock.frozen(datetime(2026, 3, 1, 16, 59, tzinfo=UTC)):
            answer = await act(units, "issue")
        assert places(answer) == [("plan_issued_in_future", "/issued_on")]
        with clock.frozen(datetime(2026, 3, 1, 17, 0, tzinfo=UTC)):
            assert (await act(units, "issue")).status_code == 200

    async def test_a_plan_is_issued_once(self, units: House) -> None:
        await issued(units)
        assert refusal(await act(units, "issue")) == (409, "plan_already_issued")


class TestIssuedPlan:
    async def test_new_content_needs_an_amendment(self, units: House) -> None:
        await issued(units)
        before = await units.rows("plans")
        answer = await put_plan(units, make_plan(title_en="Other", tasks=[make_task(title_vi="Khác")]))
        assert refusal(answer) == (409, "plan_needs_amendment")
        assert places(answer) == [("field_needs_amendment", "/title_en"), ("field_needs_amendment", "/tasks/0")]
        assert places(await put_plan(units, make_plan(tasks=[]), prune="true")) == [("field_needs_amendment", "/tasks")]
        assert await units.rows("plans") == before
        assert (await put_plan(units)).json()["changes"]["tasks"]["unchanged"] == 1

    async def test_a_blank_of_the_source_is_filled_in_without_a_revision(self, units: House) -> None:
        blank = {**BLANK, "blank_in_source": ["document_number", "issued_on"]}
        await issued(units, **blank)
        answer = await put_plan(units, make_plan(**{**blank, "document_number": "9/KH-UBND"}))
        assert answer.json()["changes"]["header"]["updated"] == ["document_number"]
        assert (answer.json()["revision"], answer.json()["version"]) == (1, 3)
        heard = [e for e in await events(units, {}) if e["subject"] == PLAN_KEY]
        assert [e["type"].split(".")[-2] for e in heard] == ["issued", "recorded"]
        assert heard[1]["data"]["document_number"] == "9/KH-UBND"
        again = await put_plan(units, make_plan(**{**blank, "document_number": "10/KH-UBND"}))
        assert places(again) == [("field_needs_amendment", "/document_number")]

    async def test_a_connection_is_told_without_a_revision(self, units: House) -> None:
        await issued(units)
        system = make_plan()["external_systems"][0]
        live = {**system, "connection": "live", "last_success_at": "2026-11-20T08:00:00+07:00"}
        answer = await put_plan(units, make_plan(external_systems=[live]))
        assert answer.json()["changes"]["external_systems"]["updated"] == ["ioc-tinh"]
        found = await items(units, "/external-systems", {}, connection="live")
        assert [row["last_success_at"] for row in found] == ["2026-11-20T01:00:00Z"]
        whole = (await get(units, f"/{PLAN_KEY}"))["external_systems"][0]
        assert whole["last_success_at"] == "2026-11-20T01:00:00.000000Z"
        assert (await put_plan(units, make_plan(external_systems=[live]))).json()["write_token"] is None

    async def test_a_wrong_entry_is_corrected_with_its_reason(self, units: House) -> None:
        await issued(units)
        wrong = (await get(units, f"/{PLAN_KEY}"))["recorded_at"]
        answer = await put_plan(
            units, make_plan(tasks=[make_task(title_vi="Đúng")]), correction="Nhập sai tên nhiệm vụ"
        )
        assert (answer.json()["revision"], answer.json()["status"]) == (1, "issued")
        assert [row["title_vi"] for row in await items(units, "/tasks", {})] == ["Đúng"]
        before = await items(units, "/tasks", {}, known_at=wrong)
        assert [row["title_vi"] for row in before] == ["Nâng cấp mạng nội bộ"]
        audit = await items(units, "/audit", subject=PLAN_KEY)
        assert (audit[-1]["action"], audit[-1]["new"]["reason"]) == ("plan.record", "Nhập sai tên nhiệm vụ")


class TestAmend:
    async def test_an_amendment_is_the_next_revision(self, units: House) -> None:
        await issued(units)
        plan = make_plan(title_en="Amended", tasks=[make_task(title_vi="Việc mới"), make_task(key="III.2")])
        answer = await act(units, "amend", {"amendment": AMENDMENT, "plan": plan}, headers=writer(units))
        said = answer.json()
        assert (said["status"], said["revision"], said["version"]) == ("amended", 2, 3)
        assert said["changes"]["header"]["updated"] == ["revision", "status", "amendment", "title_en"]
        assert said["changes"]["tasks"]["updated"] == ["III.1"]
        now = await get(units, f"/{PLAN_KEY}", {})
        assert (now["title_en"], now["amendment"], len(now["tasks"])) == ("Amended", AMENDMENT, 2)
        heard = [e["type"].split(".")[-2] for e in await events(units, {}) if e["subject"] == PLAN_KEY]
        assert heard == ["issued", "amended"]

    async def test_the_revision_before_stays_readable(self, units: House) -> None:
        await issued(units)
        known = (await get(units, f"/{PLAN_KEY}"))["recorded_at"]
        await act(
            units, "amend", {"amendment": AMENDMENT, "plan": make_plan(title_en="Second", tasks=[])}, prune="true"
        )
        await act(units, "amend", {"amendment": AMENDMENT, "plan": make_plan(title_en="Third")})
        with units.statements("plans") as seen:
            first = await get(units, f"/{PLAN_KEY}", {}, revision=1)
        assert len(seen) == 1
        assert (first["revision"], first["status"], len(first["tasks"])) == (1, "issued", 1)
        assert first == await get(units, f"/{PLAN_KEY}", {}, known_at=known)
        second = await get(units, f"/{PLAN_KEY}", {}, revision=2)
        assert (second["title_en"], second["tasks"]) == ("Second", [])
        assert (await get(units, f"/{PLAN_KEY}", {}, revision=3))["title_en"] == "Third"
        assert (await get(units, f"/{PLAN_KEY}", {}))["revision"] == 3
        for params in ({"revision": 4}, {"revision": 2, "known_at": known}):
            answer = await units.client.get(PATH, params=params)
            assert refusal(answer) == (404, "plan_revision_unknown")

    async def test_faults_have_their_place_in_the_body(self, units: House) -> None:
        await issued(units)
        before = await units.rows("plans")
        plan = make_plan(tasks=[make_task(lead_offices=["Phòng VH-XH"])])
        answer = await act(units, "amend", {"amendment": AMENDMENT, "plan": plan})
        assert places(answer) == [("office_unknown", "/plan/tasks/0/lead_offices/0")]
        nameless = await act(units, "amend", {"amendment": {}, "plan": make_plan()})
        assert places(nameless) == [("field_missing", "/amendment/reason_vi")]
        assert await units.rows("plans") == before

    async def test_only_a_plan_in_force_is_amended(self, units: House) -> None:
        await put_plan(units)
        assert refusal(await act(units, "amend", AMEND)) == (409, "plan_not_in_force")
        await act(units, "issue")
        await act(units, "close", CLOSE)
        assert refusal(await act(units, "amend", AMEND)) == (409, "plan_not_in_force")


class TestClose:
    async def test_a_closed_plan_stays_readable(self, units: House) -> None:
        await issued(units)
        with clock.frozen(datetime(2026, 12, 31, 12, 0, tzinfo=UTC)):
            answer = await act(units, "close", CLOSE, headers={**writer(units)})
        assert (answer.json()["status"], answer.json()["version"]) == ("closed", 3)
        document = await get(units, f"/{PLAN_KEY}", {})
        assert document["closing"] == {"closed_on": "2026-12-31", "reason_vi": "Hết năm kế hoạch"}
        assert len(await items(units, "/tasks", {})) == 1
        assert await items(units, "/missing", {}, province="75", year=2026, fields="admin_unit") == [
            {"admin_unit": code} for code in ("26491", "25345", "26434")
        ]
        heard = [e["type"].split(".")[-2] for e in await events(units, {}) if e["subject"] == PLAN_KEY]
        assert heard == ["issued", "closed"]

    async def test_a_closed_plan_says_nothing_new(self, units: House) -> None:
        await issued(units)
        await act(units, "close", {**CLOSE, "closed_on": "2026-10-01"})
        before = await get(units, f"/{PLAN_KEY}")
        assert refusal(await put_plan(units, make_plan(title_en="X"))) == (409, "plan_closed")
        mended = await put_plan(units, make_plan(title_en="X"), correction="Nhập sai tên")
        assert refusal(mended) == (409, "plan_closed")
        assert refusal(await act(units, "close", CLOSE)) == (409, "plan_not_in_force")
        assert (await put_plan(units, make_plan())).json()["write_token"] is None
        assert await get(units, f"/{PLAN_KEY}") == before

    async def test_a_draft_is_not_closed(self, units: House) -> None:
        await put_plan(units)
        assert refusal(await act(units, "close", CLOSE)) == (409, "plan_not_in_force")
        assert places(await act(units, "close", {})) == [("field_missing", "/reason_vi")]


class TestTogether:
    async def test_two_at_once_have_consecutive_versions(self, units: House) -> None:
        bodies = [make_plan(title_en=f"Title {n}") for n in range(6)]
        answers = await asyncio.gather(*(put_plan(units, body) for body in bodies))
        assert sorted(answer.json()["version"] for answer in answers) == [1, 2, 3, 4, 5, 6]
        heard = [e for e in await events(units) if e["subject"] == PLAN_KEY]
        assert [e["data"]["version"] for e in heard] == [1, 2, 3, 4, 5, 6]
        last = await get(units, f"/{PLAN_KEY}")
        assert (last["version"], last["title_en"]) == (6, heard[-1]["data"]["title_en"])

    async def test_only_one_of_two_issues_it(self, units: House) -> None:
        await put_plan(units)
        answers = await asyncio.gather(*(act(units, "issue") for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
