"""Catalogue, regimes, periods and targets over HTTP."""

from __future__ import annotations

from typing import Any

from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    CALENDAR,
    CATALOGUE,
    ENTRIES,
    PLAN,
    REGIMES,
    SCORECARDS,
    STATE,
    TARGETS,
    entry,
    header,
    hear,
    items,
    post,
    put,
    row,
    target,
)

PERIODS = "/v1/indicators/periods"


async def refused(house: House, path: str, body: Any, **asked: Any) -> tuple[int, list[tuple[str, str]]]:
    response = await house.client.put(path, json=body, headers={**house.admin, **asked})
    problem = response.json()
    found = [(each["code"], each.get("pointer", "")) for each in problem.get("errors", [])]
    return response.status_code, found or [(problem["code"], "")]


async def test_the_catalogue_is_applied_once_and_then_unchanged(stocked: House) -> None:
    before = await stocked.rows("indicators")
    again = await put(stocked, CATALOGUE, {"indicators": ENTRIES})
    assert again["changes"]["indicators"] == {
        "created": [],
        "updated": [],
        "unchanged": len(ENTRIES),
        "removed": [],
        "kept": [],
    }
    assert await stocked.rows("indicators") == before


async def test_an_entry_keeps_its_versions(stocked: House) -> None:
    path = f"{CATALOGUE}/VNEID_ACCOUNT_RATE"
    listed = await stocked.client.get(CATALOGUE, headers=stocked.admin)
    moment = listed.headers["Known-At"]
    changed = await put(stocked, CATALOGUE, {"indicators": [entry(accumulation="cumulative")]})
    assert changed["changes"]["indicators"]["updated"] == ["VNEID_ACCOUNT_RATE"]
    assert len(changed["changes"]["indicators"]["kept"]) == len(ENTRIES) - 1
    now = (await stocked.client.get(path, headers=stocked.admin)).json()
    then = (await stocked.client.get(path, headers=stocked.admin, params={"known_at": moment})).json()
    assert (now["accumulation"], then["accumulation"]) == ("cumulative", "unknown")
    assert (now["used_by"], now["owner"], now["allows_above_100"]) == (["26491"], None, False)


async def test_an_unknown_code_gets_a_suggestion(stocked: House) -> None:
    response = await stocked.client.get(f"{CATALOGUE}/VNEID_ACOUNT_RATE", headers=stocked.admin)
    assert (response.status_code, response.json()["code"]) == (404, "indicator_unknown")
    assert "VNEID_ACCOUNT_RATE" in response.json()["detail"]


async def test_the_catalogue_refuses_what_cannot_be(stocked: House) -> None:
    bad = [entry("rate"), entry("25378:RATE"), entry(related=["NOWHERE"])]
    assert await refused(stocked, CATALOGUE, {"indicators": bad}) == (
        422,
        [
            ("indicator_code_malformed", "/indicators/0/code"),
            ("indicator_of_another_owner", "/indicators/1/code"),
            ("related_unknown", "/indicators/2/related"),
        ],
    )
    misspelt = await stocked.client.put(
        CATALOGUE, json={"indicators": [{**entry(), "pilar": "x"}]}, headers=stocked.admin
    )
    assert "pillar" in misspelt.json()["errors"][0]["message"]


async def test_codes_in_use_are_never_pruned(stocked: House) -> None:
    response = await stocked.client.put(
        CATALOGUE, json={"indicators": ENTRIES[1:]}, headers=stocked.admin, params={"prune": "true"}
    )
    assert (response.status_code, response.json()["code"]) == (409, "indicator_in_use")
    pruned = await put(stocked, CATALOGUE, {"indicators": ENTRIES[:-1]}, prune="true")
    assert pruned["changes"]["indicators"]["removed"] == ["BUDGET_WORDS"]


async def test_local_codes_belong_to_their_unit(stocked: House) -> None:
    body = {"owner": "26434", "indicators": [entry("26434:OWN")]}
    other = stocked.headers("catalogue:write", ["26491"])
    assert (await stocked.client.put(CATALOGUE, json=body, headers=other)).json()["code"] == "unit_not_covered"
    assert (await stocked.client.put(CATALOGUE, json={"indicators": []}, headers=other)).status_code == 403
    own = stocked.headers("catalogue:write", ["26434"])
    assert (await stocked.client.put(CATALOGUE, json=body, headers=own)).status_code == 200
    assert [each["code"] for each in await items(stocked, CATALOGUE, owner="26434")] == ["26434:OWN"]


