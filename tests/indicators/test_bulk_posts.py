"""What a bulk post means: plan rows, scope, warnings, retries, receipts, counts, statements, history."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import zstandard

from chassis.receipts import read_keys, verify_receipt
from tests.chassis.tabular.bodies import CSV, JSON, NDJSON, XLSX, ndjson
from tests.house import House
from tests.indicators.forms import FORMS, MEASURED, ROWS, SPANS, crowd, many, outcomes, said, send
from tests.indicators.given import ACTUALS, HISTORY, TARGETS, faults, items, post, put, row, target, written

# --- the plan's own row


async def with_plan_rows(house: House) -> None:
    """A plan whose row III.20 stands for one part of the population, III.21 for two, III.22 for two indicators."""
    school = {"indicator": "SCHOOL_RATE", "name_vi": "Tỷ lệ trường học phổ cập kỹ năng số"}
    targets = [
        target(),
        target("A", plan_row="III.20", sub_population="giáo viên", **school),
        target("B", plan_row="III.21", sub_population="học sinh", **school),
        target("C", plan_row="III.21", sub_population="phụ huynh", **school),
        target("D", plan_row="III.22", indicator="CASHLESS_RATE"),
        target("E", plan_row="III.22", **school),
    ]
    await put(house, TARGETS, {"targets": targets}, correction="Nhập sót chỉ tiêu")


def by_plan(plan_row: str, **cells: Any) -> dict[str, Any]:
    """A row that names the plan's row instead of the indicator."""
    return row(**{"indicator": None, "plan_row": plan_row, **cells})


async def test_rows_may_name_the_plans_own_row(stocked: House) -> None:
    await with_plan_rows(stocked)
    rows = [
        by_plan("III.19"),
        by_plan("III.20"),
        by_plan("III.21", sub_population="học sinh"),
        by_plan("III.22", indicator="CASHLESS_RATE"),
        row(indicator="WIFI_POINTS", value=3),
    ]
    assert outcomes(await post(stocked, *rows)) == {"received": 5, "created": 5}
    told = {(each["indicator"], each["sub_population"]) for each in await items(stocked, ACTUALS)}
    assert told == {
        ("VNEID_ACCOUNT_RATE", None),
        ("SCHOOL_RATE", "giáo viên"),
        ("SCHOOL_RATE", "học sinh"),
        ("CASHLESS_RATE", None),
        ("WIFI_POINTS", None),
    }
    coded = [row(), row(indicator="SCHOOL_RATE", sub_population="giáo viên")]
    assert outcomes(await post(stocked, *coded)) == {"received": 2, "unchanged": 2}


async def test_plan_rows_that_stand_for_none_or_several_are_refused(stocked: House) -> None:
    await with_plan_rows(stocked)
    rows = [
        by_plan("IX.9"),
        by_plan("III.19", admin_unit="26434"),
        by_plan("III.19", period="2025-Q4"),
        by_plan("III.19", indicator="SCHOOL_RATE"),
        by_plan("III.20", sub_population="học sinh"),
        by_plan("III.21"),
        by_plan("III.21", indicator="SCHOOL_RATE"),
        by_plan("III.22"),
        row(indicator="WIFI_POINTS", value=3),
    ]
    response = await post(stocked, *rows, mode="partial")
    assert outcomes(response) == {"received": 9, "created": 1, "refused": 8}
    assert faults(response) == [
        (1, "plan_row", "plan_row_unknown"),
        (2, "plan_row", "plan_row_unknown"),
        (3, "plan_row", "plan_row_unknown"),
        (4, "plan_row", "plan_row_contradicts"),
        (5, "plan_row", "plan_row_unknown"),
        (6, "plan_row", "plan_row_ambiguous"),
        (7, "plan_row", "plan_row_ambiguous"),
        (8, "plan_row", "plan_row_ambiguous"),
    ]
    assert response.json()["errors"][5]["message"] == (
        "Plan row III.21 stands for 2 targets; name the indicator or the sub-population too."
    )


async def test_the_unit_may_be_called_commune(stocked: House) -> None:
    body = b"commune;indicator;period;value\n26434;WIFI_POINTS;2026-Q3;3\n"
    assert outcomes(await send(stocked, body, CSV)) == {"received": 1, "created": 1}
    both = row(commune="26434")
    assert faults(await post(stocked, both)) == [(1, "commune", "unit_named_twice")]


