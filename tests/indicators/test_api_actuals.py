"""Posting figures over HTTP: counts, refusals with their places, statements, history, visibility."""

from __future__ import annotations

import json
import time
from typing import Any

import zstandard

from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    ENTRIES,
    PLAN,
    SCORECARDS,
    TARGETS,
    faults,
    items,
    post,
    put,
    row,
    target,
)

HISTORY = f"{ACTUALS}/history"


def counts(response: Any) -> dict[str, int]:
    body = response.json()
    names = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
    found = {name: body[name] for name in names}
    assert found["received"] == sum(found[name] for name in names[1:])
    return {name: number for name, number in found.items() if number}


async def written(house: House) -> dict[str, int]:
    rows = await house.rows("indicators")
    return {name: rows[name] for name in ("actual", "actual_revision", "posting", "outbox", "event_log", "audit")}


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


async def test_what_was_never_there_cannot_be_withdrawn(stocked: House) -> None:
    response = await post(stocked, row(value=None, action="withdraw", reason="nhầm"))
    assert faults(response) == [(1, "action", "nothing_to_withdraw")]


BAD_ROWS: list[tuple[dict[str, Any], str, str]] = [
    ({"admin_unit": "26492"}, "admin_unit", "admin_unit_unknown"),
    ({"admin_unit": "xã Đại Phước"}, "admin_unit", "admin_unit_named_not_coded"),
    ({"admin_unit": "99999"}, "admin_unit", "admin_unit_not_valid"),
    ({"period": "2025-Q2"}, "admin_unit", "admin_unit_not_valid"),
    ({"indicator": "VNEID_ACOUNT_RATE"}, "indicator", "indicator_unknown"),
    ({"indicator": "Tỷ lệ trường học phổ cập kỹ năng số"}, "indicator", "indicator_named_not_coded"),
    ({"period": "Quý III"}, "period", "period_malformed"),
    ({"period": "2026-W17"}, "period", "period_unknown"),
    ({"period": "2027-Q1"}, "period", "period_not_begun"),
    ({"regime": "lunar"}, "regime", "regime_unknown"),
    ({"sub_population": "giáo viên"}, "sub_population", "sub_population_unknown"),
    ({"value": "85,5"}, "value", "number_expected"),
    ({"value": 100.5}, "value", "value_above_100"),
    ({"value": None, "level": 1}, "level", "value_kind_mismatch"),
    ({"value": None, "numerator": 9, "denominator": 8}, "numerator", "numerator_above_denominator"),
    ({"indicator": "DTI_SCORE", "value": 70}, "value", "value_out_of_scale"),
    ({"vaule": 1}, "vaule", "field_unknown"),
]


async def test_bad_rows_are_refused_with_their_places_and_nothing_is_written(stocked: House) -> None:
    before = await written(stocked)
    for cells, column, code in BAD_ROWS:
        response = await post(stocked, row(period="2026-S1"), row(**cells))
        assert (response.status_code, response.json()["code"]) == (422, "actuals_refused")
        assert (2, column, code) in faults(response)
    together = await post(stocked, *(row(**cells) for cells, _, _ in BAD_ROWS))
    assert {(number, column, code) for number, (_, column, code) in enumerate(BAD_ROWS, 1)} <= set(faults(together))
    assert await written(stocked) == before


async def test_advice_names_what_was_meant(stocked: House) -> None:
    rows = [row(admin_unit="Đại Phước"), row(indicator="VNEID_ACOUNT_RATE"), row(admin_unit="26492")]
    told = {each["row"]: each["message"] for each in (await post(stocked, *rows)).json()["errors"]}
    assert told[1] == "“Đại Phước” is a name; write the unit's code: 26491."
    assert told[2].endswith("Did you mean VNEID_ACCOUNT_RATE?")
    assert told[3] == "There is no administrative unit 26492. Did you mean 26491?"


async def test_names_in_decomposed_form_are_understood(stocked: House) -> None:
    teachers = target("T2", indicator="SCHOOL_RATE", sub_population="giáo viên")
    await put(stocked, TARGETS, {"targets": [target(), teachers]}, correction="Nhập sót chỉ tiêu")
    decomposed = "gia\u0301o vie\u0302n"
    response = await post(stocked, row(indicator="SCHOOL_RATE", sub_population=decomposed, note="Ho\u0323p"))
    assert response.status_code == 200
    assert [(each["sub_population"], each["note"]) for each in await items(stocked, ACTUALS)] == [("giáo viên", "Họp")]


