"""Query parameters, cursors and paths nobody offers: refused with the name, never an internal error."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.bad_input.refusals import READS, WRITES, read_problem, refused
from tests.house import House


@pytest.mark.parametrize("path", READS)
async def test_a_parameter_nobody_knows_is_refused(five_plans: House, path: str) -> None:
    await refused(
        five_plans, "GET", path, status=422, code="parameter_unknown", place="khong_co", params={"khong_co": 1}
    )


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_write_with_a_parameter_nobody_knows_is_refused(five_plans: House, method: str, path: str) -> None:
    params = {"dryrun": "true"}
    vi, en = await refused(
        five_plans, method, path, status=422, code="parameter_unknown", place="dryrun", params=params, json={}
    )
    assert vi["detail"] == "Không có tham số dryrun. Có phải là dry_run?"
    assert en["detail"] == "There is no parameter dryrun. Did you mean dry_run?"


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_dry_run_that_is_and_is_not_one_writes_nothing(five_plans: House, method: str, path: str) -> None:
    vi, en = await refused(
        five_plans,
        method,
        f"{path}?dry_run=true&dry_run=false",
        status=422,
        code="parameter_repeated",
        place="dry_run",
        json={},
    )
    assert vi["detail"] == "Tham số dry_run chỉ nhận một giá trị."
    assert en["detail"] == "The parameter dry_run takes one value only."


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("value", ["maybe", "", "2", "truee", "có"])
async def test_a_dry_run_of_another_spelling_is_refused_not_kept(
    five_plans: House, method: str, path: str, value: str
) -> None:
    params = {"dry_run": value}
    await refused(five_plans, method, path, status=422, code="body_invalid", place="dry_run", params=params, json={})


def cursor(*keys: Any, changes: Any = "MS4w") -> str:
    return base64.urlsafe_b64encode(json.dumps([list(keys), changes]).encode()).decode().rstrip("=")


CURSORS = {
    "blank": "",
    "words": "trang-sau",
    "not base64": "%%%",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "a number": base64.urlsafe_b64encode(b"1").decode(),
    "an object": base64.urlsafe_b64encode(b'{"a":1}').decode(),
    "no keys": cursor(),
    "too few keys": cursor("x"),
    "too many keys": cursor("x", 1, "y", "z", "q", "r"),
    "nothing": cursor(None, None, None),
    "objects": cursor({"a": 1}, [], True),
    "NUL": cursor("a\0b", 1, "y"),
    "beyond 64 bits": cursor("x", 10**30, "y"),
    "a fraction": cursor("x", 1.5, "y"),
    "nested deep": base64.urlsafe_b64encode(b"[" * 5000).decode(),
    "a header": cursor("x", 1, "y", changes="a\r\nSet-Cookie: x=y"),
    "another script": cursor("x", 1, "y", changes="ế"),
}


@pytest.mark.parametrize("value", CURSORS.values(), ids=CURSORS.keys())
async def test_a_cursor_of_ours_that_is_not_ours_is_refused(five_plans: House, value: str) -> None:
    await refused(five_plans, "GET", "/v1/budget/lines", status=422, code="cursor_invalid", params={"cursor": value})


@pytest.mark.parametrize("value", CURSORS.values(), ids=CURSORS.keys())
@pytest.mark.parametrize(
    "path", ["/v1/plans/tasks", "/v1/indicators/scorecards", "/v1/budget/audit", "/v1/plans/audit"]
)
async def test_no_list_stumbles_over_a_cursor(five_plans: House, path: str, value: str) -> None:
    response = await five_plans.client.get(path, params={"cursor": value}, headers=five_plans.admin)
    assert response.status_code in (200, 422), response.text[:300]
    if response.status_code == 422:
        assert response.json()["code"] == "cursor_invalid"


POSITIONS = [base64.urlsafe_b64encode(position).decode() for position in (b"1.-5", b"1.99999999999999999999", b"2.0")]


@pytest.mark.parametrize("name", ["plans", "indicators", "budget"])
@pytest.mark.parametrize("value", ["x", "MQ", "LjE", "YS5i", *POSITIONS, "MS4y" * 50])
async def test_no_feed_stumbles_over_a_cursor(five_plans: House, name: str, value: str) -> None:
    path = f"/v1/{name}/changes"
    response = await five_plans.client.get(path, params={"after": value}, headers=five_plans.admin)
    assert response.status_code in (410, 422), response.text[:300]
    assert response.json()["code"] in ("feed_cursor_invalid", "feed_rewound")


NUMBERS = ["-1", "0", "99999999999999999999", "1e3", "1.5", "0x7e2", "２０２６", "NaN", "", " ", "2026'", "--"]


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/budget/lines", "year"),
        ("/v1/budget/lines", "budget_year"),
        ("/v1/budget/lines", "limit"),
        ("/v1/plans/tasks", "year"),
        ("/v1/plans", "year"),
        ("/v1/indicators/scorecards", "year"),
        ("/v1/indicators/periods", "year"),
        ("/v1/plans/changes", "limit"),
        ("/v1/plans/changes", "wait"),
    ],
)
async def test_no_number_breaks_a_list(five_plans: House, path: str, name: str, value: str) -> None:
    response = await five_plans.client.get(path, params={name: value}, headers=five_plans.admin)
    assert response.status_code in (200, 422), response.text[:300]
    if response.status_code == 422:
        read_problem(response, 422, response.json()["code"], "vi")


TEXTS = ["\0", "a\0b", "%", "_", "\\", "'", "' OR 1=1 --", "\u202e", "😀" * 50, "𠮷", "a" * 200, "\uffff", "{}", "%00"]
PLACES = [
    ("/v1/plans", "q"),
    ("/v1/plans", "plan_key"),
    ("/v1/plans", "status"),
    ("/v1/plans/tasks", "q"),
    ("/v1/plans/tasks", "office"),
    ("/v1/plans/admin-units", "q"),
    ("/v1/plans/admin-units", "code"),
    ("/v1/plans/admin-units", "on"),
    ("/v1/plans/offices", "alias"),
    ("/v1/indicators/catalogue", "q"),
    ("/v1/indicators/actuals", "period"),
    ("/v1/indicators/actuals", "sub_population"),
    ("/v1/indicators/scorecards", "indicator"),
    ("/v1/indicators/scorecards", "on"),
    ("/v1/budget/lines", "q"),
    ("/v1/budget/lines", "pillar"),
    ("/v1/budget/lines", "funding_source"),
    ("/v1/budget/lines", "known_at"),
    ("/v1/budget/lines", "fields"),
    ("/v1/budget/groups", "q"),
    ("/v1/budget/checks", "plan_key"),
    ("/v1/budget/audit", "subject"),
    ("/v1/budget/changes", "types"),
    ("/v1/budget/changes", "commune"),
]


@pytest.mark.parametrize("value", TEXTS, ids=[ascii(value)[:20] for value in TEXTS])
@pytest.mark.parametrize(("path", "name"), PLACES)
async def test_no_text_breaks_a_list(five_plans: House, path: str, name: str, value: str) -> None:
    response = await five_plans.client.get(path, params={name: value}, headers=five_plans.admin)
    assert response.status_code in (200, 422), (response.status_code, response.text[:300])


@pytest.mark.parametrize("value", TEXTS, ids=[ascii(value)[:20] for value in TEXTS])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/plans/{}",
        "/v1/plans/admin-units/{}",
        "/v1/indicators/catalogue/{}",
        "/v1/indicators/targets/{}",
        "/v1/budget/lines/{}",
        "/v1/budget/problems/{}",
        "/v1/budget/event-schemas/{}",
        "/docs/web/{}",
    ],
)
async def test_no_text_in_a_path_breaks_a_read(five_plans: House, path: str, value: str) -> None:
    response = await five_plans.client.get(path.format(quote(value, safe="")), headers=five_plans.admin)
    assert response.status_code in (404, 422), (response.status_code, response.text[:300])
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"]
)
async def test_no_path_leads_out_of_the_pages(five_plans: House, path: str) -> None:
    response = await five_plans.client.get(f"/docs/web/{path}")
    assert response.status_code == 404


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v2/plans", "/v1/budget", "/v1/budget/", "/v1/budget/lines/", "/x" * 2000]
)
async def test_an_address_nobody_has_is_a_problem_in_both_languages(five_plans: House, path: str) -> None:
    for language in ("vi", "en"):
        headers = {**five_plans.admin, "Accept-Language": language}
        response = await five_plans.client.get(path, headers=headers)
        read_problem(response, 404, "not_found", language)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_method_nobody_takes_is_a_problem(five_plans: House, method: str) -> None:
    for language in ("vi", "en"):
        headers = {**five_plans.admin, "Accept-Language": language}
        response = await five_plans.client.request(method, "/v1/budget/lines", headers=headers)
        read_problem(response, 405, "method_not_allowed", language)
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize(
    "accept", ["image/png", "application/xml", "text/csv;q=0", "application/x-ndjson;q=0, text/css"]
)
async def test_a_format_nobody_offers_is_refused(five_plans: House, accept: str) -> None:
    for language in ("vi", "en"):
        headers = {**five_plans.admin, "Accept": accept, "Accept-Language": language}
        response = await five_plans.client.get("/v1/budget/lines", headers=headers)
        read_problem(response, 406, "not_acceptable", language)


LANGUAGES = ["", "*", "fr", "de-DE,fr;q=0.9", "en;q=0", "vi;q=abc", ";;;,,,", "q=1", "x" * 5000, "en-US;q=0.1,vi;q=0.9"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_any_language_header_gets_an_answer(five_plans: House, language: str) -> None:
    headers = {**five_plans.admin, "Accept-Language": language}
    response = await five_plans.client.get("/v1/budget/lines/khong-co", headers=headers)
    read_problem(response, 404, "budget_plan_unknown", "vi")


@pytest.mark.parametrize("language", ["en", "EN-us", "fr, en;q=0.5", "vi;q=0.1, en;q=0.2", "vi;q=0, en;q=0.1"])
async def test_english_is_answered_where_it_is_preferred(five_plans: House, language: str) -> None:
    headers = {**five_plans.admin, "Accept-Language": language}
    response = await five_plans.client.get("/v1/budget/lines/khong-co", headers=headers)
    read_problem(response, 404, "budget_plan_unknown", "en")


def token(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


TOKENS = {
    "words": "xyz",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "a number": base64.urlsafe_b64encode(b"1").decode(),
    "nested deep": base64.urlsafe_b64encode(b"[" * 5000).decode(),
    "negative": token("budget", 1, "-1"),
    "words for numbers": token("budget", "x", "y"),
    "infinite": base64.urlsafe_b64encode(b'["budget",1,1e999]').decode(),
    "beyond 64 bits": token("budget", 1, str(2**64)),
    "of a write to come": token("budget", 1, "999999999999"),
}


@pytest.mark.parametrize("value", TOKENS.values(), ids=TOKENS.keys())
async def test_a_write_token_of_ours_that_is_not_ours_is_refused_at_once(five_plans: House, value: str) -> None:
    headers = {"X-Min-Version": value}
    with five_plans.statements("budget") as statements:
        await refused(five_plans, "GET", "/v1/budget/lines", status=422, code="write_token_invalid", headers=headers)
    assert len([statement for statement in statements if "pg_snapshot_xmax" in statement]) <= 2


MOMENTS = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999Z",
    "1e20",
    "1e300",
    "-62135596801",
    "99999999999999",
    "2026-02-30T00:00:00Z",
    "2026-06-30T24:00:00Z",
    "2026-06-30T00:00:60Z",
    "2026-06-30",
    "hôm qua",
    "NaN",
    "",
]


@pytest.mark.parametrize("value", MOMENTS)
@pytest.mark.parametrize(
    "path", ["/v1/plans/tasks", "/v1/indicators/scorecards", "/v1/indicators/actuals", "/v1/budget/checks", READS[-1]]
)
async def test_no_moment_breaks_a_list(five_plans: House, path: str, value: str) -> None:
    response = await five_plans.client.get(path, params={"known_at": value}, headers=five_plans.admin)
    assert response.status_code in (200, 404, 422), (response.status_code, response.text[:300])


@pytest.mark.parametrize("value", ["0001-01-01", "9999-12-31", "2026-02-30", "1e20", "0", "2026-06-30T12:00:00Z", ""])
@pytest.mark.parametrize("path", ["/v1/plans/admin-units", "/v1/plans/admin-units/26491", "/v1/indicators/scorecards"])
async def test_no_day_breaks_a_list(five_plans: House, path: str, value: str) -> None:
    response = await five_plans.client.get(path, params={"on": value}, headers=five_plans.admin)
    assert response.status_code in (200, 422), (response.status_code, response.text[:300])