# --- scope


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "parquet"])
async def test_rows_of_other_units_are_refused_one_by_one(stocked: House, form: str) -> None:
    content_type, made = FORMS[form]
    token = stocked.headers("actuals:write", ["26491"])
    before = await written(stocked)
    whole = await send(stocked, made(ROWS), content_type, headers=token)
    first = 2 if form in ("csv", "xlsx") else 1
    refused = [(number + first, "admin_unit", "unit_not_covered") for number in range(3, 8)]
    assert (whole.status_code, said(whole)) == (422, refused)
    assert await written(stocked) == before
    part = await send(stocked, made(ROWS), content_type, headers=token, mode="partial")
    assert (part.status_code, outcomes(part)) == (207, {"received": 8, "created": 3, "refused": 5})
    assert said(part) == refused
    assert {each["admin_unit"] for each in await items(stocked, ACTUALS)} == {"26491"}


# --- warnings


async def test_figures_far_from_the_last_period_are_kept_with_a_warning(stocked: House) -> None:
    await post(stocked, row(period="2026-Q2", value=40), row(indicator="WIFI_POINTS", period="2026-Q2", value=10))
    rows = [row(value=85.5), row(indicator="WIFI_POINTS", value=31), row(admin_unit="26434")]
    response = await post(stocked, *rows)
    assert outcomes(response) == {"received": 3, "created": 3}
    told = [(each["row"], each["column"], each["code"], each["message"]) for each in response.json()["warnings"]]
    assert told == [
        (1, "value", "value_jumps", "85.5 is far from the last period (40); check it."),
        (2, "value", "value_jumps", "31 is far from the last period (10); check it."),
    ]
    assert response.json()["warnings_total"] == 2
    assert (await post(stocked, *rows)).json()["warnings"] == []


async def test_the_last_period_is_what_was_in_force_before_the_post(stocked: House) -> None:
    await post(stocked, row(period="2026-Q1", value=80), row(period="2026-Q2", value=40))
    rows = [row(period="2026-Q2", value=79), row(period="2026-Q3", value=79)]
    response = await post(stocked, *rows)
    assert outcomes(response) == {"received": 2, "updated": 1, "created": 1}
    told = [(each["row"], each["message"]) for each in response.json()["warnings"]]
    assert told == [(2, "79 is far from the last period (40); check it.")]


async def test_what_is_no_number_in_force_is_no_last_period(stocked: House) -> None:
    rank = {"indicator": "DTI_PROVINCIAL_RANK", "value": None}
    await post(stocked, row(period="2026-Q2", value=1), row(period="2026-Q2", **rank, rank=1))
    await post(stocked, row(period="2026-Q2", value=None, action="withdraw", reason="nhầm"))
    rows = [
        row(period="2026-Q2", value=80),
        row(value=85.5),
        row(period="2026-Q2", **rank, rank=60),
        row(**rank, rank=60),
    ]
    response = await post(stocked, *rows)
    assert outcomes(response) == {"received": 4, "updated": 2, "created": 2}
    assert response.json()["warnings"] == []


async def test_a_withdrawn_figure_is_no_last_period(stocked: House) -> None:
    await post(stocked, row(period="2026-Q2", value=40))
    await post(stocked, row(period="2026-Q2", value=None, action="withdraw", reason="nhầm"))
    assert (await post(stocked, row(value=85.5))).json()["warnings"] == []


# --- again and again


@pytest.mark.parametrize("form", ["csv in utf-16", "xlsx", "parquet"])
async def test_a_repeated_key_answers_the_stored_reply_for_binary_bodies(stocked: House, form: str) -> None:
    content_type, made = FORMS[form]
    body, other = made(ROWS), made(ROWS[:-1])
    keyed = {"Idempotency-Key": "lan-1"}
    first = await send(stocked, body, content_type, headers=keyed)
    assert outcomes(first) == {"received": 8, "created": 8}
    after = await written(stocked)
    again = await send(stocked, body, content_type, headers=keyed)
    assert (again.status_code, again.content, again.headers["Idempotency-Replayed"]) == (200, first.content, "true")
    for changed in (other, body + b" "):
        reused = await send(stocked, changed, content_type, headers=keyed)
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    query = await send(stocked, body, content_type, headers=keyed, mode="partial")
    assert (query.status_code, query.json()["code"]) == (422, "idempotency_key_reused")
    assert await written(stocked) == after
    assert outcomes(await send(stocked, body, content_type)) == {"received": 8, "unchanged": 8}


async def test_a_partial_reply_is_stored_and_a_refusal_is_not(stocked: House) -> None:
    rows = ndjson(row(), row(value=101))
    refused = await send(stocked, rows, NDJSON, headers={"Idempotency-Key": "a"})
    assert refused.status_code == 422
    mended = await send(stocked, ndjson(row()), NDJSON, headers={"Idempotency-Key": "a"})
    assert outcomes(mended) == {"received": 1, "created": 1}
    first = await send(stocked, rows, NDJSON, headers={"Idempotency-Key": "b"}, mode="partial")
    again = await send(stocked, rows, NDJSON, headers={"Idempotency-Key": "b"}, mode="partial")
    assert (first.status_code, again.status_code, again.content) == (207, 207, first.content)


