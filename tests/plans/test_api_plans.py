"""Whole plans over HTTP: recorded declaratively, read as they are or were, refused with every fault's place."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from tests.house import House
from tests.plans.calls import act, events, get, items, places, put_plan, refusal, writer
from tests.plans.factories import PLAN_KEY, make_plan, make_task

PATH = f"/v1/plans/{PLAN_KEY}"
LISTS = (
    "legal_bases", "tasks", "reporting_duties", "budget_rules", "prior_year_results", "recipients", "external_systems",
    "discrepancies",
)  # fmt: skip


def filled(item: dict[str, Any]) -> dict[str, Any]:
    """Nested values with what they leave out."""
    return {"params": {"base": None, **item["params"]}} if "params" in item else {}


class TestPut:
    async def test_a_plan_is_recorded_as_a_draft(self, units: House) -> None:
        answer = await put_plan(units)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["plan_key"], said["status"], said["revision"], said["version"]) == (PLAN_KEY, "draft", 1, 1)
        assert said["changes"]["header"]["created"] == [PLAN_KEY]
        assert said["changes"]["recipients"]["created"] == ["NN1", "NN2"]
        assert said["write_token"]
        document = await get(units, f"/{PLAN_KEY}")
        for name in LISTS:
            for given, found in zip(make_plan()[name], document[name], strict=True):
                assert {field: found[field] for field in given} == {**given, **filled(given)}
        assert document["tasks"][0]["starts_on"] == "2026-04-01"
        assert document["tasks"][0]["ends_on"] == "2026-09-30"
        assert document["tasks"][0]["is_continuous"] is False
        assert document["tasks"][0]["execution_time_text"] == "Quý II-III/2026"
        assert (document["admin_unit"], document["province"], document["year"]) == ("25378", "75", 2026)
        assert document["kind"] == "digital_transformation"

    async def test_numbers_stay_exact(self, units: House) -> None:
        rule = {**make_plan()["budget_rules"][0]}
        rule["params"] = {**rule["params"], "value": 10.123456789012345678}
        body = make_plan(budget_rules=[rule])
        raw = units.client.build_request("PUT", PATH, json=body, headers=units.admin)
        content = raw.content.replace(b"10.123456789012346", b"10.1234567890123456789")
        answer = await units.client.put(
            PATH, content=content, headers={**units.admin, "Content-Type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        text = (await units.client.get("/v1/plans/budget-rules", headers=units.admin)).text
        assert "10.1234567890123456789" in text
        assert "80.5" in (await units.client.get("/v1/plans/prior-year-results", headers=units.admin)).text

    async def test_the_same_again_writes_and_announces_nothing(self, units: House) -> None:
        await put_plan(units)
        before, heard = await units.rows("plans"), await events(units)
        before = await units.rows("plans")
        answer = await put_plan(units)
        assert {n: c["unchanged"] for n, c in answer.json()["changes"].items() if n != "header"} == {
            "legal_bases": 1,
            "tasks": 1,
            "reporting_duties": 1,
            "budget_rules": 1,
            "prior_year_results": 1,
            "recipients": 2,
            "external_systems": 1,
            "discrepancies": 1,
        }
        assert answer.json()["changes"]["header"]["updated"] == []
        assert (answer.json()["version"], answer.json()["write_token"]) == (1, None)
        assert await units.rows("plans") == before
        assert await events(units) == heard

    async def test_what_changed_is_answered(self, units: House) -> None:
        await put_plan(units)
        tasks = [make_task(title_vi="Nâng cấp mạng"), make_task(key="III.2")]
        answer = await put_plan(units, make_plan(tasks=tasks, recipients=[], title_en="Plan"))
        changes = answer.json()["changes"]
        assert changes["header"]["updated"] == ["title_en"]
        assert changes["tasks"] == {
            "created": ["III.2"],
            "updated": ["III.1"],
            "unchanged": 0,
            "removed": [],
            "kept": [],
        }
        assert changes["recipients"]["kept"] == ["NN1", "NN2"]
        assert answer.json()["version"] == 2
        pruned = await put_plan(units, make_plan(tasks=tasks, recipients=[], title_en="Plan"), prune="true")
        assert pruned.json()["changes"]["recipients"]["removed"] == ["NN1", "NN2"]
        assert (await get(units, f"/{PLAN_KEY}"))["recipients"] == []

    async def test_a_dry_run_answers_the_same_and_keeps_nothing(self, units: House) -> None:
        before = await units.rows("plans")
        answer = await put_plan(units, dry_run="true")
        assert (answer.json()["dry_run"], answer.json()["write_token"]) == (True, None)
        assert answer.json()["changes"]["tasks"]["created"] == ["III.1"]
        assert await units.rows("plans") == before

    async def test_a_stale_version_is_refused(self, units: House) -> None:
        await put_plan(units)
        tag = (await units.client.get(PATH, headers=units.admin)).headers["ETag"]
        assert tag.startswith('"v1-')
        await put_plan(units, make_plan(title_en="Second"))
        before = await units.rows("plans")
        answer = await put_plan(units, make_plan(title_en="Third"), headers={**units.admin, "If-Match": tag})
        assert refusal(answer) == (412, "stale_version")
        assert await units.rows("plans") == before
        fresh = (await units.client.get(PATH, headers=units.admin)).headers["ETag"]
        answer = await put_plan(units, make_plan(title_en="Third"), headers={**units.admin, "If-Match": fresh})
        assert answer.json()["version"] == 3

    async def test_who_may_write(self, units: House) -> None:
        before = await units.rows("plans")
        anonymous = await units.client.put(PATH, json=make_plan())
        assert refusal(anonymous) == (401, "token_missing")
        assert refusal(await put_plan(units, headers=units.headers("plans:read"))) == (403, "scope_missing")
        assert refusal(await put_plan(units, headers=writer(units, "25345", "37"))) == (403, "unit_not_covered")
        assert await units.rows("plans") == before
        assert (await put_plan(units, headers=writer(units, "25378"))).status_code == 200
        assert (await put_plan(units, make_plan(title_en="P"), headers=writer(units, "75"))).status_code == 200

    @pytest.mark.parametrize(
        ("key", "code"),
        [
            ("25378-2026-", "plan_key_invalid"),
            ("tan-loi-2026-dx", "plan_key_invalid"),
            ("99999-2026-dx", "unit_unknown"),
            ("25378-2024-dx", "unit_not_valid"),
        ],
    )
    async def test_a_wrong_address_is_refused(self, refusing: House, key: str, code: str) -> None:
        before = await refusing.rows("plans")
        assert refusal(await put_plan(refusing, key=key)) == (422, code)
        assert await refusing.rows("plans") == before

    async def test_a_unit_not_yet_valid_is_refused(self, units: House) -> None:
        later = {"code": "26500", "name_vi": "Mới", "name_en": "New", "type": "ward", "province_code": "75"}
        rows = {"admin_units": [{**later, "valid_from": "2027-01-01"}]}
        await units.client.put("/v1/plans/admin-units", json=rows, headers=units.admin)
        assert refusal(await put_plan(units, key="26500-2026-dx")) == (422, "unit_not_valid")
        assert (await put_plan(units, make_plan(phase="2026-2030"), key="26500-2026-dx")).status_code == 200

    @pytest.mark.parametrize(
        ("departures", "expected"),
        [
            ({"tasks": [make_task(lead_offices=["Phòng VH-XH"])]}, [("office_unknown", "/tasks/0/lead_offices/0")]),
            ({"standing_office": "phong-vhhx"}, [("office_unknown", "/standing_office")]),
            (
                {"proposal_document": {"document_number": "1/TTr", "office": "khong-co"}},
                [("office_unknown", "/proposal_document/office")],
            ),
            ({"tasks": [make_task(), make_task()]}, [("item_key_repeated", "/tasks/1/key")]),
            ({"tasks": [make_task(reporting_duty="RD9")]}, [("item_link_unknown", "/tasks/0/reporting_duty")]),
            ({"tasks": [make_task(execution_time="Q2")]}, [("execution_time_invalid", "/tasks/0/execution_time")]),
            ({"tasks": [make_task(pillar="hạ tầng")]}, [("field_invalid", "/tasks/0/pillar")]),
            ({"tasks": [make_task(lead="phong-vhxh")]}, [("field_unknown", "/tasks/0/lead")]),
            ({"tasks": [{"key": "1"}]}, [("field_missing", "/tasks/0/title_vi")]),
            ({"admin_unit": "25345"}, [("plan_key_mismatch", "/admin_unit")]),
            ({"year": 2027}, [("plan_key_mismatch", "/year")]),
            ({"year": "2026"}, [("field_invalid", "/year")]),
            ({"phase": "2025-2030"}, [("plan_phase_invalid", "/phase")]),
            ({"budget_total_vnd": 1.5}, [("field_invalid", "/budget_total_vnd")]),
            ({"budget_total_vnd": 2**53 + 1}, [("field_invalid", "/budget_total_vnd")]),
            ({"budget_total_vnd": -1}, [("field_invalid", "/budget_total_vnd")]),
            ({"issued_on": "01/03/2026"}, [("field_invalid", "/issued_on")]),
            ({"blank_in_source": ["title_vi"]}, [("field_invalid", "/blank_in_source/0")]),
            ({"life": "issued"}, [("field_unknown", "/life")]),
            ({"notes": None}, [("field_invalid", "/notes")]),
            ({"recipients": [{"key": "NN1", "raw_text": None}]}, [("field_invalid", "/recipients/0/raw_text")]),
            ({"tasks": [make_task(key=" III.1")]}, [("field_invalid", "/tasks/0/key")]),
            ({"tasks": [None]}, [("field_invalid", "/tasks/0")]),
            (
                {"prior_year_results": [{**make_plan()["prior_year_results"][0], "value": "80,5"}]},
                [("field_invalid", "/prior_year_results/0/value")],
            ),
            (
                {"prior_year_results": [{**make_plan()["prior_year_results"][0], "scope_count": 10**10}]},
                [("field_invalid", "/prior_year_results/0/scope_count")],
            ),
            (
                {
                    "external_systems": [
                        {
                            **make_plan()["external_systems"][0],
                            "connection": "live",
                            "last_success_at": "2026-11-01T00:00:00",
                        }
                    ]
                },
                [("field_invalid", "/external_systems/0/last_success_at")],
            ),
            ({"title_vi": "A\x00B"}, [("text_has_nul", "/title_vi")]),
            (
                {
                    "external_systems": [
                        {**make_plan()["external_systems"][0], "last_success_at": "2026-11-01T00:00:00Z"}
                    ]
                },
                [("system_success_without_connection", "/external_systems/0/last_success_at")],
            ),
        ],
    )
    async def test_every_fault_has_its_place(self, refusing: House, departures: Any, expected: Any) -> None:
        before = await refusing.rows("plans")
        answer = await put_plan(refusing, make_plan(**departures))
        assert answer.status_code == 422
        assert places(answer) == expected
        assert await refusing.rows("plans") == before

    async def test_all_faults_are_told_at_once(self, refusing: House) -> None:
        tasks = [make_task(lead_offices=["a"], coordinating_offices=["b"]), make_task(budget_rule="R9")]
        answer = await put_plan(refusing, make_plan(tasks=tasks, year=2030))
        assert sorted(code for code, _ in places(answer)) == [
            "item_key_repeated",
            "item_link_unknown",
            "office_unknown",
            "office_unknown",
            "plan_key_mismatch",
        ]
        assert answer.json()["errors_total"] == 5

    async def test_a_name_instead_of_a_slug_is_told_its_slug(self, refusing: House) -> None:
        answer = await put_plan(refusing, make_plan(tasks=[make_task(lead_offices=["Phòng VH – XH"])]))
        assert answer.json()["errors"][0]["message"] == "Không có cơ quan Phòng VH – XH. Có phải là phong-vhxh?"
        english = await put_plan(
            refusing,
            make_plan(tasks=[make_task(lead_offices=["Phòng VH – XH"])]),
            headers={**refusing.admin, "Accept-Language": "en"},
        )
        assert english.json()["errors"][0]["message"] == "There is no office Phòng VH – XH. Did you mean phong-vhxh?"

    async def test_decomposed_text_is_kept_composed(self, units: House) -> None:
        await put_plan(units, make_plan(title_vi=unicodedata.normalize("NFD", "Kế hoạch số")))
        assert (await get(units, f"/{PLAN_KEY}"))["title_vi"] == "Kế hoạch số"


class TestGet:
    async def test_the_whole_plan_is_one_statement(self, five_plans: House) -> None:
        with five_plans.statements("plans") as seen:
            document = await get(five_plans, "/26491-2026-digital-transformation-state-agencies")
        assert len(seen) == 1
        assert {name: len(document[name]) for name in LISTS} == {
            "legal_bases": 20, "tasks": 30, "reporting_duties": 7, "budget_rules": 3, "prior_year_results": 0,
            "recipients": 11, "external_systems": 23, "discrepancies": 12,
        }  # fmt: skip

    async def test_people_and_remarks_need_a_token(self, units: House) -> None:
        await put_plan(units)
        await act(units, "issue")
        document = await get(units, f"/{PLAN_KEY}", {})
        assert (document["signer_name"], document["notes"], document["tasks"][0]["note"]) == (None, None, None)
        assert [row["raw_text"] for row in document["recipients"]] == ["Sở KH&CN", None]
        listed = (await get(units, "", {}))["items"][0]
        assert (listed["signer_name"], listed["notes"]) == (None, None)
        embedded = (await get(units, "/admin-units", {}, code="25378", **{"with": "plans"}))["items"][0]["plans"][0]
        assert (embedded["signer_name"], embedded["notes"]) == (None, None)
        assert [row["raw_text"] for row in await items(units, "/recipients", {})] == ["Sở KH&CN", None]
        assert (await items(units, "/tasks", {}))[0]["note"] is None
        assert await items(units, "/recipients", {}, q="bình") == []
        other = writer(units, "37")
        assert (await get(units, f"/{PLAN_KEY}", other))["signer_name"] == "Nguyễn Văn Ký"
        assert (await items(units, "/recipients", other))[1]["raw_text"] == "CV (Bình)"
        for event in await events(units, {}):
            assert "Nguyễn Văn Ký" not in str(event)

    async def test_drafts_are_for_those_who_act_for_the_unit(self, units: House) -> None:
        await put_plan(units)
        await units.sequence()
        for headers in (writer(units, "25378"), writer(units, "75"), units.admin):
            assert (await get(units, f"/{PLAN_KEY}", headers))["status"] == "draft"
            assert len(await items(units, "", headers)) == 1
            assert len(await items(units, "/tasks", headers)) == 1
        for headers in ({}, writer(units, "25345"), writer(units, "37")):
            answer = await units.client.get(PATH, headers=headers)
            assert refusal(answer) == (404, "plan_unknown")
            assert await items(units, "", headers) == []
            assert await items(units, "/tasks", headers) == []
            assert (await get(units, "/admin-units", headers, code="25378", **{"with": "plans"}))["items"][0][
                "plans"
            ] == []
            plan_events = [e for e in await events(units, headers) if e["subject"] == PLAN_KEY]
            assert plan_events == []

    async def test_an_unknown_plan_is_not_found(self, five_plans: House) -> None:
        answer = await five_plans.client.get("/v1/plans/25378-2031-dx")
        assert refusal(answer) == (404, "plan_unknown")
        answer = await five_plans.client.get(
            "/v1/plans/25378-2026-digital-transformation-state-agencies", params={"revision": 2}
        )
        assert refusal(answer) == (404, "plan_revision_unknown")

    @pytest.mark.parametrize("revision", ["0", "99999999999", "x"])
    async def test_what_is_no_revision_is_refused(self, five_plans: House, revision: str) -> None:
        path = "/v1/plans/14161-2026-digital-transformation-area"
        answer = await five_plans.client.get(path, params={"revision": revision})
        assert places(answer) == [("field_invalid", (None, "revision"))]

    async def test_an_unchanged_plan_is_not_sent_again(self, five_plans: House) -> None:
        path = "/v1/plans/14161-2026-digital-transformation-area"
        tag = (await five_plans.client.get(path)).headers["ETag"]
        answer = await five_plans.client.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")

    async def test_a_draft_is_read_as_it_was_known(self, units: House) -> None:
        await put_plan(units)
        first = (await get(units, f"/{PLAN_KEY}"))["recorded_at"]
        await put_plan(units, make_plan(title_en="Second", tasks=[]), prune="true")
        assert (await get(units, f"/{PLAN_KEY}"))["title_en"] == "Second"
        past = await get(units, f"/{PLAN_KEY}", known_at=first)
        assert (past["title_en"], len(past["tasks"]), past["version"]) == (make_plan()["title_en"], 1, 1)
        assert [row["key"] for row in await items(units, "/tasks", known_at=first)] == ["III.1"]
        assert await items(units, "/tasks") == []
        before = await units.client.get(PATH, params={"known_at": "2020-01-01T00:00:00Z"}, headers=units.admin)
        assert refusal(before) == (404, "plan_unknown")
        naive = await units.client.get(PATH, params={"known_at": "2026-01-01T00:00:00"}, headers=units.admin)
        assert refusal(naive) == (422, "known_at_without_offset")
