"""What the service says: every type has a schema its events fit, versions follow each other, nobody is named."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict

import pytest
from jsonschema import Draft202012Validator

from chassis.event_types import data_schema
from services.plans import events as declared
from services.plans.schemas import events as said
from tests.house import REFERENCE, House, read_yaml
from tests.plans.calls import act, events, get, items, put_plan, writer
from tests.plans.factories import AMENDMENT, PLAN_KEY, make_plan

TYPES = {value for name, value in inspect.getmembers(said) if name.isupper() and isinstance(value, str)}


def test_every_type_is_declared() -> None:
    assert set(declared.EVENTS) == TYPES
    assert declared.SUBSCRIPTIONS == ()


async def test_events_fit_their_schemas(five_plans: House) -> None:
    heard = await events(five_plans)
    assert len(heard) == 7 + 120 + 5 + 5
    schemas = {name: {**data_schema(kind), "additionalProperties": False} for name, kind in declared.EVENTS.items()}
    validators = {name: Draft202012Validator(schema) for name, schema in schemas.items()}
    for event in heard:
        validators[event["type"]].validate(event["data"])


async def test_versions_follow_each_other(five_plans: House) -> None:
    versions = defaultdict(list)
    for event in await events(five_plans):
        versions[event["subject"]].append(event["data"]["version"])
    for subject, given in versions.items():
        assert given == list(range(1, len(given) + 1)), subject


async def test_only_issued_plans_are_announced_to_all(five_plans: House) -> None:
    public = [event["type"] for event in await events(five_plans, {}) if ".plan." in event["type"]]
    assert public == [said.PLAN_ISSUED] * 5
    own = await events(five_plans, five_plans.headers("changes:read", ["26491"]))
    recorded = [event["subject"] for event in own if event["type"] == said.PLAN_RECORDED]
    assert recorded == ["26491-2026-digital-transformation-state-agencies"]


async def test_no_event_names_a_person_or_repeats_a_remark(five_plans: House) -> None:
    texts = str(await events(five_plans))
    for path in (REFERENCE / "plans").glob("*.yaml"):
        plan = read_yaml(path)
        assert plan["signer_name"] not in texts
        for remark in (*plan["notes"], *(rule["note"] for rule in plan["budget_rules"] if "note" in rule)):
            assert remark not in texts


async def test_a_header_carries_what_followers_keep(five_plans: House) -> None:
    heard = [event for event in await events(five_plans) if event["type"] == said.PLAN_ISSUED]
    tan_hung = next(event for event in heard if event["data"]["admin_unit"] == "25345")
    data = tan_hung["data"]
    assert (data["province"], data["year"], data["status"], data["version"]) == ("75", 2026, "issued", 2)
    assert (data["document_number"], data["budget_total_vnd"]) == (None, 1_670_000_000)
    assert [rule["key"] for rule in data["budget_rules"]] == [f"R{n}" for n in range(1, 9)]
    assert data["budget_rules"][0]["params"] == {
        "metric": "tỷ lệ giải ngân",
        "comparator": "eq",
        "value": 100,
        "measure_unit": "percent",
        "base": 1_670_000_000,
    }


@pytest.mark.parametrize("deed", ["issue", "amend", "close"])
async def test_a_refused_act_announces_nothing(units: House, deed: str) -> None:
    body = {"issue": {}, "amend": {"amendment": AMENDMENT, "plan": make_plan()}, "close": {"reason_vi": "Hết"}}[deed]
    before = await events(units)
    assert (await act(units, deed, body, headers=writer(units, "37"))).status_code == 403
    assert (await act(units, deed, body)).status_code == 404
    assert await events(units) == before


async def test_a_change_of_a_list_only_is_announced_with_a_new_version(units: House) -> None:
    await put_plan(units)
    await put_plan(units, make_plan(discrepancies=[]), prune="true")
    heard = [event["data"] for event in await events(units) if event["subject"] == PLAN_KEY]
    assert [(data["version"], data["status"]) for data in heard] == [(1, "draft"), (2, "draft")]


async def test_an_event_says_what_was_what_is_and_which_items_changed(units: House) -> None:
    await put_plan(units)
    await act(units, "issue")
    tasks = [{**task, "title_vi": "Việc khác"} for task in make_plan()["tasks"]]
    amended = make_plan(title_en="Amended", tasks=tasks, discrepancies=[])
    await act(units, "amend", {"amendment": AMENDMENT, "plan": amended}, prune="true")
    drafted, issued, changed = [event["data"] for event in await events(units) if event["subject"] == PLAN_KEY]
    assert drafted["old"] is None
    assert {part["name"]: len(part["created"]) for part in drafted["items"]}["tasks"] == len(tasks)
    assert (issued["old"]["status"], issued["status"], issued["items"]) == ("draft", "issued", [])
    assert (changed["old"]["title_en"], changed["title_en"]) == (make_plan()["title_en"], "Amended")
    assert (changed["old"]["revision"], changed["revision"]) == (1, 2)
    keys = [task["key"] for task in tasks]
    gone = [each["key"] for each in make_plan()["discrepancies"]]
    assert changed["items"] == [
        {"name": "tasks", "created": [], "updated": keys, "removed": []},
        {"name": "discrepancies", "created": [], "updated": [], "removed": gone},
    ]
    said = set(changed["old"])
    assert said == set(changed) - {"old", "items", "version", "client_id"}


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(("sent", "is_kept"), [(TRACE, True), ("của tôi".encode(), False), ("00-zz-zz-01", False)])
async def test_an_event_carries_the_trace_of_its_request(units: House, sent: str | bytes, is_kept: bool) -> None:
    headers = {**units.admin, "traceparent": sent}
    answer = await units.client.put(f"/v1/plans/{PLAN_KEY}", json=make_plan(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 200
    event = [event for event in await events(units) if event["subject"] == PLAN_KEY][-1]
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", event["traceparent"])
    assert (event["traceparent"] == sent) is is_kept


async def test_every_header_says_since_when_the_plan_is_public(units: House) -> None:
    await put_plan(units)
    await act(units, "issue")
    issued = await get(units, f"/{PLAN_KEY}")
    await act(units, "amend", {"amendment": AMENDMENT, "plan": make_plan(title_en="Amended")})
    await act(units, "close", {"reason_vi": "Hết năm"})
    moment = issued["recorded_at"]
    assert issued["public_from"] == moment
    heard = [event["data"] for event in await events(units) if event["subject"] == PLAN_KEY]
    assert [data["public_from"] for data in heard] == [None, moment, moment, moment]
    listed = await items(units, "")
    assert [(row["public_from"], row["status"]) for row in listed] == [(moment, "closed")]
    embedded = await items(units, "/admin-units", **{"code": "25378", "with": "plans"})
    assert [plan["public_from"] for plan in embedded[0]["plans"]] == [moment]
    assert (await get(units, f"/{PLAN_KEY}", revision=1))["public_from"] == moment


async def test_a_draft_is_public_from_never(units: House) -> None:
    first = (await put_plan(units)).json()["changes"]["header"]
    again = (await put_plan(units)).json()["changes"]["header"]
    assert (first["created"], again["updated"]) == ([PLAN_KEY], [])
    drafted = await get(units, f"/{PLAN_KEY}")
    await act(units, "issue")
    then = await items(units, "", known_at=drafted["recorded_at"])
    assert [row["public_from"] for row in then] == [drafted["public_from"]] == [None]
