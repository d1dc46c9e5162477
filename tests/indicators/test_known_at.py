"""What was known of a plan before it became public stays its unit's own, whatever moment is asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.house import House
from tests.indicators.given import CATALOGUE, ENTRIES, PLAN, SCORECARDS, TARGETS, header, hear, items, put, target

LISTS = ("/v1/indicators/targets", SCORECARDS)


@pytest.fixture
async def moments(stocked: House) -> dict[str, str]:
    """A plan drafted with one promise, redrafted with another, then issued; a moment of each time."""
    await hear(stocked, header(status="draft", version=2, public_from=None))
    await put(stocked, TARGETS, {"targets": [target(raw_target="nháp")]})
    drafted = datetime.now(UTC).isoformat()
    await put(stocked, TARGETS, {"targets": [target()]})
    issued = datetime.now(UTC).isoformat()
    await hear(stocked, header(status="issued", version=3, public_from=issued))
    return {"drafted": drafted, "issued": issued, "now": datetime.now(UTC).isoformat()}


def promises(rows: list[dict[str, object]]) -> list[object]:
    """The words of targets, in targets and in scorecards."""
    return [row.get("raw_target") or row["target"]["raw_target"] for row in rows]  # type: ignore[index]


@pytest.mark.parametrize("path", LISTS)
async def test_lists_show_outsiders_nothing_of_a_draft(stocked: House, moments: dict[str, str], path: str) -> None:
    for headers in ({}, stocked.headers("indicators:read", ["26434"])):
        assert promises(await items(stocked, path, headers)) == ["đạt trên 80%"]
        for moment, seen in (("drafted", []), ("issued", ["đạt trên 80%"]), ("now", ["đạt trên 80%"])):
            assert promises(await items(stocked, path, headers, known_at=moments[moment])) == seen


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("unit", ["26491", "75", "*"])
async def test_lists_show_who_acts_for_the_unit_its_drafts(
    stocked: House, moments: dict[str, str], path: str, unit: str
) -> None:
    headers = stocked.headers("indicators:read", [unit])
    assert promises(await items(stocked, path, headers, known_at=moments["drafted"])) == ["nháp"]


async def test_one_plan_is_not_there_before_it_was_public(stocked: House, moments: dict[str, str]) -> None:
    for moment, status in (("drafted", 404), ("issued", 200)):
        response = await stocked.client.get(TARGETS, params={"known_at": moments[moment]})
        assert response.status_code == status
    own = stocked.headers("indicators:read", ["26491"])
    found = await stocked.client.get(TARGETS, params={"known_at": moments["drafted"]}, headers=own)
    assert promises(found.json()["targets"]) == ["nháp"]


async def test_the_catalogue_tells_no_outsider_who_drafted_with_it(stocked: House, moments: dict[str, str]) -> None:
    code = {"code": "VNEID_ACCOUNT_RATE"}
    for moment, users in (("drafted", []), ("issued", ["26491"])):
        told = await items(stocked, CATALOGUE, {}, **code, known_at=moments[moment])
        assert [entry["used_by"] for entry in told] == [users]
    assert len(ENTRIES) == len(await items(stocked, CATALOGUE, {}))


async def test_an_issued_plan_of_which_nobody_said_since_when_is_not_public(stocked: House) -> None:
    await hear(stocked, header(status="issued", version=2, public_from=None))
    assert await items(stocked, "/v1/indicators/targets", {}, plan_key=PLAN) == []