@pytest.mark.parametrize("mode", ["atomic", "partial"])
async def test_a_dry_run_answers_the_same_and_keeps_nothing(stocked: House, mode: str) -> None:
    content_type, made = FORMS["parquet"]
    rows = ROWS if mode == "atomic" else [*ROWS, {**ROWS[0], "value": 101, "period": "2026-Q2"}]
    before = await written(stocked)
    headers = {"Idempotency-Key": "thu"}
    dry = await send(stocked, made(rows), content_type, headers=headers, mode=mode, dry_run="true")
    assert {name: dry.json()[name] for name in ("dry_run", "import_id", "write_token", "receipt")} == {
        "dry_run": True,
        "import_id": None,
        "write_token": None,
        "receipt": None,
    }
    assert await written(stocked) == before
    real = await send(stocked, made(rows), content_type, headers=headers, mode=mode)
    assert (real.status_code, outcomes(real), said(real)) == (dry.status_code, outcomes(dry), said(dry))
    assert await items(stocked, ACTUALS) != []


# --- receipts


@pytest.mark.parametrize("encoding", ["identity", "zstd"])
async def test_the_receipt_says_what_was_recorded_and_holds(stocked: House, encoding: str) -> None:
    body = FORMS["xlsx"][1](ROWS)
    sent = zstandard.compress(body) if encoding == "zstd" else body
    response = await send(stocked, sent, XLSX, headers={"Content-Encoding": encoding})
    document = (await stocked.client.get("/v1/indicators/receipt-keys", headers=stocked.admin)).json()
    receipt = verify_receipt(response.json()["receipt"], read_keys(document))
    told = response.json()
    assert (receipt.service, str(receipt.import_id)) == ("indicators", told["import_id"])
    assert receipt.sha256 == hashlib.sha256(sent).hexdigest()
    assert {name: count for name, count in receipt.counts.items() if count} == {"received": 8, "created": 8}
    assert receipt.cursor == told["write_token"]


async def test_a_post_that_changes_nothing_has_a_receipt_too(stocked: House) -> None:
    await post(stocked, row())
    again = await post(stocked, row())
    document = (await stocked.client.get("/v1/indicators/receipt-keys", headers=stocked.admin)).json()
    receipt = verify_receipt(again.json()["receipt"], read_keys(document))
    assert (receipt.import_id, receipt.counts["unchanged"], receipt.cursor) == (None, 1, again.json()["write_token"])


# --- many rows


async def test_errors_are_counted_truly_beyond_what_is_listed(stocked: House) -> None:
    codes = await crowd(stocked, 12)
    rows = [{**each, "value": "x", "note": 5} for each in many(codes)]
    good = many(["26491"])
    response = await send(stocked, ndjson(*rows, *good), NDJSON, mode="partial")
    assert outcomes(response) == {"received": 1300, "created": 100, "refused": 1200}
    body = response.json()
    assert (len(body["errors"]), body["errors_total"]) == (1000, 2400)
    assert said(response)[:2] == [(1, "value", "number_expected"), (1, "note", "text_expected")]
    assert {each["row"] for each in body["errors"]} == set(range(1, 501))
    atomic = (await send(stocked, ndjson(*rows, *good), NDJSON)).json()
    assert (len(atomic["errors"]), atomic["errors_total"]) == (1000, 2400)
    assert atomic["detail"] == "Nothing was written: 1200 of 1300 rows are refused."


