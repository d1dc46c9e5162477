"""Posting through GraphQL obeys the service's rules, with its codes, once per key."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from tests.conftest import TEMPLATE
from tests.house import REFERENCE, House, open_house, read_yaml

POST = """mutation($key: String!, $rows: [ActualInput!]!, $mode: PostMode! = ATOMIC, $dry: Boolean! = false) {
  postActuals(idempotencyKey: $key, rows: $rows, mode: $mode, dryRun: $dry) {
    received created updated unchanged stale duplicates refused mode dryRun importId writeToken isReplayed errorsTotal
    errors { code message row column value } warnings { code }
  }
}"""
COUNTS = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
MONTHS = [(2025, 9), (2025, 10), (2025, 11), (2025, 12), *((2026, month) for month in range(1, 11))]
PERIODS = iter(f"{year}-{month:02d}" for year, month in MONTHS)
GOOD = {"adminUnit": "26491", "indicator": "DTI_SCORE", "period": "2026-Q2", "value": "0.71"}


@pytest.fixture(scope="module")
async def filled(admin_url: str, signing_key: OKPKey) -> AsyncIterator[House]:
    """The units, the catalogue and the regimes: all that a figure needs."""
    async with open_house(admin_url, signing_key, template=TEMPLATE) as house:
        await house.load_units()
        async with house.sequencing():
            for file in ("catalogue", "regimes"):
                body = read_yaml(REFERENCE / f"{file}.yaml")
                answer = await house.client.put(f"/v1/indicators/{file}", json=body, headers=house.admin)
                assert answer.status_code == 200, answer.text
        yield house


@pytest.fixture
def commune(filled: House) -> House:
    """The same house for every test; each has a period and keys of its own."""
    return filled


@pytest.fixture
def good() -> dict[str, Any]:
    """A sound row, of a period that no other test writes to."""
    return {**GOOD, "period": next(PERIODS)}


@pytest.fixture
def key() -> str:
    """The beginning of keys that no other test uses."""
    return str(uuid.uuid4())


async def post(house: House, key: str, rows: list[dict[str, Any]], headers: Any = None, **more: Any) -> Any:
    body = {"query": POST, "variables": {"key": key, "rows": rows, **more}}
    sent = house.admin if headers is None else headers
    return (await house.client.post("/graphql", json=body, headers=sent)).json()


async def posted(house: House, key: str, rows: list[dict[str, Any]], **more: Any) -> Any:
    answer = await post(house, key, rows, **more)
    assert "errors" not in answer, answer
    return answer["data"]["postActuals"]


async def read_back(house: House, period: str, fields: str) -> Any:
    query = f'{{actuals(adminUnit: ["26491"], period: "{period}"){{nodes{{{fields}}}}}}}'
    answer = (await house.client.post("/graphql", json={"query": query}, headers=house.admin)).json()
    return answer["data"]["actuals"]["nodes"]


def counts(payload: Any) -> list[int | None]:
    return [payload[name] for name in COUNTS]


async def test_a_figure_is_created_and_read_back(commune: House, good: dict[str, Any], key: str) -> None:
    done = await posted(commune, f"{key}-1", [{**good, "period": "2026-Q2"}])
    assert counts(done) == [1, 1, 0, 0, 0, 0, 0]
    assert (done["mode"], done["dryRun"], done["isReplayed"], done["errors"]) == ("ATOMIC", False, False, [])
    assert done["importId"]
    assert done["writeToken"]
    assert await read_back(commune, "2026-Q2", "indicatorCode period value regime startsOn endsOn version") == [
        {
            "indicatorCode": "DTI_SCORE",
            "period": "2026-Q2",
            "value": "0.71",
            "regime": "state",
            "startsOn": "2026-03-15",
            "endsOn": "2026-06-14",
            "version": 1,
        }
    ]


async def test_the_same_key_has_one_effect_and_one_answer(commune: House, good: dict[str, Any], key: str) -> None:
    first = await posted(commune, f"{key}-1", [good])
    again = await posted(commune, f"{key}-1", [good])
    assert again == {**first, "isReplayed": True}
    other = await posted(commune, f"{key}-1", [{**good, "value": "0.72"}])
    assert [error["code"] for error in other["errors"]] == ["idempotency_key_reused"]
    assert counts(other) == [None] * 7
    same = await posted(commune, f"{key}-2", [good])
    assert counts(same) == [1, 0, 0, 1, 0, 0, 0]


async def test_one_refused_row_refuses_all_and_each_fault_is_told(
    commune: House, good: dict[str, Any], key: str
) -> None:
    rows = [
        good,
        {**good, "adminUnit": "99999"},
        {**good, "indicator": "NO_SUCH"},
        {**good, "period": "2026-Q7"},
        {**good, "value": "1.5"},
    ]
    before = await commune.rows("indicators")
    refused = await posted(commune, f"{key}-1", rows)
    assert [(error["row"], error["column"]) for error in refused["errors"]] == [
        (2, "admin_unit"),
        (3, "indicator"),
        (4, "period"),
        (5, "value"),
    ]
    assert refused["errorsTotal"] == 4
    assert refused["importId"] is refused["writeToken"] is None
    assert all(error["message"] and error["code"] for error in refused["errors"])
    assert await commune.rows("indicators") == before


async def test_the_codes_are_those_of_rest(commune: House, good: dict[str, Any], key: str) -> None:
    rest = await commune.client.post(
        "/v1/indicators/actuals",
        json=[{"admin_unit": "99999", "indicator": "DTI_SCORE", "period": good["period"], "value": 0.7}],
        headers=commune.admin,
    )
    told = await posted(commune, f"{key}-1", [{**good, "adminUnit": "99999", "value": "0.7"}])
    expected = [(error["code"], error["message"]) for error in rest.json()["errors"]]
    assert [(error["code"], error["message"]) for error in told["errors"]] == expected


async def test_the_good_rows_are_written_where_that_is_asked(commune: House, good: dict[str, Any], key: str) -> None:
    done = await posted(commune, f"{key}-1", [good, {**good, "adminUnit": "99999"}], mode="PARTIAL")
    assert counts(done) == [2, 1, 0, 0, 0, 0, 1]
    assert (done["mode"], [error["row"] for error in done["errors"]]) == ("PARTIAL", [2])


async def test_a_dry_run_writes_nothing(commune: House, good: dict[str, Any], key: str) -> None:
    before = await commune.rows("indicators")
    done = await posted(commune, f"{key}-1", [good], dry=True)
    assert counts(done) == [1, 1, 0, 0, 0, 0, 0]
    assert done["dryRun"] is True
    assert await commune.rows("indicators") == before


async def test_a_withdrawal_needs_its_reason(commune: House, good: dict[str, Any], key: str) -> None:
    await posted(commune, f"{key}-1", [good])
    key = {name: value for name, value in good.items() if name != "value"}
    without = await posted(commune, f"{key}-2", [{**key, "action": "WITHDRAW"}])
    assert [error["column"] for error in without["errors"]] == ["reason"]
    done = await posted(commune, f"{key}-3", [{**key, "action": "WITHDRAW", "reason": "nhập nhầm"}])
    assert done["errors"] == []
    assert await read_back(commune, good["period"], "value") == []


async def test_numbers_stay_exact_on_the_way(commune: House, good: dict[str, Any], key: str) -> None:
    await posted(commune, f"{key}-1", [{**good, "value": "0.710001"}])
    assert await read_back(commune, good["period"], "value") == [{"value": "0.710001"}]


@pytest.mark.parametrize(
    ("scopes", "units", "code"),
    [("indicators:read", ["26491"], "scope_missing"), ("actuals:write", ["26491"], None)],
)
async def test_the_token_decides(
    commune: House, good: dict[str, Any], key: str, scopes: str, units: list[str], code: str | None
) -> None:
    answer = await post(commune, f"{key}-1", [good], headers=commune.headers(scopes, units))
    codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert codes == ([code] if code else [])
    assert (answer["data"]["postActuals"] is None) == (code is not None)


async def test_another_communes_token_is_refused_row_by_row(commune: House, good: dict[str, Any], key: str) -> None:
    answer = await post(commune, f"{key}-1", [good], headers=commune.headers("actuals:write", ["25378"]))
    (error,) = answer["data"]["postActuals"]["errors"]
    assert (error["row"], error["column"]) == (1, "admin_unit")


async def test_nobody_posts_without_a_token(commune: House, good: dict[str, Any], key: str) -> None:
    answer = await post(commune, f"{key}-1", [good], headers={})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["token_missing"]
