"""What the service does beyond one request: catching up, queueing writers, samples, events and their parts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from chassis import clock
from chassis.outbox import parts_of
from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    CATALOGUE,
    ENTRIES,
    REGIMES,
    SCORECARDS,
    STATE,
    faults,
    header,
    hear,
    items,
    post,
    put,
    row,
    target,
)

CSV = "code,name_vi,name_en,type,province_code,valid_from,valid_to\n"
DONG_NAI = "75,Đồng Nai,Dong Nai,municipality,,2025-07-01,\n"
DAI_PHUOC = "26491,Đại Phước,Dai Phuoc,commune,75,2025-07-01,\n"


async def record_units(house: House, *lines: str) -> None:
    response = await house.client.put(
        "/v1/plans/admin-units",
        content=(CSV + "".join(lines)).encode(),
        headers={**house.admin, "Content-Type": "text/csv"},
    )
    assert response.status_code == 200, response.text
    await house.sequence()


async def test_an_unknown_unit_is_looked_up_once_before_it_is_refused(house: House) -> None:
    await record_units(house, DONG_NAI)
    await house.follow()
    await put(house, CATALOGUE, {"indicators": ENTRIES})
    await put(house, REGIMES, {"regimes": [STATE]})
    assert faults(await post(house, row())) == [(1, "admin_unit", "admin_unit_unknown")]
    await record_units(house, DONG_NAI, DAI_PHUOC)
    assert (await post(house, row())).status_code == 200
    assert [(each["admin_unit"], each["province"]) for each in await items(house, ACTUALS)] == [("26491", "75")]


def go_to_production(house: House) -> None:
    """The same data under production settings."""
    settings = house.settings.model_copy(update={"environment": "production"})
    house.composition.services["indicators"].state.house.settings = settings


async def test_production_takes_no_samples(stocked: House) -> None:
    go_to_production(stocked)
    response = await post(stocked, row(source="sample"), row(period="2026-Q2"), mode="partial")
    assert faults(response) == [(1, "source", "samples_refused")]
    assert [each["period"] for each in await items(stocked, ACTUALS)] == ["2026-Q2"]


async def test_sample_figures_are_public_in_the_demo_only(stocked: House) -> None:
    await post(stocked, row(source="sample"))
    assert len(await items(stocked, ACTUALS, headers={})) == 1
    go_to_production(stocked)
    assert await items(stocked, ACTUALS, headers={}) == []
    assert (await items(stocked, SCORECARDS, headers={}))[0]["actual"] is None


async def test_writers_of_one_unit_queue_and_every_version_is_kept(stocked: House) -> None:
    answers = await asyncio.gather(*(post(stocked, row(value=80 + number)) for number in range(4)))
    assert [each.status_code for each in answers] == [200] * 4
    history = await items(stocked, f"{ACTUALS}/history")
    assert [each["version"] for each in history] == [1, 2, 3, 4]
    assert sorted(each["value"] for each in history) == [80, 81, 82, 83]
    ends = [each["superseded_at"] for each in history[:-1]]
    assert ends == [each["recorded_at"] for each in history[1:]]
    assert len(set(ends)) == 3


async def test_posts_that_overlap_in_opposite_order_never_deadlock(stocked: House) -> None:
    units = ["26491", "26434", "25378", "14161"]
    rows = [[row(admin_unit=unit, value=50 + turn) for unit in units] for turn in range(4)]
    answers = await asyncio.gather(*(post(stocked, *(rows[n] if n % 2 else rows[n][::-1])) for n in range(4)))
    assert [each.status_code for each in answers] == [200] * 4
    assert len({each["value"] for each in await items(stocked, ACTUALS)}) == 1


async def test_status_follows_the_clock(stocked: House) -> None:
    with clock.frozen(datetime(2026, 9, 14, 16, 59, tzinfo=UTC)):
        await post(stocked, row())
    assert [each["data_status"] for each in await items(stocked, ACTUALS)] == ["estimated"]
    with clock.frozen(datetime(2026, 9, 14, 17, 0, tzinfo=UTC)):
        await post(stocked, row())
    told = (await items(stocked, ACTUALS))[0]
    assert (told["data_status"], told["version"], told["measured_on"]) == ("preliminary", 2, "2026-09-14")


async def test_latest_is_the_greatest_end_on_or_before_the_day(stocked: House) -> None:
    rows = [row(period=period, value=value) for period, value in (("2026-Q2", 70), ("2026-S1", 71), ("2026-Q3", 72))]
    await post(stocked, *rows, row(period="2025", value=99))
    for on, period, value in (
        ("2026-06-13", None, None),
        ("2026-06-14", "2026-S1", 71),
        ("2026-09-13", "2026-S1", 71),
        ("2026-09-14", "2026-Q3", 72),
    ):
        card = (await items(stocked, SCORECARDS, on=on))[0]
        found = card["actual"] or {"period": None, "value": None}
        assert (found["period"], found["value"], card["on"]) == (period, value, on)
    quarters = (await items(stocked, SCORECARDS, on="2026-06-14", period_type="quarter"))[0]
    assert (quarters["actual"]["value"], quarters["period_type"]) == (70, "quarter")


async def test_a_scorecard_can_be_read_as_it_was_known(stocked: House) -> None:
    await post(stocked, row())
    moment = (await stocked.client.get(ACTUALS, headers=stocked.admin)).headers["Known-At"]
    await post(stocked, row(value=70))
    now = (await items(stocked, SCORECARDS, on="2026-11-22"))[0]["evaluation"]
    then = (await items(stocked, SCORECARDS, on="2026-11-22", known_at=moment))[0]["evaluation"]
    assert (now["achievement"], then["achievement"]) == ("on_track", "exceeded")


async def test_a_scorecard_costs_one_statement_for_one_commune_or_many(stocked: House) -> None:
    keys = [f"{code}-2026-digital-transformation" for code in ("26434", "25378", "14161")]
    await hear(stocked, header(), *(header(key) for key in keys))
    for key in keys:
        await put(
            stocked, f"/v1/indicators/targets/{key}", {"targets": [target(), target("2", indicator="CASHLESS_RATE")]}
        )
    for params, number in (({"admin_unit": "26434"}, 2), ({}, 7)):
        with stocked.statements("indicators") as seen:
            assert len(await items(stocked, SCORECARDS, **params)) == number
        assert len(seen) == 1
    for path in ("catalogue", "regimes", "periods", "targets", "actuals", "actuals/history"):
        with stocked.statements("indicators") as seen:
            await items(stocked, f"/v1/indicators/{path}")
        assert len(seen) == 1, path


async def changes(house: House, headers: dict[str, str] | None = None, **params: Any) -> list[dict[str, Any]]:
    await house.sequence()
    asked = {"types": "vn.chitieu.indicators.actuals.posted.v1", **params}
    return await items(house, "/v1/indicators/changes", headers, **asked)


async def test_a_post_is_announced_once_per_unit_with_old_and_new_figures(stocked: House) -> None:
    await post(stocked, row(), row(admin_unit="14161", value=50), row(period="2026-Q2"))
    await post(stocked, row(value=86, note="mật", evidence_url="https://example.vn"), row(period="2026-Q2"))
    told = await changes(stocked)
    assert [(each["subject"], each["data"]["version"], len(each["data"]["changes"])) for each in told] == [
        ("14161", 1, 1),
        ("26491", 1, 2),
        ("26491", 2, 1),
    ]
    last = told[-1]["data"]
    assert (last["admin_unit"], last["client_id"], last["source"]) == ("26491", "tester", None)
    assert last["changes"] == [
        {
            "indicator": "VNEID_ACCOUNT_RATE",
            "regime": "state",
            "period": "2026-Q3",
            "action": "set",
            "old": {"value": 85.5, "data_status": "preliminary", "measured_on": "2026-09-14"},
            "new": {"value": 86, "data_status": "preliminary", "measured_on": "2026-09-14"},
            "version": 2,
        }
    ]
    assert told[-1]["province"] == "75"


async def test_samples_are_announced_apart_and_to_everybody(stocked: House) -> None:
    await post(stocked, row(source="sample"), row(period="2026-Q2"))
    everybody = await changes(stocked, {})
    assert [(each["data"]["source"], each["data"]["client_id"]) for each in everybody] == [("sample", "tester")]
    assert len(await changes(stocked)) == 2
    assert len(await changes(stocked, stocked.headers("changes:read", ["26491"]))) == 2
    assert len(await changes(stocked, stocked.headers("changes:read", ["26434"]))) == 1
    await post(stocked, row(value=84))
    assert len(await changes(stocked, {})) == 1, "a real figure over a sample one is not public"


async def test_a_long_announcement_is_told_in_parts(stocked: House) -> None:
    rows = [
        row(indicator="BUDGET_WORDS", value=None, text=f"{month:02d}" + "ă" * 1900, period=f"2026-{month:02d}")
        for month in range(1, 12)
    ]
    await post(stocked, *rows)
    rewritten = [{**each, "text": "đ" + each["text"]} for each in rows]
    await post(stocked, *rewritten)
    told = await changes(stocked)
    assert [each["data"]["version"] for each in told] == [1, 2, 3, 4]
    assert len(told[0]["data"]["changes"]) == 11
    assert sum(len(each["data"]["changes"]) for each in told[1:]) == 11


def test_parts_hold_every_change_in_order() -> None:
    changes = [{"n": number, "text": "x" * 20_000} for number in range(5)]
    parts = list(parts_of(changes))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [change for part in parts for change in part] == changes
    assert list(parts_of([])) == []


async def test_every_write_is_in_the_audit(stocked: House) -> None:
    posted = (await post(stocked, row())).json()
    told = await items(stocked, "/v1/indicators/audit")
    assert [(each["action"], each["subject"]) for each in told] == [
        ("catalogue.applied", "catalogue:"),
        ("regimes.applied", "calendar"),
        ("regimes.applied", "state"),
        ("regimes.applied", "state"),
        ("targets.applied", "26491-2026-digital-transformation-state-agencies"),
        ("actuals.posted", "26491"),
    ]
    assert told[-1]["new"] == {"import_id": posted["import_id"], "created": 1, "updated": 0}
    assert (told[-1]["commune"], told[-1]["province"], told[-1]["client_id"]) == ("26491", "75", "tester")


async def test_local_codes_of_an_unheard_unit_are_looked_up(house: House) -> None:
    await hear(house)
    body = {"owner": "12345", "indicators": []}
    response = await house.client.put(CATALOGUE, json=body, headers=house.admin)
    assert response.json()["errors"][0]["code"] == "admin_unit_unknown"


async def test_a_plan_nobody_told_of_is_not_found(stocked: House) -> None:
    response = await stocked.client.put(
        "/v1/indicators/targets/26491-2030-nothing", json={"targets": []}, headers=stocked.admin
    )
    assert (response.status_code, response.json()["code"]) == (404, "target_plan_unknown")
    assert (await stocked.client.get("/v1/indicators/targets/x", headers=stocked.admin)).status_code == 404
