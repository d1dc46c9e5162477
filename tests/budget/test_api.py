"""The endpoints of budgets: who may call them, what they answer, and every refusal they declare."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from chassis.money import MAX_VND
from tests.budget.given import PLAN, URL, body, cell, group, hear_plan, line, put, rows
from tests.conftest import TEMPLATE
from tests.house import House, open_house

LISTS = ("/v1/budget/lines", "/v1/budget/groups", "/v1/budget/totals?by=pillar", "/v1/budget/checks")
READS = (*LISTS, URL)


@pytest.fixture(scope="module")
async def heard(admin_url: str, signing_key: OKPKey) -> AsyncIterator[House]:
    """A house that knows one plan; its tests are all refused, so that they can share it."""
    async with open_house(admin_url, signing_key, template=TEMPLATE) as opened:
        await hear_plan(opened)
        yield opened


async def refuse(house: House, content: Any, **headers: str) -> dict[str, Any]:
    """Send a body that must be refused; nothing may be written."""
    before = await house.rows("budget")
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {**house.admin, "Content-Type": "application/json", **headers}
    response = await house.client.put(URL, content=raw, headers=sent)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert await house.rows("budget") == before
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    return problem


def places(problem: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault["code"], fault["pointer"]) for fault in problem["errors"]]


@pytest.mark.parametrize("path", READS)
async def test_anonymous_callers_read_public_rows_where_the_house_is_open(heard: House, path: str) -> None:
    assert (await heard.client.get(path)).status_code == 200


@pytest.mark.parametrize("path", READS)
async def test_a_token_needs_the_scope_to_read(heard: House, path: str) -> None:
    response = await heard.client.get(path, headers=heard.headers("plans:read"))
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
    assert "budget:read" in response.json()["detail"]


@pytest.mark.parametrize("path", [path for path in LISTS if "checks" not in path])
async def test_lists_come_as_json_ndjson_and_csv_with_the_same_rows(house: House, path: str) -> None:
    await hear_plan(house)
    await put(house, body(line("A"), line("B", note='=HYPERLINK("x")'), groups=(group("G", cell("C", "A")),)))
    page = (await house.client.get(path, headers=house.admin)).json()
    lines = await house.client.get(path, headers={**house.admin, "Accept": "application/x-ndjson"})
    assert [json.loads(row) for row in lines.text.splitlines()] == page["items"]
    table = await house.client.get(path, headers={**house.admin, "Accept": "text/csv"})
    assert table.content.startswith(b"\xef\xbb\xbf")
    assert len(table.text.splitlines()) == len(page["items"]) + 1
    assert '"=HYPERLINK' not in table.text


async def test_a_list_says_where_to_follow_from(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A")))
    await house.sequence()
    response = await house.client.get("/v1/budget/lines", headers=house.admin)
    after = response.headers["Changes-Cursor"]
    assert "Known-At" in response.headers
    await put(house, body(line("A", amount_vnd=5)), correction="Nhập sai số tiền")
    await house.sequence()
    changes = (await house.client.get("/v1/budget/changes", params={"after": after}, headers=house.admin)).json()
    assert [(event["type"], event["subject"]) for event in changes["items"]] == [
        ("vn.chitieu.budget.lines.applied.v1", PLAN)
    ]
    assert changes["items"][0]["data"]["changes"][0]["new"]["amount_vnd"] == 5


async def test_a_read_is_tagged_and_answers_not_modified(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A")))
    for path in (URL, "/v1/budget/lines", "/v1/budget/checks"):
        first = await house.client.get(path, headers=house.admin)
        again = await house.client.get(path, headers={**house.admin, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_an_edit_with_the_tag_it_read_is_taken_once(house: House) -> None:
    await hear_plan(house, status="draft")
    await put(house, body(line("A")))
    tag = (await house.client.get(URL, headers=house.admin)).headers["ETag"]
    headers = {**house.admin, "If-Match": tag}
    assert (await house.client.put(URL, json=body(line("A", amount_vnd=5)), headers=headers)).status_code == 200
    problem = await refuse(house, body(line("A", amount_vnd=6)), **{"If-Match": tag})
    assert (problem["status"], problem["code"]) == (412, "stale_version")
    assert problem["detail"] == "Bản ghi đã ở phiên bản 2, không còn là 1; hãy đọc lại rồi sửa."


async def test_fields_filters_and_their_mistakes(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A"), line("B", pillar="awareness")))
    found = await rows(house, "lines", fields="key,amount_vnd", pillar="awareness,digital_data")
    assert found == [{"key": "B", "amount_vnd": 30_000_000}]
    for query, code in (
        ("fields=amount", "fields_unknown"),
        ("pilar=awareness", "parameter_unknown"),
        ("expenditure_kind=thường xuyên", "body_invalid"),
        ("year=99999", "body_invalid"),
        ("budget_year=1", "body_invalid"),
        ("limit=1001", "body_invalid"),
        ("known_at=2026-06-30T00:00:00", "known_at_without_offset"),
        ("cursor=xyz", "cursor_invalid"),
    ):
        response = await house.client.get(f"/v1/budget/lines?{query}", headers=house.admin)
        assert (response.status_code, response.json()["code"]) == (422, code), query


async def test_totals_need_a_dimension_they_have(heard: House) -> None:
    for path in ("/v1/budget/totals", "/v1/budget/totals?by=commune", "/v1/budget/totals?by=pillar&per=commune"):
        response = await heard.client.get(path, headers=heard.admin)
        assert (response.status_code, response.json()["code"]) == (422, "body_invalid")


async def test_an_unknown_plan_is_not_found_for_reading_and_writing(house: House) -> None:
    await house.follow()
    read = await house.client.get(URL, headers=house.admin)
    assert (read.status_code, read.json()["code"]) == (404, "budget_plan_unknown")
    assert read.json()["detail"] == f"Không có kế hoạch {PLAN}."
    assert (await refuse(house, body(line("A"))))["code"] == "budget_plan_unknown"


async def test_writing_needs_a_token_its_scope_and_the_unit(house: House) -> None:
    await hear_plan(house)
    content = body(line("A"))
    nobody = await house.client.put(URL, json=content)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "token_missing")
    reader = await house.client.put(URL, json=content, headers=house.headers("budget:read", ["25345"]))
    assert (reader.status_code, reader.json()["code"]) == (403, "scope_missing")
    other = await house.client.put(URL, json=content, headers=house.headers("budget:write", ["26491"]))
    assert (other.status_code, other.json()["code"]) == (403, "unit_not_covered")
    own = await house.client.put(URL, json=content, headers=house.headers("budget:write", ["25345"]))
    assert own.status_code == 200


async def test_a_closed_plan_is_a_conflict(house: House) -> None:
    await hear_plan(house, status="closed")
    problem = await refuse(house, body(line("A")))
    assert (problem["status"], problem["code"]) == (409, "budget_plan_closed")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ('"30.000.000"', "amount_not_whole_dong"),
        ('"30000000"', "amount_not_whole_dong"),
        ("30000000.0", "amount_not_whole_dong"),
        ("3e7", "amount_not_whole_dong"),
        ("30.5", "amount_not_whole_dong"),
        ("true", "amount_not_whole_dong"),
        ("null", "amount_not_whole_dong"),
        ("[]", "amount_not_whole_dong"),
        ("0", "amount_out_of_range"),
        ("-1", "amount_out_of_range"),
        (str(MAX_VND + 1), "amount_out_of_range"),
        ("1" + "0" * 30, "amount_out_of_range"),
    ],
)
async def test_money_is_a_json_integer_in_range(heard: House, amount: str, code: str) -> None:
    raw = json.dumps(body(line("A", amount_vnd=123454321))).replace("123454321", amount).encode()
    problem = await refuse(heard, raw)
    assert (problem["status"], problem["code"]) == (422, "body_invalid")
    assert places(problem) == [(code, "/lines/0/amount_vnd")]


@pytest.mark.parametrize("amount", [1, MAX_VND])
async def test_money_at_its_bounds_comes_back_exactly(house: House, amount: int) -> None:
    await hear_plan(house)
    await put(house, body(line("A", amount_vnd=amount)))
    response = await house.client.get("/v1/budget/lines", params={"fields": "amount_vnd"}, headers=house.admin)
    assert response.text.startswith(f'{{"items":[{{"amount_vnd":{amount}}}]')


async def test_the_refusal_of_an_amount_is_worded_in_both_languages(heard: House) -> None:
    content = body(line("A", amount_vnd=0))
    vi = await refuse(heard, content)
    en = await refuse(heard, content, **{"Accept-Language": "en"})
    assert vi["errors"][0]["message"] == "Số tiền phải lớn hơn 0 và không quá 9007199254740992 đồng."
    assert en["errors"][0]["message"] == "An amount is more than 0 and at most 9007199254740992 đồng."
    assert vi["errors"][0]["value"] == 0


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"amount": 5}, ("field_unknown", "/lines/0/amount")),
        ({"stage": "allocated"}, ("field_invalid", "/lines/0/stage")),
        ({"expenditure_kind": "chi thường xuyên"}, ("field_invalid", "/lines/0/expenditure_kind")),
        ({"pillar": "culture"}, ("field_invalid", "/lines/0/pillar")),
        ({"pillar_stated": "true"}, ("field_invalid", "/lines/0/pillar_stated")),
        ({"budget_years": [20266]}, ("field_invalid", "/lines/0/budget_years/0")),
        ({"budget_years": []}, ("field_invalid", "/lines/0/budget_years")),
        ({"phase": 1.5}, ("field_invalid", "/lines/0/phase")),
        ({"quantity": {"value": "30", "unit": "điểm"}}, ("field_invalid", "/lines/0/quantity/value")),
        ({"quantity": {"value": 0, "unit": "điểm"}}, ("field_invalid", "/lines/0/quantity/value")),
        ({"quantity": {"value": 30}}, ("field_missing", "/lines/0/quantity/unit")),
        ({"budget_index": {"version": "TT 130/2025", "chapter_code": 800}}, None),
        ({"number": 1}, ("field_invalid", "/lines/0/number")),
        ({"title_vi": ""}, ("field_invalid", "/lines/0/title_vi")),
        ({"lead_offices": ["Phòng VH-XH"]}, ("budget_office_unknown", "/lines/0/lead_offices/0")),
    ],
)
async def test_a_line_is_refused_with_the_place_of_its_fault(
    heard: House, fields: dict[str, Any], fault: tuple[str, str] | None
) -> None:
    problem = await refuse(heard, body(line("A", **fields)))
    expected = fault or ("field_invalid", "/lines/0/budget_index/chapter_code")
    assert (problem["status"], places(problem)) == (422, [expected])


async def test_an_office_named_by_its_name_is_told_its_slug(heard: House) -> None:
    problem = await refuse(heard, body(line("A", lead_offices=["phòng vh-xh"])), **{"Accept-Language": "en"})
    assert problem["errors"][0]["message"].endswith("Did you mean phong-vhxh?")


async def test_a_dry_run_shows_the_difference_and_writes_nothing(heard: House) -> None:
    before = await heard.rows("budget")
    applied = await put(heard, body(line("A")), dry_run="true")
    assert (applied["dry_run"], applied["changes"]["lines"]["created"]) == (True, ["A"])
    assert await heard.rows("budget") == before


@pytest.mark.parametrize("spelling", ["1", "yes", "on", "True"])
async def test_every_accepted_spelling_of_a_dry_run_keeps_nothing(heard: House, spelling: str) -> None:
    before = await heard.rows("budget")
    response = await heard.client.put(URL, json=body(line("A")), params={"dry_run": spelling}, headers=heard.admin)
    assert response.status_code in (200, 422)
    assert await heard.rows("budget") == before


async def test_read_your_writes_by_write_token(house: House) -> None:
    await hear_plan(house)
    applied = await put(house, body(line("A")))
    await house.sequence()
    headers = {**house.admin, "X-Min-Version": applied["write_token"]}
    response = await house.client.get("/v1/budget/lines", headers=headers)
    assert [row["key"] for row in response.json()["items"]] == ["A"]


async def test_a_whole_budget_names_no_moving_part(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A"), groups=(group("G", cell("C", "A")),)))
    first = await house.client.get(URL, headers=house.admin)
    second = await house.client.get(URL, headers=house.admin)
    assert first.content == second.content
    assert list(first.json()) == [
        "plan_key",
        "admin_unit",
        "province",
        "year",
        "plan_status",
        "has_budget",
        "stated_total_vnd",
        "amount_vnd",
        "lines",
        "groups",
    ]