async def test_the_number_of_statements_is_the_same_for_10_and_for_5000_rows(stocked: House) -> None:
    codes = await crowd(stocked, 51)
    few, rows = many(codes[:1])[:10], many(codes[1:])
    counted = []
    for some in (few, rows):
        for value, outcome in ((1, "created"), (2, "updated"), (2, "unchanged")):
            with stocked.statements("indicators") as seen:
                response = await send(stocked, ndjson(*({**each, "value": value} for each in some)), NDJSON)
            assert outcomes(response) == {"received": len(some), outcome: len(some)}
            counted.append(len(seen))
        with stocked.statements("indicators") as seen:
            bad = [{**each, "value": -1 if at % 2 else 3} for at, each in enumerate(some)]
            response = await send(stocked, ndjson(*bad), NDJSON, mode="partial")
        assert outcomes(response) == {"received": len(some), "updated": len(some) // 2, "refused": len(some) // 2}
        counted.append(len(seen))
    assert (len(few), len(rows)) == (10, 5000)
    assert counted[:4] == counted[4:]


async def test_what_was_known_before_a_bulk_update_stays_readable(stocked: House) -> None:
    codes = await crowd(stocked, 3)
    moments = []
    for value in (1, 2, 3):
        response = await send(stocked, ndjson(*many(codes, value)), NDJSON)
        assert response.status_code == 200, response.text
        listed = await items(stocked, ACTUALS, admin_unit=codes[1], limit=1000)
        assert {each["value"] for each in listed} == {value}
        moments.append((value, listed[0]["recorded_at"]))
    withdrawn = [{**each, "value": None, "action": "withdraw", "reason": "nhập nhầm"} for each in many(codes[1:2])]
    assert outcomes(await send(stocked, ndjson(*withdrawn), NDJSON)) == {"received": 100, "updated": 100}
    assert await items(stocked, ACTUALS, admin_unit=codes[1]) == []
    for value, moment in moments:
        for code in codes:
            known = await items(stocked, ACTUALS, admin_unit=code, known_at=moment, limit=1000)
            assert (len(known), {each["value"] for each in known}) == (100, {value})
    history = await items(stocked, HISTORY, admin_unit=codes[1], indicator=MEASURED[0], period=SPANS[0])
    assert [(each["version"], each["value"], each["is_withdrawn"]) for each in history] == [
        (1, 1, False),
        (2, 2, False),
        (3, 3, False),
        (4, None, True),
    ]
    assert [each["superseded_at"] for each in history] == [*(each["recorded_at"] for each in history[1:]), None]


async def test_events_and_audit_say_what_a_bulk_post_changed(stocked: House) -> None:
    codes = await crowd(stocked, 3)
    response = await send(stocked, ndjson(*many(codes)), NDJSON)
    await stocked.sequence()
    told = await items(stocked, "/v1/indicators/changes", limit=1000)
    posted = [each for each in told if each["type"] == "vn.chitieu.indicators.actuals.posted.v1"]
    changes = {each["subject"]: each["data"]["changes"] for each in posted}
    assert {unit: len(some) for unit, some in changes.items()} == dict.fromkeys(codes, 100)
    assert {each["data"]["import_id"] for each in posted} == {response.json()["import_id"]}
    assert {change["version"] for some in changes.values() for change in some} == {1}


async def test_long_texts_are_announced_in_parts_that_fit(stocked: House) -> None:
    for sign in ("😀", '"'):
        rows = [row(indicator="BUDGET_WORDS", period=period, value=None, text=sign * 4000) for period in SPANS]
        assert (await send(stocked, ndjson(*rows), NDJSON)).status_code == 200
    await stocked.sequence()
    told = await items(stocked, "/v1/indicators/changes", limit=1000)
    posted = [each for each in told if each["type"] == "vn.chitieu.indicators.actuals.posted.v1"]
    changes = [change for each in posted for change in each["data"]["changes"]]
    assert sorted((change["version"], change["period"]) for change in changes) == sorted(
        (version, period) for version in (1, 2) for period in SPANS
    )
    assert {change["new"]["text"][0] for change in changes if change["version"] == 2} == {'"'}
    sizes = [len(json.dumps(each["data"], ensure_ascii=False).encode()) for each in posted]
    assert max(sizes) <= 48 * 1024 + 2 * 1024  # with the spaces of another writer
    assert len({each["id"] for each in posted}) == len(posted)


# --- stale rows


async def test_rows_from_an_old_form_never_win_silently(stocked: House) -> None:
    await post(stocked, row(), row(period="2026-Q2"))
    await post(stocked, row(value=86))
    rows = [
        row(value=90, base_version=1),
        row(period="2026-Q2", value=90, base_version=1),
        row(value=86, base_version=1),
    ]
    skipped = await post(stocked, *rows[:2], on_stale="skip")
    assert (skipped.status_code, outcomes(skipped)) == (200, {"received": 2, "updated": 1, "stale": 1})
    assert [(each["row"], each["code"]) for each in skipped.json()["warnings"]] == [(1, "changed_since_template")]
    assert skipped.json()["warnings"][0]["message"] == "The figure is at version 2, no longer 1."
    refused = await post(stocked, rows[0], row(indicator="WIFI_POINTS", value=1), mode="partial")
    assert (refused.status_code, outcomes(refused)) == (207, {"received": 2, "created": 1, "refused": 1})
    assert outcomes(await post(stocked, rows[2])) == {"received": 1, "unchanged": 1}
    assert outcomes(await send(stocked, b"[]", JSON)) == {}