async def test_every_fault_of_every_row_is_told_in_the_readers_language(stocked: House) -> None:
    bad = {"admin_unit": "Đại Phước", "indicator": "VNEID_ACOUNT_RATE"}
    rows = [row(value="x", period="x"), row(), 5, row(indicator="WIFI_POINTS", value=2.5), row(value="x", **bad)]
    response = await post(stocked, *rows, headers={**stocked.admin, "Accept-Language": "vi"})
    assert faults(response) == [
        (1, "value", "number_expected"),
        (1, "period", "period_malformed"),
        (3, None, "row_unreadable"),
        (4, "value", "value_not_whole"),
        (5, "value", "number_expected"),
        (5, "admin_unit", "admin_unit_named_not_coded"),
        (5, "indicator", "indicator_unknown"),
    ]
    assert response.json()["detail"] == "Không ghi dòng nào: 4 trên 5 dòng bị từ chối."
    assert response.json()["errors"][1]["message"].startswith("Kỳ x sai dạng; viết 2026")
    assert response.json()["errors_total"] == 7


async def test_a_partial_post_writes_the_good_rows(stocked: House) -> None:
    rows = [row(), row(period="2026-Q2", value=101), row(period="2026-Q2", indicator="CASHLESS_RATE", value=104)]
    response = await post(stocked, *rows, mode="partial")
    assert response.status_code == 207
    assert counts(response) == {"received": 3, "created": 2, "refused": 1}
    assert faults(response) == [(2, "value", "value_above_100")]
    assert [each["code"] for each in response.json()["warnings"]] == ["above_100_allowed"]
    assert response.json()["mode"] == "partial"
    assert len(await items(stocked, ACTUALS)) == 2


async def test_a_partial_post_of_bad_rows_only_is_207_and_writes_nothing(stocked: House) -> None:
    before = await written(stocked)
    response = await post(stocked, row(value=101), mode="partial")
    assert response.status_code == 207
    assert counts(response) == {"received": 1, "refused": 1}
    assert await written(stocked) == before


async def test_contradicting_rows_are_both_refused_and_identical_ones_collapse(stocked: House) -> None:
    rows = [row(), row(value=86), row(period="2026-Q2"), row(period="2026Q2", regime="state")]
    response = await post(stocked, *rows, mode="partial")
    assert counts(response) == {"received": 4, "created": 1, "duplicates": 1, "refused": 2}
    assert faults(response) == [(1, "indicator", "rows_contradict"), (2, "indicator", "rows_contradict")]


async def test_older_figures_never_win_silently(stocked: House) -> None:
    await post(stocked, row(measured_on="2026-09-10"))
    older = row(value=80, measured_on="2026-09-09")
    refused = await post(stocked, older)
    assert faults(refused) == [(1, "measured_on", "measured_on_older")]
    skipped = await post(stocked, older, row(value=81, base_version=7, period="2026-Q2"), on_stale="skip")
    assert skipped.status_code == 200
    assert counts(skipped) == {"received": 2, "stale": 2}
    codes = [each["code"] for each in skipped.json()["warnings"]]
    assert codes == ["measured_on_older", "changed_since_template"]
    assert [each["value"] for each in await items(stocked, ACTUALS)] == [85.5]


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


async def test_a_token_of_another_unit_writes_nothing_here(stocked: House) -> None:
    other = stocked.headers("actuals:write", ["26434"])
    before = await written(stocked)
    response = await post(stocked, row(), row(admin_unit="26434"), headers=other)
    assert (response.status_code, faults(response)) == (422, [(1, "admin_unit", "unit_not_covered")])
    assert await written(stocked) == before
    partial = await post(stocked, row(), row(admin_unit="26434"), headers=other, mode="partial")
    assert (partial.status_code, counts(partial)) == (207, {"received": 2, "created": 1, "refused": 1})


async def test_a_provinces_token_writes_for_its_communes(stocked: House) -> None:
    province = stocked.headers("actuals:write", ["75"])
    response = await post(stocked, row(), row(admin_unit="14161"), headers=province)
    assert faults(response) == [(2, "admin_unit", "unit_not_covered")]


