"""Posting figures over HTTP: what is created, changed, withdrawn, repeated."""

from __future__ import annotations

from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    ENTRIES,
    HISTORY,
    SCORECARDS,
    TARGETS,
    counts,
    faults,
    items,
    post,
    put,
    row,
    target,
    written,
)


async def test_a_posted_figure_changes_the_verdict_and_says_why(stocked: House) -> None:
    before = await items(stocked, SCORECARDS, on="2026-11-22")
    assert (before[0]["evaluation"]["achievement"], before[0]["actual"]) == ("no_data", None)
    response = await post(stocked, row(numerator=855, denominator=1000, value=None, note="từ CSDL dân cư"))
    assert response.status_code == 200
    assert counts(response) == {"received": 1, "created": 1}
    after = (await items(stocked, SCORECARDS, on="2026-11-22"))[0]
    assert (after["regime"], after["period_type"]) == ("state", "quarter")
    assert {name: after["actual"][name] for name in ("value", "numerator", "denominator", "version", "note")} == {
        "value": 85.5,
        "numerator": 855,
        "denominator": 1000,
        "version": 1,
        "note": "từ CSDL dân cư",
    }
    assert (after["evaluation"]["achievement"], after["evaluation"]["achievement_ratio"]) == ("exceeded", 1.06875)
    assert after["evaluation"]["rule"] == "gt"
    assert after["evaluation"]["reason_vi"].startswith("Vượt: 855/1.000 = 85,5 % (Quý III/2026, chốt 14/09/2026")
    assert "(tester) ghi ngày" in after["evaluation"]["reason_vi"]
    assert after["target"]["lead_vi"] == "Công an xã"


async def test_posting_again_changes_nothing_and_announces_nothing(stocked: House) -> None:
    await post(stocked, row())
    before = await written(stocked)
    again = await post(stocked, row(measured_on="2026-09-10"), row(value=85.50, measured_on="2026-09-10"))
    assert counts(again) == {"received": 2, "unchanged": 1, "duplicates": 1}
    assert again.json()["import_id"] is None
    assert await written(stocked) == before


async def test_a_change_keeps_what_it_supersedes(stocked: House) -> None:
    await post(stocked, row(note="lần đầu"))
    first = (await items(stocked, ACTUALS))[0]
    changed = await post(stocked, row(value=86, reason="đối chiếu lại", base_version=1))
    assert counts(changed) == {"received": 1, "updated": 1}
    now = (await items(stocked, ACTUALS))[0]
    assert (now["value"], now["version"], now["note"]) == (86, 2, None)
    then = (await items(stocked, ACTUALS, known_at=first["recorded_at"]))[0]
    assert then == first
    history = await items(stocked, HISTORY, indicator="VNEID_ACCOUNT_RATE")
    told = [(each["version"], each["value"], each["reason"], each["superseded_at"]) for each in history]
    assert told == [(1, 85.5, None, now["recorded_at"]), (2, 86, "đối chiếu lại", None)]


async def test_a_wrong_figure_is_withdrawn_and_stays_in_history(stocked: House) -> None:
    await post(stocked, row())
    figure = (await items(stocked, ACTUALS))[0]
    bare = row(value=None, action="withdraw")
    assert faults(await post(stocked, bare)) == [(1, "reason", "reason_missing")]
    assert counts(await post(stocked, {**bare, "reason": "nhầm xã"})) == {"received": 1, "updated": 1}
    assert await items(stocked, ACTUALS) == []
    assert len(await items(stocked, ACTUALS, known_at=figure["recorded_at"])) == 1
    assert (await items(stocked, SCORECARDS))[0]["evaluation"]["achievement"] == "no_data"
    assert counts(await post(stocked, {**bare, "reason": "nhầm xã"})) == {"received": 1, "unchanged": 1}
    assert counts(await post(stocked, row(value=84))) == {"received": 1, "updated": 1}
    history = await items(stocked, HISTORY)
    assert [(each["version"], each["value"], each["is_withdrawn"]) for each in history] == [
        (1, 85.5, False),
        (2, None, True),
        (3, 84, False),
    ]


async def test_a_withdrawn_figure_gives_way_to_the_right_one_of_its_day(stocked: House) -> None:
    await post(stocked, row(measured_on="2026-09-10"))
    await post(stocked, row(value=None, action="withdraw", reason="sai"))
    again = await post(stocked, row(value=80, measured_on="2026-09-10", reason="đúng"))
    assert counts(again) == {"received": 1, "updated": 1}


