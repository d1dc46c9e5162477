"""Text as people paste it: decomposed Vietnamese becomes NFC, markup comes back as data, NUL is refused."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from tests.bad_input.refusals import BUDGET, PLAN, refused
from tests.budget.given import URL, body, cell, group, hear_plan, line, put, rows
from tests.house import House

AS_JSON = {"Content-Type": "application/json"}
COMPOSED = "Tập huấn kỹ năng số cho Tổ công nghệ số cộng đồng"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}<%= 7*7 %>",
    '=HYPERLINK("http://x")',
    "@SUM(A1:A9)",
    "'; DROP TABLE budget_line; --",
    "</title><b>đậm</b>",
    "a\r\nSet-Cookie: x=y",
    "\u202eđảo ngược\u202c",
    "\\u0000 \\x00 %00",
    "😀 𠮷 \ufeff",
]


async def test_decomposed_text_is_kept_and_found_composed(house: House) -> None:
    assert DECOMPOSED != COMPOSED
    await hear_plan(house)
    content = body(
        line("A", title_vi=DECOMPOSED, funding_source=DECOMPOSED),
        groups=(group("G", cell("C", "A"), title_vi=DECOMPOSED),),
    )
    await put(house, content)
    (kept,) = await rows(house, "lines")
    assert (kept["title_vi"], kept["funding_source"]) == (COMPOSED, COMPOSED)
    assert (await rows(house, "groups"))[0]["title_vi"] == COMPOSED
    for words in (COMPOSED, DECOMPOSED, "tap huan ky nang so"):
        assert [row["key"] for row in await rows(house, "lines", q=words)] == ["A"]


async def test_a_filter_in_decomposed_text_finds_composed_rows(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A", funding_source="đầu tư công")))
    source = unicodedata.normalize("NFD", "đầu tư công")
    assert [row["key"] for row in await rows(house, "lines", funding_source=source)] == ["A"]


async def test_both_forms_of_a_text_are_the_same_text(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A", title_vi=COMPOSED)))
    again = await put(house, body(line("A", title_vi=DECOMPOSED)))
    assert again["changes"]["lines"]["unchanged"] == 1


async def test_both_forms_of_a_key_are_the_same_key(house: House) -> None:
    await hear_plan(house)
    keys = [unicodedata.normalize(form, "Đ.Một") for form in ("NFC", "NFD")]
    response = await house.client.put(URL, json=body(*(line(key) for key in keys)), headers=house.admin)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "budget_key_repeated")


@pytest.mark.parametrize("text", MARKUP, ids=[ascii(text)[:24] for text in MARKUP])
async def test_markup_comes_back_as_data(house: House, text: str) -> None:
    await hear_plan(house)
    await put(house, body(line("A", title_vi=text)))
    response = await house.client.get("/v1/budget/lines", headers=house.admin)
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["items"][0]["title_vi"] == unicodedata.normalize("NFC", text)
    table = await house.client.get(
        "/v1/budget/lines", params={"fields": "title_vi"}, headers={**house.admin, "Accept": "text/csv"}
    )
    cell_text = table.content.decode("utf-8-sig").split("\r\n", 1)[1]
    assert not cell_text.lstrip('"').startswith(("=", "@", "+", "-"))


@pytest.mark.parametrize("text", MARKUP[:3])
async def test_markup_in_a_refusal_is_data_as_well(five_plans: House, text: str) -> None:
    content = {"lines": [], text: 1}
    problem, _ = await refused(five_plans, "PUT", BUDGET, status=422, code="body_invalid", json=content)
    assert text in problem["errors"][0]["message"]
    response = await five_plans.client.get("/v1/budget/lines/<script>", headers=five_plans.admin)
    assert response.headers["Content-Type"] == "application/problem+json"


NULS: list[tuple[str, str, Any, str]] = [
    ("PUT", BUDGET, {"lines": [{"key": "A\0", "title_vi": "T"}]}, "/lines/0/key"),
    ("PUT", BUDGET, {"lines": [], "groups": [{"cells": [{"lines": ["A", "B\0"]}]}]}, "/groups/0/cells/0/lines/1"),
    ("PUT", f"/v1/plans/{PLAN}", {"title_vi": "a\0b"}, "/title_vi"),
    ("PUT", "/v1/plans/admin-units", {"admin_units": [{"code": "\0"}]}, "/admin_units/0/code"),
    ("PUT", "/v1/indicators/catalogue", {"indicators": [{"code": "\0"}]}, "/indicators/0/code"),
    ("POST", f"/v1/plans/{PLAN}/issue", {"document_number": "\0"}, "/document_number"),
]


@pytest.mark.parametrize(("method", "path", "content", "place"), NULS)
async def test_nul_is_refused_with_its_place(
    five_plans: House, method: str, path: str, content: Any, place: str
) -> None:
    vi, en = await refused(five_plans, method, path, status=422, code="body_invalid", place=place, json=content)
    assert [fault["code"] for fault in vi["errors"]] == ["text_has_nul"]
    assert en["errors"][0]["message"] == "The text has a NUL character, which cannot be kept."


async def test_nul_in_a_posted_row_is_refused_in_its_place(five_plans: House) -> None:
    row = {"admin_unit": "25345", "indicator": "DTI_SCORE", "period": "2026-Q1", "value": 0.5, "note": "x\0"}
    vi, _ = await refused(five_plans, "POST", "/v1/indicators/actuals", status=422, code="actuals_refused", json=[row])
    told = [(fault["row"], fault["column"], fault["code"]) for fault in vi["errors"]]
    assert told == [(1, "note", "text_control_sign")]


async def test_nul_in_a_name_is_refused_too(five_plans: House) -> None:
    content = json.dumps({"lines": [], "a\0b": 1})
    await refused(five_plans, "PUT", BUDGET, status=422, code="body_invalid", headers=AS_JSON, content=content)
