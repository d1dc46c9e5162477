"""Rankings over HTTP: one province and indicator each, with method, coverage and only what the caller may see."""

from __future__ import annotations

from typing import Any

from tests.house import House
from tests.indicators.given import PLAN, TARGETS, header, hear, items, post, put, row, target

RANKINGS = "/v1/indicators/rankings"
ASKED = {"province": "75", "indicator": "VNEID_ACCOUNT_RATE", "on": "2026-11-22"}
OTHER_PLAN = "26434-2026-digital-transformation-state-agencies"


async def filled(house: House) -> None:
    """Three communes of Đồng Nai and one of Ninh Bình report; two plans of Đồng Nai have the target."""
    await hear(house, header(), header(OTHER_PLAN))
    await put(house, TARGETS.replace(PLAN, OTHER_PLAN), {"targets": [target()]})
    reported = await post(
        house,
        row(period="2026-Q2", value=99),
        row(value=80),
        row(admin_unit="25378", value=90),
        row(admin_unit="14161", value=95),
        row(admin_unit="75", value=85),
        row(admin_unit="26491", period="2026-S1", value=50),
    )
    assert reported.status_code == 200, reported.text


async def ranked(house: House, **asked: Any) -> dict[str, Any]:
    (found,) = await items(house, RANKINGS, **{**ASKED, **asked})
    return found


def order(ranking: dict[str, Any]) -> list[tuple[int, str, float]]:
    return [(each["place"], each["admin_unit"], each["actual"]["value"]) for each in ranking["items"]]


async def test_communes_of_one_province_are_ranked_by_their_latest_figure(stocked: House) -> None:
    await filled(stocked)
    with stocked.statements("indicators") as statements:
        ranking = await ranked(stocked)
    assert len([each for each in statements if "jsonb_build_object" in each]) == 1
    assert order(ranking) == [(1, "25378", 90), (2, "26491", 80)]
    assert {name: ranking[name] for name in ("province", "indicator", "sub_population", "year", "on", "method")} == {
        "province": "75",
        "indicator": "VNEID_ACCOUNT_RATE",
        "sub_population": None,
        "year": 2026,
        "on": "2026-11-22",
        "method": "highest_first",
    }
    assert (ranking["regime"], ranking["period_type"], ranking["counted"]) == ("state", "quarter", 2)
    assert ranking["coverage"] == {"counted": 1, "communes": 2}
    (actual,) = await items(stocked, "/v1/indicators/actuals", admin_unit="25378")
    assert ranking["items"][0]["actual"] == actual


async def test_day_period_and_year_choose_the_figures(stocked: House) -> None:
    await filled(stocked)
    assert order(await ranked(stocked, on="2026-07-01", regime="state")) == [(1, "26491", 50)]
    assert order(await ranked(stocked, period="2026-Q2")) == [(1, "26491", 99)]
    nothing = await ranked(stocked, year=2025)
    assert (nothing["counted"], nothing["items"], nothing["regime"], nothing["period_type"]) == (0, [], None, None)
    assert nothing["coverage"] == {"counted": 0, "communes": 0}
    assert order(await ranked(stocked, sub_population="phường")) == []


async def test_several_rankings_are_never_mixed(stocked: House) -> None:
    await filled(stocked)
    asked = {**ASKED, "province": "37,75", "indicator": "VNEID_ACCOUNT_RATE,LATE_COUNT,MEETING_ROOM,BUDGET_WORDS"}
    found = await items(stocked, RANKINGS, **asked)
    assert [(each["province"], each["indicator"], each["method"], each["counted"]) for each in found] == [
        ("37", "LATE_COUNT", "lowest_first", 0),
        ("37", "MEETING_ROOM", "earliest_first", 0),
        ("37", "VNEID_ACCOUNT_RATE", "highest_first", 1),
        ("75", "LATE_COUNT", "lowest_first", 0),
        ("75", "MEETING_ROOM", "earliest_first", 0),
        ("75", "VNEID_ACCOUNT_RATE", "highest_first", 2),
    ]


async def test_others_figures_stay_hidden(stocked: House) -> None:
    await filled(stocked)
    own = stocked.headers("indicators:read", ["26491"])
    (found,) = await items(stocked, RANKINGS, headers=own, **ASKED)
    assert [each["admin_unit"] for each in found["items"]] == ["26491"]
    assert found["coverage"] == {"counted": 1, "communes": 2}
    (public,) = await items(stocked, RANKINGS, headers={}, **ASKED)
    assert public["items"] == []


async def test_a_period_may_be_spelled_in_other_ways(stocked: House) -> None:
    await filled(stocked)
    (ours,) = await items(stocked, RANKINGS, **ASKED, period="2026-Q3")
    assert ours["items"] != []
    assert await items(stocked, RANKINGS, **ASKED, period="2026Q3") == [ours]


async def test_what_cannot_be_ranked_is_not_there(stocked: House) -> None:
    for asked in ({"indicator": "BUDGET_WORDS"}, {"indicator": "NO_SUCH"}, {"province": "26491"}):
        assert await items(stocked, RANKINGS, **{**ASKED, **asked}) == []
    response = await stocked.client.get(RANKINGS, params={**ASKED, "period": "soon"}, headers=stocked.admin)
    assert (response.status_code, response.json()["code"]) == (422, "period_malformed")