async def test_names_in_decomposed_form_are_understood(stocked: House) -> None:
    teachers = target("T2", indicator="SCHOOL_RATE", sub_population="giáo viên")
    await put(stocked, TARGETS, {"targets": [target(), teachers]}, correction="Nhập sót chỉ tiêu")
    decomposed = "gia\u0301o vie\u0302n"
    response = await post(stocked, row(indicator="SCHOOL_RATE", sub_population=decomposed, note="Ho\u0323p"))
    assert response.status_code == 200
    assert [(each["sub_population"], each["note"]) for each in await items(stocked, ACTUALS)] == [("giáo viên", "Họp")]


async def test_every_kind_of_figure_comes_back_in_its_own_column(stocked: House) -> None:
    rows = [
        row(indicator="DTI_SCORE", value=0.7214),
        row(indicator="DTI_PROVINCIAL_RANK", value=None, rank=8),
        row(indicator="INFOSEC_LEVEL", value=None, level=1),
        row(indicator="WIFI_POINTS", value=27),
        row(indicator="MEETING_ROOM", value=None, done_on="2026-09-01"),
        row(indicator="BUDGET_WORDS", value=None, text="Theo phân bổ"),
    ]
    assert counts(await post(stocked, *rows)) == {"received": 6, "created": 6}
    told = {
        each["indicator"]: {n: each[n] for n in ("value", "level", "rank", "text", "done_on") if each[n] is not None}
        for each in await items(stocked, ACTUALS)
    }
    assert told == {
        "DTI_SCORE": {"value": 0.7214},
        "DTI_PROVINCIAL_RANK": {"rank": 8},
        "INFOSEC_LEVEL": {"level": 1},
        "WIFI_POINTS": {"value": 27},
        "MEETING_ROOM": {"done_on": "2026-09-01"},
        "BUDGET_WORDS": {"text": "Theo phân bổ"},
    }


async def test_one_code_of_two_regimes_is_two_figures(stocked: House) -> None:
    rows = [row(), row(regime="calendar", value=87)]
    assert counts(await post(stocked, *rows)) == {"received": 2, "created": 2}
    told = [
        (each["regime"], each["starts_on"], each["ends_on"], each["due_on"]) for each in await items(stocked, ACTUALS)
    ]
    assert told == [
        ("calendar", "2026-07-01", "2026-09-30", None),
        ("state", "2026-06-15", "2026-09-14", "2026-09-14"),
    ]
    calendar = await items(stocked, SCORECARDS, regime="calendar")
    assert (calendar[0]["regime"], calendar[0]["actual"]["value"]) == ("calendar", 87)


async def test_a_provinces_token_writes_for_its_communes(stocked: House) -> None:
    province = stocked.headers("actuals:write", ["75"])
    response = await post(stocked, row(), row(admin_unit="14161"), headers=province)
    assert faults(response) == [(2, "admin_unit", "unit_not_covered")]


async def test_local_codes_are_for_their_unit_only(stocked: House) -> None:
    local = {**ENTRIES[0], "code": "26434:OWN_RATE", "name_vi": "Chỉ tiêu riêng của xã"}
    await put(stocked, "/v1/indicators/catalogue", {"owner": "26434", "indicators": [local]})
    own = row(admin_unit="26434", indicator="26434:OWN_RATE")
    assert (await post(stocked, own)).status_code == 200
    response = await post(stocked, row(indicator="26434:OWN_RATE"))
    assert faults(response) == [(1, "indicator", "indicator_of_another_owner")]


async def test_rows_may_come_by_name_and_an_empty_post_is_fine(stocked: House) -> None:
    named = await stocked.client.post(ACTUALS, json={"actuals": [row()]}, headers=stocked.admin)
    assert counts(named) == {"received": 1, "created": 1}
    assert counts(await post(stocked)) == {}


async def test_a_dry_run_answers_the_same_and_keeps_nothing(stocked: House) -> None:
    before = await written(stocked)
    response = await post(stocked, row(), dry_run="true")
    assert counts(response) == {"received": 1, "created": 1}
    assert (response.json()["dry_run"], response.json()["import_id"], response.json()["write_token"]) == (
        True,
        None,
        None,
    )
    assert await written(stocked) == before


async def test_a_repeated_key_answers_the_stored_reply(stocked: House) -> None:
    keyed = {**stocked.admin, "Idempotency-Key": "một-lần".encode().hex()}
    first = await post(stocked, row(), headers=keyed)
    again = await post(stocked, row(), headers=keyed)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    reused = await post(stocked, row(value=86), headers=keyed)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
