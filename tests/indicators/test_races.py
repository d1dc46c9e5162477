"""Writers beside each other: lists do not change under those who rely on them, and units are written one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest

from chassis.tabular import Body
from services.indicators.domain.actuals.titles import TITLES
from services.indicators.schemas.targets import TargetsBody
from services.indicators.service import actuals
from services.indicators.service import targets as service
from services.indicators.service.applying import Terms
from services.indicators.service.terms import Mode, PostTerms
from tests.house import House
from tests.indicators.forms import outcomes
from tests.indicators.given import (
    ACTUALS,
    CATALOGUE,
    ENTRIES,
    PLAN,
    REGIMES,
    STATE,
    TARGETS,
    faults,
    items,
    post,
    row,
    target,
)
from tests.indicators.importing import counted, lines, look, queued, run

UNITS = ("14161", "25378", "26434", "26491")
STRANGER = row(indicator="NO_SUCH")


async def no_news(_db: Any) -> None:
    """Nothing has happened elsewhere."""


def body_of(*rows: dict[str, Any]) -> Body:
    """Rows as they are posted."""
    return Body(json.dumps(rows).encode(), "application/json", TITLES)


async def waits(work: Awaitable[Any]) -> asyncio.Future[Any]:
    """Start some work, and see that it does not get through."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait([task], timeout=0.4)
    assert not done
    return task


def prune_catalogue(house: House, code: str) -> Awaitable[Any]:
    left = {"indicators": [each for each in ENTRIES if each["code"] != code]}
    return house.client.put(CATALOGUE, json=left, params={"prune": "true"}, headers=house.admin)


async def test_a_code_is_not_pruned_while_a_figure_is_posted_for_it(stocked: House) -> None:
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(indicator="WIFI_POINTS", value=3)), terms)
        task = await waits(prune_catalogue(stocked, "WIFI_POINTS"))
    response = await task
    assert (response.status_code, response.json()["code"]) == (409, "indicator_in_use")


async def test_a_code_is_not_pruned_while_a_target_is_set_for_it(stocked: House) -> None:
    wifi = target("X", indicator="WIFI_POINTS", value_type="count", comparator="gte", value=15)
    body = TargetsBody.model_validate({"targets": [target(), wifi]}, strict=False)
    async with stocked.database("indicators").write() as db:
        await service.apply_targets(db, stocked.caller(), PLAN, body, Terms(no_news, correction="Nhập sót"))
        task = await waits(prune_catalogue(stocked, "WIFI_POINTS"))
    response = await task
    assert (response.status_code, response.json()["code"]) == (409, "indicator_in_use")


async def test_periods_do_not_move_while_a_figure_is_posted_into_one(stocked: House) -> None:
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(value=85)), terms)
        moved = {"regimes": [{**STATE, "opens_on_day": 10}]}
        task = await waits(stocked.client.put(REGIMES, json=moved, headers=stocked.admin))
    response = await task
    assert (response.status_code, response.json()["code"]) == (409, "regime_in_use")


async def test_posts_of_different_units_do_not_wait_for_each_other(stocked: House) -> None:
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(value=85)), terms)
        assert (await post(stocked, row(admin_unit="26434"))).status_code == 200
        unchanged = await stocked.client.put(TARGETS, json={"targets": [target()]}, headers=stocked.admin)
        assert unchanged.status_code == 200


# --- posts lock their units while their rows are judged


@pytest.mark.parametrize("sent", [STRANGER, row(period="2031-Q1"), row(admin_unit="26434")])
async def test_a_post_without_a_sound_row_locks_nothing(stocked: House, sent: dict[str, Any]) -> None:
    with stocked.statements("indicators") as seen:
        response = await post(stocked, sent, headers=stocked.headers(admin_units=["26491"]), mode="partial")
    assert outcomes(response) == {"received": 1, "refused": 1}
    assert [statement for statement in seen if "aggregate_head" in statement] == []