async def test_the_catalogue_is_searched_without_accents(stocked: House) -> None:
    assert [each["code"] for each in await items(stocked, CATALOGUE, q="truong hoc")] == ["SCHOOL_RATE"]
    assert [each["code"] for each in await items(stocked, CATALOGUE, value_type="rank,level")] == [
        "DTI_PROVINCIAL_RANK",
        "INFOSEC_LEVEL",
    ]


async def test_anonymous_readers_see_the_catalogue_and_write_nothing(stocked: House) -> None:
    assert len(await items(stocked, CATALOGUE, headers={})) == len(ENTRIES)
    assert (await stocked.client.put(CATALOGUE, json={"indicators": []})).status_code == 401
    assert (
        await stocked.client.put(TARGETS, json={"targets": []}, headers=stocked.headers("targets:read"))
    ).status_code == 403


async def test_periods_have_the_days_of_their_regime(stocked: House) -> None:
    both = await items(stocked, PERIODS, code="2026-Q2", admin_unit="26491")
    assert [(each["regime"], each["starts_on"], each["ends_on"], each["due_on"]) for each in both] == [
        ("calendar", "2026-04-01", "2026-06-30", None),
        ("state", "2026-03-15", "2026-06-14", "2026-06-14"),
    ]
    assert both[1]["name_vi"] == "Quý II/2026"
    months = await items(stocked, PERIODS, regime="state", year="2026", type="month")
    assert [each["code"] for each in months] == [f"2026-{month:02d}" for month in range(1, 13)]
    holding = await items(stocked, PERIODS, regime="state", on="2026-06-15", period_type="quarter,half_year")
    assert [each["code"] for each in holding] == ["2026-Q3", "2026-S2"]
    others = await items(stocked, PERIODS, code="2026-Q2", regime="state", admin_unit="26434")
    assert others[0]["due_on"] is None


async def test_regimes_come_back_as_they_were_put(stocked: House) -> None:
    listed = await items(stocked, REGIMES)
    assert [each["code"] for each in listed] == ["calendar", "state"]
    assert listed[1]["due_rules"] == [
        {"admin_unit": "26491", "period_type": "quarter", "day": 14, "months_after": 0, "source": None}
    ]
    again = await put(stocked, REGIMES, {"regimes": [STATE, CALENDAR]})
    assert again["changes"]["regimes"]["unchanged"] == 2
    assert again["changes"]["due_rules"]["unchanged"] == 1


async def test_a_regime_with_figures_keeps_its_days(stocked: House) -> None:
    assert await refused(stocked, REGIMES, {"regimes": [{**STATE, "opens_on_day": 31}]}) == (
        422,
        [("opening_day_invalid", "/regimes/0/opens_on_day")],
    )
    await put(stocked, REGIMES, {"regimes": [{**STATE, "opens_on_day": 16}]})
    moved = await items(stocked, PERIODS, regime="state", code="2026-Q2")
    assert (moved[0]["starts_on"], moved[0]["ends_on"]) == ("2026-03-16", "2026-06-15")
    await post(stocked, row())
    assert await refused(stocked, REGIMES, {"regimes": [STATE]}) == (409, [("regime_in_use", "")])
    due = [{"period_type": "quarter", "day": 20, "months_after": 0}]
    changed = await put(stocked, REGIMES, {"regimes": [{**STATE, "opens_on_day": 16, "due_rules": due}]})
    assert changed["changes"]["due_rules"]["created"] == ["state/*/quarter"]
    assert changed["changes"]["due_rules"]["removed"] == ["state/26491/quarter"]
    everybody = await items(stocked, PERIODS, regime="state", code="2026-Q2")
    assert everybody[0]["due_on"] == "2026-06-20"


