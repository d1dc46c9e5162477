"""Refusals of posted figures, with their places; nothing is written, or only the good rows."""

from __future__ import annotations

import json
from typing import Any

import zstandard

from tests.house import House
from tests.indicators.given import (
    ACTUALS,
    counts,
    faults,
    items,
    post,
    row,
    written,
)


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


async def test_every_fault_of_every_row_is_told_in_the_readers_language(stocked: House) -> None:
    bad = {"admin_unit": "Đại Phước", "indicator": "VNEID_ACOUNT_RATE"}
    rows = [row(value="x", period="x"), row(), 5, row(indicator="WIFI_POINTS", value=2.5), row(value="x", **bad)]
    response = await post(stocked, *rows, headers={**stocked.admin, "Accept-Language": "vi"})
    assert faults(response) == [
        (1, "period", "period_malformed"),
        (1, "value", "number_expected"),
        (3, None, "row_unreadable"),
        (4, "value", "value_not_whole"),
        (5, "value", "number_expected"),
        (5, "admin_unit", "admin_unit_named_not_coded"),
        (5, "indicator", "indicator_unknown"),
    ]
    assert response.json()["detail"] == "Không ghi dòng nào: 4 trên 5 dòng bị từ chối."
    assert response.json()["errors"][0]["message"].startswith("Kỳ x sai dạng; viết 2026")
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


async def test_unfilled_rows_of_a_form_are_left_out_when_asked(stocked: House) -> None:
    rows = [row(), row(period="2026-Q2", value=None), row(period="2026-Q1", value=None, note="chưa có")]
    refused = await post(stocked, *rows)
    assert faults(refused) == [(2, "value", "value_missing"), (3, "value", "value_missing")]
    noted = await post(stocked, *rows, on_blank="skip")
    assert faults(noted) == [(3, "value", "value_missing")]
    taken = await post(stocked, *rows[:2], on_blank="skip")
    assert (taken.status_code, counts(taken), taken.json()["left_blank"]) == (200, {"received": 1, "created": 1}, 1)


async def test_a_token_of_another_unit_writes_nothing_here(stocked: House) -> None:
    other = stocked.headers("actuals:write", ["26434"])
    before = await written(stocked)
    response = await post(stocked, row(), row(admin_unit="26434"), headers=other)
    assert (response.status_code, faults(response)) == (422, [(1, "admin_unit", "unit_not_covered")])
    assert await written(stocked) == before
    partial = await post(stocked, row(), row(admin_unit="26434"), headers=other, mode="partial")
    assert (partial.status_code, counts(partial)) == (207, {"received": 2, "created": 1, "refused": 1})


async def test_a_token_needs_the_scope(stocked: House) -> None:
    assert (await stocked.client.post(ACTUALS, json=[row()])).status_code == 401
    reader = stocked.headers("indicators:read")
    assert (await post(stocked, row(), headers=reader)).json()["code"] == "scope_missing"


async def test_drafts_of_others_are_not_told_by_their_rows(stocked: House) -> None:
    theirs = {"admin_unit": "26434", "plan_row": "V.8", "indicator": None}
    response = await post(stocked, row(**theirs), headers=stocked.headers("actuals:write", ["26491"]))
    assert [fault[2] for fault in faults(response)] == ["unit_not_covered"]


async def test_a_body_that_is_no_list_of_rows_is_refused(stocked: House) -> None:
    for body in ({"rows": []}, 5, "x", {"actuals": {}}):
        response = await stocked.client.post(ACTUALS, json=body, headers=stocked.admin)
        assert (response.status_code, response.json()["code"]) == (400, "body_unreadable")
    response = await stocked.client.post(ACTUALS, json={"actuals": [], "more": 1}, headers=stocked.admin)
    assert (response.status_code, faults(response)) == (422, [(1, None, "row_unreadable")])


async def test_too_many_rows_are_refused_with_the_limit(stocked: House) -> None:
    line = json.dumps(row()).encode() + b"\n"
    headers = {**stocked.admin, "Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"}
    response = await stocked.client.post(ACTUALS, content=zstandard.compress(line * 200_001), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "actuals_too_many")
    assert "200000" in response.json()["detail"]


async def test_of_many_strangers_the_first_get_advice(stocked: House) -> None:
    strangers = [row(admin_unit=f"26491{number:04}", indicator=f"CASHLESS_RATE_{number:04}") for number in range(5000)]
    told = (await post(stocked, *strangers)).json()
    assert told["errors_total"] == 10_000
    advised = [(each["row"], each["column"]) for each in told["errors"] if "Did you mean" in each["message"]]
    assert advised == [(number, column) for number in range(1, 21) for column in ("admin_unit", "indicator")]