async def test_a_token_needs_the_scope(stocked: House) -> None:
    assert (await stocked.client.post(ACTUALS, json=[row()])).status_code == 401
    reader = stocked.headers("indicators:read")
    assert (await post(stocked, row(), headers=reader)).json()["code"] == "scope_missing"


async def test_local_codes_are_for_their_unit_only(stocked: House) -> None:
    local = {**ENTRIES[0], "code": "26434:OWN_RATE", "name_vi": "Chỉ tiêu riêng của xã"}
    await put(stocked, "/v1/indicators/catalogue", {"owner": "26434", "indicators": [local]})
    own = row(admin_unit="26434", indicator="26434:OWN_RATE")
    assert (await post(stocked, own)).status_code == 200
    response = await post(stocked, row(indicator="26434:OWN_RATE"))
    assert faults(response) == [(1, "indicator", "indicator_of_another_owner")]


async def test_a_body_that_is_no_list_of_rows_is_refused(stocked: House) -> None:
    for body in ({"rows": []}, 5, "x", {"actuals": {}}):
        response = await stocked.client.post(ACTUALS, json=body, headers=stocked.admin)
        assert (response.status_code, response.json()["code"]) == (400, "body_unreadable")
    response = await stocked.client.post(ACTUALS, json={"actuals": [], "more": 1}, headers=stocked.admin)
    assert (response.status_code, faults(response)) == (422, [(1, None, "row_unreadable"), (2, None, "row_unreadable")])


async def test_rows_may_come_by_name_and_an_empty_post_is_fine(stocked: House) -> None:
    named = await stocked.client.post(ACTUALS, json={"actuals": [row()]}, headers=stocked.admin)
    assert counts(named) == {"received": 1, "created": 1}
    assert counts(await post(stocked)) == {}


async def test_too_many_rows_are_refused_with_the_limit(stocked: House) -> None:
    line = json.dumps(row()).encode() + b"\n"
    headers = {**stocked.admin, "Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"}
    response = await stocked.client.post(ACTUALS, content=zstandard.compress(line * 200_001), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "actuals_too_many")
    assert "200000" in response.json()["detail"]


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
    assert len(many) == len(one) == 16
    changed = [{**each, "value": 0.5 if each["indicator"] == "DTI_SCORE" else 2} for each in rows]
    with stocked.statements("indicators") as updates:
        response = await post(stocked, *changed)
    assert counts(response) == {"received": len(rows), "updated": len(rows)}
    assert len(updates) == 18
    with stocked.statements("indicators") as nothing:
        await post(stocked, *changed)
    assert len(nothing) == 10


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


async def test_unfilled_rows_of_a_form_are_left_out_when_asked(stocked: House) -> None:
    rows = [row(), row(period="2026-Q2", value=None), row(period="2026-Q1", value=None, note="chưa có")]
    refused = await post(stocked, *rows)
    assert faults(refused) == [(2, "value", "value_missing"), (3, "value", "value_missing")]
    noted = await post(stocked, *rows, on_blank="skip")
    assert faults(noted) == [(3, "value", "value_missing")]
    taken = await post(stocked, *rows[:2], on_blank="skip")
    assert (taken.status_code, counts(taken), taken.json()["left_blank"]) == (200, {"received": 1, "created": 1}, 1)


async def test_a_withdrawn_figure_gives_way_to_the_right_one_of_its_day(stocked: House) -> None:
    await post(stocked, row(measured_on="2026-09-10"))
    await post(stocked, row(value=None, action="withdraw", reason="sai"))
    again = await post(stocked, row(value=80, measured_on="2026-09-10", reason="đúng"))
    assert counts(again) == {"received": 1, "updated": 1}


async def test_drafts_of_others_are_not_told_by_their_rows(stocked: House) -> None:
    theirs = {"admin_unit": "26434", "plan_row": "V.8", "indicator": None}
    response = await post(stocked, row(**theirs), headers=stocked.headers("actuals:write", ["26491"]))
    assert [fault[2] for fault in faults(response)] == ["unit_not_covered"]


async def test_many_strangers_are_refused_soon(stocked: House) -> None:
    strangers = [row(admin_unit=f"xa zz{number}", indicator=f"X_{number}") for number in range(5000)]
    started = time.perf_counter()
    response = await post(stocked, *strangers)
    assert response.json()["errors_total"] == 10_000
    assert time.perf_counter() - started < 10, "advice for every stranger took minutes"