async def test_one_figure_has_one_due_day_wherever_it_is_read(stocked: House) -> None:
    own = {"admin_unit": "26491", "period_type": "half_year", "day": 10}
    everybody = {"period_type": "quarter", "day": 20}
    await put(stocked, REGIMES, {"regimes": [{**STATE, "due_rules": [own, everybody]}]})
    await post(stocked, row())
    [actual] = await items(stocked, ACTUALS)
    [card] = await items(stocked, SCORECARDS)
    [period] = await items(stocked, "/v1/indicators/periods", regime="state", code="2026-Q3", admin_unit="26491")
    assert [actual["due_on"], card["actual"]["due_on"], period["due_on"]] == ["2026-09-20"] * 3


async def test_regimes_that_contradict_each_other_are_refused(stocked: House) -> None:
    rule = {"period_type": "quarter", "day": 14}
    twice = [{**CALENDAR, "due_rules": [rule, rule]}, CALENDAR, {**CALENDAR, "code": "other", "default_for": ["*"]}]
    assert await refused(stocked, REGIMES, {"regimes": twice}) == (
        422,
        [
            ("key_twice", "/regimes/0/due_rules/1"),
            ("key_twice", "/regimes/1/code"),
            ("default_regime_taken", "/regimes/2/default_for"),
        ],
    )
    weekly = {**CALENDAR, "due_rules": [{"period_type": "week", "day": 1}]}
    assert (await refused(stocked, REGIMES, {"regimes": [weekly]}))[0] == 422


async def test_targets_come_back_as_they_were_put(stocked: House) -> None:
    document = await stocked.client.get(TARGETS, headers=stocked.admin)
    told = document.json()
    assert (told["version"], told["plan_status"], told["admin_unit"]) == (1, "issued", "26491")
    stored = told["targets"][0]
    assert {name: stored[name] for name in target()} == target()
    assert (stored["position"], stored["due_on"], stored["trajectory"]) == (1, "2026-12-31", "none")
    assert document.headers["ETag"].startswith('"v1-')
    same = await stocked.client.get(TARGETS, headers={**stocked.admin, "If-None-Match": document.headers["ETag"]})
    assert same.status_code == 304


async def test_applying_the_same_targets_writes_nothing(stocked: House) -> None:
    before = await stocked.rows("indicators")
    again = await put(stocked, TARGETS, {"targets": [target(value=80.0)]})
    assert again["changes"]["targets"]["unchanged"] == 1
    assert again["version"] == 1
    assert await stocked.rows("indicators") == before


async def test_targets_keep_what_they_said_before(stocked: House) -> None:
    moment = (await stocked.client.get("/v1/indicators/targets", headers=stocked.admin)).headers["Known-At"]
    more = [target(value=85, raw_target="đạt trên 85%"), target("X", indicator="CASHLESS_RATE")]
    changed = await put(stocked, TARGETS, {"targets": more}, correction="Nhập sai chỉ tiêu")
    assert (changed["changes"]["targets"]["created"], changed["changes"]["targets"]["updated"]) == (["X"], ["III.19"])
    assert changed["version"] == 2
    assert [each["value"] for each in await items(stocked, "/v1/indicators/targets")] == [85, 80]
    assert [each["value"] for each in await items(stocked, "/v1/indicators/targets", known_at=moment)] == [80]
    kept = await put(stocked, TARGETS, {"targets": more[:1]})
    assert kept["changes"]["targets"]["kept"] == ["X"]
    pruned = await put(stocked, TARGETS, {"targets": more[:1]}, prune="true", correction="Nhập sai chỉ tiêu")
    assert pruned["changes"]["targets"]["removed"] == ["X"]
    assert pruned["version"] == 3


async def test_a_dry_run_tells_the_difference_and_keeps_nothing(stocked: House) -> None:
    before = await stocked.rows("indicators")
    told = await put(stocked, TARGETS, {"targets": [target(value=90)]}, dry_run="true", correction="Nhập sai chỉ tiêu")
    assert (told["dry_run"], told["changes"]["targets"]["updated"], told["write_token"]) == (True, ["III.19"], None)
    assert await stocked.rows("indicators") == before