async def test_a_post_holds_the_units_its_sender_acts_for_and_no_others(stocked: House) -> None:
    sent = body_of(row(value=85), row(admin_unit="26434", value=85), STRANGER)
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True, mode=Mode.PARTIAL)
        result = await actuals.post_actuals(db, stocked.caller(admin_units=["26491"]), sent, terms)
        assert (result.counts["created"], result.counts["refused"]) == (1, 2)
        assert outcomes(await post(stocked, row(admin_unit="26434", value=84))) == {"received": 1, "created": 1}
        task = await waits(post(stocked, row(value=86), STRANGER, mode="partial"))
    # It read what was stored after it had waited.
    assert outcomes(await task) == {"received": 2, "updated": 1, "refused": 1}
    history = await items(stocked, f"{ACTUALS}/history", admin_unit="26491")
    assert [(each["version"], each["value"]) for each in history] == [(1, 85), (2, 86)]


def one_each(value: int) -> list[dict[str, Any]]:
    """A row for every unit."""
    return [row(admin_unit=unit, value=value) for unit in UNITS]


async def told_in_turn(house: House) -> list[int]:
    """The values that the units had one after the other, which are the same for all of them, version by version."""
    history = await items(house, f"{ACTUALS}/history")
    by_unit = {
        unit: [(each["version"], each["value"]) for each in history if each["admin_unit"] == unit] for unit in UNITS
    }
    (first,) = {tuple(versions) for versions in by_unit.values()}
    assert [version for version, _ in first] == list(range(1, len(first) + 1))
    return [value for _, value in first]


async def test_overlapping_posts_with_refused_rows_take_turns(stocked: House) -> None:
    answers = await asyncio.gather(
        post(stocked, *one_each(50)),
        post(stocked, *reversed(one_each(51)), STRANGER),
        post(stocked, STRANGER, *one_each(52), mode="partial"),
        post(stocked, *reversed(one_each(53)), STRANGER, mode="partial"),
    )
    assert [answer.status_code for answer in answers] == [200, 422, 207, 207]
    assert [faults(answer) for answer in answers[1:]] == [
        [(5, "indicator", "indicator_unknown")],
        [(1, "indicator", "indicator_unknown")],
        [(5, "indicator", "indicator_unknown")],
    ]
    assert sorted(await told_in_turn(stocked)) == [50, 52, 53]
    counts = [answer.json() for answer in answers if answer.status_code != 422]
    assert sorted((each["created"], each["updated"]) for each in counts) == [(0, 4), (0, 4), (4, 0)]


async def test_an_import_waits_for_a_post_with_nothing_locked(stocked: House) -> None:
    await post(stocked, *one_each(50))
    import_id = await queued(stocked, lines(*reversed(one_each(52)), STRANGER), mode="partial")
    async with stocked.database("indicators").write() as db:
        terms = PostTerms(no_news, takes_samples=True)
        await actuals.post_actuals(db, stocked.caller(), body_of(row(admin_unit=UNITS[0], value=51)), terms)
        task = await waits(run(stocked))
        assert outcomes(await post(stocked, row(admin_unit=UNITS[3], value=51))) == {"received": 1, "updated": 1}
    assert await task == 1
    found = await look(stocked, import_id)
    assert counted(found["result"]) == {"received": 5, "updated": 4, "refused": 1}
    history = await items(stocked, f"{ACTUALS}/history")
    turns = {unit: [each["value"] for each in history if each["admin_unit"] == unit] for unit in UNITS}
    assert turns == {UNITS[0]: [50, 51, 52], UNITS[1]: [50, 52], UNITS[2]: [50, 52], UNITS[3]: [50, 51, 52]}


async def test_an_import_and_posts_take_turns(stocked: House) -> None:
    import_id = await queued(stocked, lines(*reversed(one_each(50)), STRANGER), mode="partial")
    ran, whole, part = await asyncio.gather(
        run(stocked),
        post(stocked, *one_each(51)),
        post(stocked, STRANGER, *reversed(one_each(52)), mode="partial"),
    )
    assert (ran, whole.status_code, part.status_code) == (1, 200, 207)
    assert counted((await look(stocked, import_id))["result"])["refused"] == 1
    assert sorted(await told_in_turn(stocked)) == [50, 51, 52]
