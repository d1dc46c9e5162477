"""What a post costs the database does not grow with its rows."""

from __future__ import annotations

from typing import Any

from tests.house import House
from tests.indicators.given import (
    ENTRIES,
    counts,
    post,
    row,
)


def thousand() -> list[dict[str, Any]]:
    """A thousand rows of different keys, over four communes."""
    units = ("26491", "26434", "25378", "14161")
    entries = [entry for entry in ENTRIES if entry["value_type"] in ("percent", "count", "index")]
    periods = [*(f"2026-{month:02d}" for month in range(1, 12)), "2026-Q1", "2026-Q2", "2026-Q3", "2026-S1", "2026-N"]
    periods += [f"2025-{month:02d}" for month in range(9, 13)] + ["2025-Q4", "2025-S2", "2026"]
    rows = [
        row(admin_unit=unit, indicator=entry["code"], period=period, value=1)
        for unit in units
        for entry in entries
        for period in periods
    ]
    regimes = [
        row(admin_unit=unit, indicator=entry["code"], period="2026-Q1", regime="calendar", value=1)
        for unit in units
        for entry in entries
    ]
    return (rows + regimes)[:1000]


async def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(stocked: House) -> None:
    with stocked.statements("indicators") as one:
        assert (await post(stocked, row(regime="calendar"))).status_code == 200
    rows = thousand()
    with stocked.statements("indicators") as many:
        response = await post(stocked, *rows)
    assert response.status_code == 200, response.text[:500]
    assert len(many) == len(one) == 18
    changed = [{**each, "value": 0.5 if each["indicator"] == "DTI_SCORE" else 2} for each in rows]
    with stocked.statements("indicators") as updates:
        response = await post(stocked, *changed)
    assert counts(response) == {"received": len(rows), "updated": len(rows)}
    assert len(updates) == 20
    with stocked.statements("indicators") as nothing:
        await post(stocked, *changed)
    assert len(nothing) == 12