async def test_an_edit_of_an_old_version_is_refused(stocked: House) -> None:
    await put(stocked, TARGETS, {"targets": [target(value=85)]}, correction="Nhập sai chỉ tiêu")
    stale = {"If-Match": '"v1-abc"'}
    assert await refused(stocked, TARGETS, {"targets": [target(value=90)]}, **stale) == (412, [("stale_version", "")])
    fresh = await stocked.client.put(
        TARGETS,
        json={"targets": [target(value=90)]},
        params={"correction": "Nhập sai chỉ tiêu"},
        headers={**stocked.admin, "If-Match": '"v2"'},
    )
    assert fresh.status_code == 200


async def test_targets_that_cannot_be_are_refused_with_their_place(stocked: House) -> None:
    bad = [
        target("A", indicator="NOWHERE"),
        target("B", value=101),
        target("C", comparator="top_n"),
        target("D", due={"kind": "month", "value": "2026-13"}),
    ]
    status, found = await refused(stocked, TARGETS, {"targets": bad})
    assert status == 422
    assert {
        ("indicator_unknown", "/targets/0/indicator"),
        ("value_out_of_scale", "/targets/1/value"),
        ("comparator_mismatch", "/targets/2/comparator"),
        ("due_malformed", "/targets/3/due"),
        ("target_twice", "/targets/2/indicator"),
    } <= set(found)
    status, found = await refused(stocked, TARGETS, {"targets": [target("Z")]})
    assert found == [("target_twice", "/targets/1/indicator")], "a kept target promises the same indicator"


async def test_the_units_token_is_needed_and_drafts_stay_hidden(stocked: House) -> None:
    draft = header("26434-2026-resolution-57-implementation", status="draft", issued_on=None)
    house = stocked
    await hear(house, header(), draft)
    path = f"/v1/indicators/targets/{draft['plan_key']}"
    own = house.headers("targets:write indicators:read", ["26434"])
    other = house.headers("targets:write indicators:read", ["26491"])
    body = {"targets": [target()]}
    assert (await house.client.put(path, json=body, headers=own)).status_code == 200
    assert (await house.client.put(path, json=body, headers=other)).json()["code"] == "target_plan_unknown"
    assert (await house.client.put(TARGETS, json=body, headers=own)).json()["code"] == "unit_not_covered"
    assert (await house.client.get(path, headers=own)).status_code == 200
    for reader in (other, {}):
        assert (await house.client.get(path, headers=reader)).json()["code"] == "target_plan_unknown"
        assert [each["plan_key"] for each in await items(house, "/v1/indicators/targets", headers=reader)] == [PLAN]
        assert len(await items(house, "/v1/indicators/scorecards", headers=reader)) == 1
    assert len(await items(house, "/v1/indicators/scorecards", headers=own)) == 2


async def test_targets_are_found_by_what_they_say(stocked: House) -> None:
    path = "/v1/indicators/targets"
    for params, number in (
        ({"plan_key": PLAN}, 1),
        ({"admin_unit": "26491,26434", "province": "75", "year": 2026}, 1),
        ({"office": "cong-an-xa"}, 1),
        ({"office": "tram-y-te"}, 0),
        ({"pillar": "digital_society", "comparator": "gt", "value_type": "percent"}, 1),
        ({"q": "tai khoan vneid"}, 1),
        ({"year": 2025}, 0),
    ):
        assert len(await items(stocked, path, **params)) == number, params


async def test_remarks_need_a_token(stocked: House) -> None:
    await put(stocked, TARGETS, {"targets": [target(note="plain")]}, correction="Nhập sai chỉ tiêu")
    assert [each["note"] for each in await items(stocked, "/v1/indicators/targets")] == ["plain"]
    assert [each["note"] for each in await items(stocked, "/v1/indicators/targets", headers={})] == [None]


async def test_a_target_without_an_office_says_so(stocked: House) -> None:
    await put(
        stocked,
        TARGETS,
        {
            "targets": [
                target(lead_offices=[]),
                target(
                    "X", indicator="DTI_SCORE", value=0.7, value_type="index", lead_offices=["so-khcn", "cong-an-xa"]
                ),
            ]
        },
        correction="Nhập sai chỉ tiêu",
    )
    cards = await items(stocked, "/v1/indicators/scorecards")
    assert [each["target"]["lead_vi"] for each in cards] == ["chưa phân công", "so-khcn, Công an xã"]
