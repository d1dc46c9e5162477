"""What the audit tells of catalogue and regimes: old and new values, found by who answers for the unit."""

from __future__ import annotations

from typing import Any

from tests.house import House
from tests.indicators.given import CATALOGUE, REGIMES, STATE, entry, items, put


async def noted(house: House, *units: str, **params: Any) -> list[dict[str, Any]]:
    """The audit as an auditor of some units reads it."""
    return await items(house, "/v1/indicators/audit", house.headers("audit:read", units), limit=1000, **params)


async def test_a_provinces_auditor_sees_the_local_codes_of_its_communes(stocked: House) -> None:
    own = entry("25378:OWN_RATE")
    await put(stocked, CATALOGUE, {"owner": "25378", "indicators": [own]})
    await put(stocked, CATALOGUE, {"owner": "25378", "indicators": [{**own, "name_vi": "Tên khác"}]})
    first, second = await noted(stocked, "75", subject="catalogue:25378")
    assert (first["province"], first["commune"], first["old"]) == ("75", "25378", {"25378:OWN_RATE": None})
    names = [side["25378:OWN_RATE"]["name_vi"] for side in (second["old"], second["new"])]
    assert names == ["Tỷ lệ 25378:OWN_RATE", "Tên khác"]
    assert await noted(stocked, "37", subject="catalogue:25378") == []
    told = await items(stocked, "/v1/indicators/catalogue", code="25378:OWN_RATE")
    assert told[0]["owner"] == "25378"


async def test_a_changed_regime_is_noted_once_for_itself_and_once_for_every_unit_it_names(stocked: House) -> None:
    rules = [{"admin_unit": "26491", "period_type": "quarter", "day": 12}, {"period_type": "year", "day": 20}]
    await put(stocked, REGIMES, {"regimes": [{**STATE, "default_for": ["*", "37"], "due_rules": rules}]})
    everything = [each for each in await noted(stocked, "*", subject="state") if each["new"]][-3:]
    assert [(each["province"], each["commune"]) for each in everything] == [(None, None), ("75", "26491"), ("37", None)]
    own = (await noted(stocked, "75", subject="state"))[-1]
    assert [side["due_rules"][0]["day"] for side in (own["old"], own["new"])] == [14, 12]
    assert (everything[0]["old"]["default_for"], everything[0]["new"]["default_for"]) == (["*"], ["*", "37"])
    assert everything[2]["new"] == {"is_default": True, "due_rules": []}
    assert await noted(stocked, "14161", subject="state") == []


async def test_a_first_regime_notes_the_units_it_names(stocked: House) -> None:
    [own] = await noted(stocked, "26491", subject="state")
    assert (own["action"], own["old"], own["new"]["due_rules"][0]["day"]) == ("regimes.applied", None, 14)
