"""What is announced of a regime: how it cuts the year, and only the rules and defaults that changed."""

from __future__ import annotations

from typing import Any

import pytest

from services.indicators.domain.periods import default_changes, due_rule_changes
from tests.house import House
from tests.indicators.given import CALENDAR, REGIMES, STATE, items, put

REGIME = "vn.chitieu.indicators.regime.changed.v1"
LONG = "đ" * 1900


def rule(unit: str | None, kind: str, day: int, **fields: Any) -> dict[str, Any]:
    return {"admin_unit": unit, "period_type": kind, "day": day, "months_after": 0, "source": None, **fields}


def said(day: int) -> dict[str, Any]:
    return {"day": day, "months_after": 0, "source": None}


Rules = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, [], []),
        (None, [rule(None, "year", 1)], [(None, "year", None, said(1))]),
        ([rule("75", "year", 1)], None, [("75", "year", said(1), None)]),
        ([rule("75", "year", 1)], [rule("75", "year", 1, admin_unit="75")], []),
        ([rule("", "year", 1)], [rule(None, "year", 2)], [(None, "year", said(1), said(2))]),
        (
            [rule("75", "year", 1), rule("26491", "year", 1)],
            [rule("75", "quarter", 1), rule("26491", "year", 1)],
            [("75", "quarter", None, said(1)), ("75", "year", said(1), None)],
        ),
    ],
)
def test_due_rules_that_changed(old: Rules | None, new: Rules | None, told: list[Any]) -> None:
    sides = [None if side is None else {"due_rules": side} for side in (old, new)]
    found = due_rule_changes(*sides)
    assert [(each["admin_unit"], each["period_type"], each["old"], each["new"]) for each in found] == told


def test_defaults_that_changed() -> None:
    assert default_changes(None, {"default_for": ["75", "*"]}) == [
        {"scope": "*", "new": True},
        {"scope": "75", "new": True},
    ]
    assert default_changes({"default_for": ["75", "37"]}, {"default_for": ["37"]}) == [{"scope": "75", "new": False}]
    assert default_changes({"default_for": ["37"]}, None) == [{"scope": "37", "new": False}]


async def told(house: House) -> list[dict[str, Any]]:
    await house.sequence()
    return [each["data"] for each in await items(house, "/v1/indicators/changes", types=REGIME, limit=1000)]


async def test_a_regime_is_announced_with_its_old_words_and_without_remarks(stocked: House) -> None:
    await put(stocked, REGIMES, {"regimes": [{**STATE, "name_en": "State", "note": "mật"}, CALENDAR]})
    first, last = [each for each in await told(stocked) if each["code"] == "state"]
    assert (first["old"], first["new"]["name_en"], last["old"]["name_en"]) == (
        None,
        "State reporting",
        "State reporting",
    )
    assert (last["new"]["name_en"], last["due_rules"], last["default_for"]) == ("State", [], [])
    assert "note" not in last["new"]


async def test_very_many_rules_are_told_in_several_events(stocked: House) -> None:
    rules = [{"admin_unit": f"{10000 + n}", "period_type": "year", "day": 5, "source": LONG} for n in range(40)]
    await put(stocked, REGIMES, {"regimes": [{**STATE, "due_rules": rules}]})
    _, *parts = [each for each in await told(stocked) if each["code"] == "state"]
    assert [each["version"] for each in parts] == [2, 3, 4, 5]
    changes = [change for each in parts for change in each["due_rules"]]
    assert [change["admin_unit"] for change in changes] == [*(each["admin_unit"] for each in rules), "26491"]
    assert (changes[-1]["old"]["day"], changes[-1]["new"]) == (14, None)
