"""A filter that is there but empty narrows to nothing we know of: it is refused, never read as everything."""

from __future__ import annotations

import pytest

from tests.house import House

LISTS = (
    "plans?admin_unit=",
    "plans/admin-units?code=,",
    "plans/tasks?plan_key=",
    "plans/tasks?office=%20",
    "plans/offices?admin_unit=",
    "plans?fields=",
    "plans/changes?types=",
    "plans/audit?subject=",
    "indicators/targets?admin_unit=&admin_unit=",
    "indicators/actuals?indicator=",
    "indicators/scorecards?plan_key=,,",
    "indicators/catalogue?code=",
    "budget/lines?admin_unit=",
    "budget/lines?pillar=",
    "budget/checks?plan_key=",
    "budget/totals?by=pillar&province=",
)


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_filter_is_refused(five_plans: House, path: str) -> None:
    response = await five_plans.client.get(f"/v1/{path}", headers=five_plans.admin)
    assert (response.status_code, response.json()["code"]) == (422, "list_empty"), response.text
