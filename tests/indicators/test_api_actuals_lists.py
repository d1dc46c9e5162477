"""Lists of figures: who sees what, filters, pages, whole pulls."""

from __future__ import annotations

from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    HISTORY,
    PLAN,
    SCORECARDS,
    items,
    post,
    row,
)

PERIODS = "/v1/indicators/periods"


async def test_others_see_public_figures_only_and_never_notes_or_names(stocked: House) -> None:
    sample = row(source="sample", note="ghi chú", evidence_url="https://example.vn/1")
    await post(stocked, sample, row(period="2026-Q2", note="mật"))
    for headers in ({}, stocked.headers("indicators:read", ["26434"])):
        seen = await items(stocked, ACTUALS, headers=headers)
        assert [(each["period"], each["is_sample"]) for each in seen] == [("2026-Q3", True)]
        assert (seen[0]["note"], seen[0]["evidence_url"], seen[0]["recorded_by"]) == (None, None, None)
        card = (await items(stocked, SCORECARDS, headers=headers))[0]
        assert card["actual"]["period"] == "2026-Q3"
        assert "tester" not in card["evaluation"]["reason_vi"]
        assert "số liệu mẫu, UBND xã Đại Phước ghi ngày" in card["evaluation"]["reason_vi"]
    own = await items(stocked, ACTUALS, headers=stocked.headers("indicators:read", ["26491"]))
    assert [each["note"] for each in own] == ["mật", "ghi chú"]


async def test_filters_narrow_the_list(stocked: House) -> None:
    await post(stocked, row(), row(period="2026-Q2"), row(admin_unit="14161", indicator="CASHLESS_RATE"))
    for params, number in (
        ({"admin_unit": "26491,14161"}, 3),
        ({"province": "37"}, 1),
        ({"indicator": "VNEID_ACCOUNT_RATE"}, 2),
        ({"period": "2026-Q2"}, 1),
        ({"period_type": "quarter", "year": "2026", "regime": "state"}, 3),
        ({"data_status": "estimated"}, 0),
        ({"source": "sample"}, 0),
    ):
        assert len(await items(stocked, ACTUALS, **params)) == number, params
    unknown = await stocked.client.get(ACTUALS, params={"comune": "26491"}, headers=stocked.admin)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "parameter_unknown")


async def test_periods_are_asked_for_in_every_spelling_that_is_taken(stocked: House) -> None:
    await post(stocked, row(), row(period="2026-07"))
    for path in (ACTUALS, HISTORY):
        found = await items(stocked, path, period="2026Q3,202607", fields="period")
        assert found == [{"period": "2026-07"}, {"period": "2026-Q3"}]
    assert [each["code"] for each in await items(stocked, PERIODS, code="2026-M07", regime="state")] == ["2026-07"]
    for path, parameter in ((ACTUALS, "period"), (HISTORY, "period"), (PERIODS, "code")):
        asked = {"Accept-Language": "en", **stocked.admin}
        response = await stocked.client.get(path, params={parameter: "2026-Q3,2026-Q5"}, headers=asked)
        assert (response.status_code, response.json()["code"]) == (422, "period_malformed")
        assert [(each["column"], each["value"]) for each in response.json()["errors"]] == [(parameter, "2026-Q5")]
        assert response.json()["detail"].startswith("Period 2026-Q5 is malformed")


async def test_pages_follow_each_other(stocked: House) -> None:
    await post(stocked, row(), row(period="2026-Q2"), row(period="2026-Q1"))
    first = await stocked.client.get(ACTUALS, params={"limit": 2}, headers=stocked.admin)
    second = await stocked.client.get(
        ACTUALS, params={"limit": 2, "cursor": first.json()["next"]}, headers=stocked.admin
    )
    assert [each["period"] for each in first.json()["items"] + second.json()["items"]] == [
        "2026-Q1",
        "2026-Q2",
        "2026-Q3",
    ]
    assert second.json()["next"] is None
    assert second.headers["Changes-Cursor"] == first.headers["Changes-Cursor"]


async def test_whole_pulls_are_lines_and_tables(stocked: House) -> None:
    await post(stocked, row(), row(period="2026-Q2"))
    lines = await stocked.client.get(ACTUALS, headers={**stocked.admin, "Accept": "application/x-ndjson"})
    assert len(lines.text.splitlines()) == 2
    table = await stocked.client.get(
        SCORECARDS, params={"fields": "plan_key,evaluation"}, headers={**stocked.admin, "Accept": "text/csv"}
    )
    assert table.text.splitlines()[0].startswith("\ufeffplan_key,evaluation.achievement,")
    assert PLAN in table.text.splitlines()[1]
