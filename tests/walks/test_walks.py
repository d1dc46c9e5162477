"""The three walks of the house, end to end: a posted figure, a query, a change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from tests.house import House, open_house

PLAN = "26491-2026-digital-transformation-state-agencies"
UNIT, INDICATOR = "26491", "AGENCIES_IT_EQUIPPED_RATE"
SCORECARD = """
query ($code: String!, $indicator: [String!]) {
  commune(code: $code) {
    scorecard(year: 2026, on: "2026-12-20", indicator: $indicator) {
      target { key }
      actual { value source }
      evaluation { achievement reasonVi }
    }
  }
}
"""


@pytest.fixture
async def served(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[House]:
    async with open_house(admin_url, signing_key, template=reference_template) as opened:
        yield opened


async def scored(house: House, headers: dict[str, str]) -> dict[str, Any]:
    params = {"admin_unit": UNIT, "indicator": INDICATOR, "on": "2026-12-20"}
    response = await house.client.get("/v1/indicators/scorecards", params=params, headers=headers)
    (row,) = response.json()["items"]
    return dict(row)


async def test_a_posted_figure_changes_its_verdict_and_everybody_hears(served: House) -> None:
    writer = served.headers("actuals:write indicators:read", [UNIT], client_id="xa-dai-phuoc")
    ioc = served.headers("plans:read indicators:read budget:read changes:read", ["75"], client_id="ioc")
    before = await scored(served, ioc)
    followed = await served.client.get("/v1/indicators/targets", params={"admin_unit": UNIT}, headers=ioc)
    cursor = followed.headers["Changes-Cursor"]

    rows = [{"admin_unit": UNIT, "indicator": INDICATOR, "period": "2026", "numerator": 10, "denominator": 20}]
    posted = await served.client.post("/v1/indicators/actuals", json=rows, headers=writer)
    assert posted.status_code == 200, posted.text
    assert (posted.json()["created"] + posted.json()["updated"], posted.json()["refused"]) == (1, 0)
    await served.sequence()

    after = await scored(served, {**ioc, "X-Min-Version": posted.json()["write_token"]})
    assert (before["evaluation"]["achievement"], before["actual"]["source"]) == ("met", "sample")
    assert (after["evaluation"]["achievement"], after["actual"]["source"]) == ("not_met", None)
    assert after["actual"]["value"] == 50
    for words in ("50 %", "100%", PLAN, "xa-dai-phuoc"):
        assert words in after["evaluation"]["reason_vi"]

    page = (await served.client.get("/v1/indicators/changes", params={"after": cursor}, headers=ioc)).json()
    (event,) = page["items"]
    assert event["type"] == "vn.chitieu.indicators.actuals.posted.v1"
    assert event["subject"] == UNIT
    (change,) = event["data"]["changes"]
    assert change["indicator"] == INDICATOR
    assert change["new"]["value"] == 50
    assert (await served.client.get("/v1/indicators/changes", params={"after": cursor})).json()["items"] == []

    body = {"query": SCORECARD, "variables": {"code": UNIT, "indicator": [INDICATOR]}}
    answer = (await served.client.post("/graphql", json=body, headers=ioc)).json()
    assert "errors" not in answer
    (entry,) = answer["data"]["commune"]["scorecard"]
    assert entry["actual"] == {"value": "50", "source": None}
    assert entry["evaluation"] == {"achievement": "NOT_MET", "reasonVi": after["evaluation"]["reason_vi"]}


async def test_a_plan_reaches_the_other_services_by_the_feed(served: House) -> None:
    writer = served.headers("plans:read plans:write", ["25378"])
    draft = (await served.client.get("/v1/plans", params={"admin_unit": "25378"}, headers=writer)).json()["items"][0]
    key = draft["plan_key"]
    closed = await served.client.post(
        f"/v1/plans/{key}/close",
        json={"reason_vi": "Hết hiệu lực", "closed_on": "2026-11-22"},
        headers={**writer, "Idempotency-Key": "close-1"},
    )
    assert closed.status_code == 200, closed.text
    await served.follow()
    for service, listing in (("budget", "lines"), ("indicators", "targets")):
        async with served.database(service).engine.connect() as connection:
            found = await connection.exec_driver_sql("SELECT status FROM plan WHERE plan_key = $1", (key,))
            assert found.scalar_one() == "closed", (service, listing)
