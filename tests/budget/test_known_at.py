"""What was known of a plan's money before it became public stays its unit's own, whatever moment is asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.budget.given import PLAN, URL, body, cell, group, hear_plan, line, put, rows
from tests.house import House

LISTS = ("lines", "groups", "totals?by=pillar", "checks")


@pytest.fixture
async def moments(house: House) -> dict[str, str]:
    """A plan drafted with one amount, redrafted with another, then issued; a moment of each time."""
    await hear_plan(house, status="draft")
    for amount in (1, 2):
        content = body(line("A", amount_vnd=amount), groups=(group("G", cell("C", "A", amount_vnd=amount)),))
        await put(house, content)
        if amount == 1:
            drafted = datetime.now(UTC).isoformat()
    issued = datetime.now(UTC).isoformat()
    await hear_plan(house, status="issued", version=2, public_from=issued)
    return {"drafted": drafted, "issued": issued, "now": datetime.now(UTC).isoformat()}


def amounts(found: list[dict[str, object]]) -> list[object]:
    """The amounts of lines, groups, totals and checks."""
    return [row["amount_vnd"] for row in found]


@pytest.mark.parametrize("path", LISTS)
async def test_lists_show_outsiders_nothing_of_a_draft(house: House, moments: dict[str, str], path: str) -> None:
    path, _, by = path.partition("?by=")
    more = {"by": by} if by else {}
    stranger = house.headers("budget:read", ["26491"])
    for moment, seen in (("drafted", []), ("issued", [2]), ("now", [2])):
        for headers in ({"Accept": "application/json"}, stranger):
            assert amounts(await rows(house, path, headers, **more, known_at=moments[moment])) == seen
    own = house.headers("budget:read", ["25345"])
    assert amounts(await rows(house, path, own, **more, known_at=moments["drafted"])) == [1]


async def test_one_plan_is_not_there_before_it_was_public(house: House, moments: dict[str, str]) -> None:
    for moment, status in (("drafted", 404), ("issued", 200)):
        response = await house.client.get(URL, params={"known_at": moments[moment]})
        assert response.status_code == status
    own = house.headers("budget:read", ["75"])
    found = await house.client.get(URL, params={"known_at": moments["drafted"]}, headers=own)
    assert (found.json()["plan_key"], amounts(found.json()["lines"])) == (PLAN, [1])
