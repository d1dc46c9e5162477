"""What was known before a plan became public is no outsider's to ask for, through GraphQL either."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.house import REFERENCE, House, read_yaml

KEY = "25345-2026-digital-transformation-st-innovation"
ASK = """query($key: [String!]!, $unit: String!, $at: DateTime) {
  budget(planKey: $key, knownAt: $at) { lines { nodes { amountVnd } } groups { nodes { amountVnd } }
    checks { nodes { planKey } } totals(by: PILLAR, per: PLAN) { amountVnd } }
  commune(code: $unit) { scorecard(year: 2026, knownAt: $at) { target { key } } }
}"""


def body_of(kind: str) -> Any:
    return read_yaml(REFERENCE / kind / f"{KEY}.yaml")


async def put(house: House, path: str, body: Any) -> None:
    answer = await house.client.put(path, json=body, headers=house.admin)
    assert answer.status_code == 200, answer.text


async def ask(house: House, at: str | None, headers: dict[str, str]) -> tuple[int, ...]:
    """How many lines, groups, checks, totals and cards a caller is shown."""
    variables = {"key": [KEY], "unit": "25345", "at": at}
    answer = await house.client.post("/graphql", json={"query": ASK, "variables": variables}, headers=headers)
    data = answer.json()["data"]
    assert "errors" not in answer.json(), answer.text
    money = data["budget"]
    lists = [money[name]["nodes"] for name in ("lines", "groups", "checks")]
    return (*map(len, lists), len(money["totals"]), len(data["commune"]["scorecard"]))


async def test_a_draft_is_not_shown_as_of_its_own_time(house: House) -> None:
    await house.load_units()
    for file in ("catalogue", "regimes"):
        await put(house, f"/v1/indicators/{file}", read_yaml(REFERENCE / f"{file}.yaml"))
    plan = {name: value for name, value in body_of("plans").items() if name not in ("life", "plan_id")}
    await put(house, f"/v1/plans/{KEY}", plan)
    await house.follow()
    await put(house, f"/v1/indicators/targets/{KEY}", {"targets": body_of("targets")["targets"]})
    await put(house, f"/v1/budget/lines/{KEY}", {name: body_of("budget")[name] for name in ("lines", "groups")})
    drafted = datetime.now(UTC).isoformat()
    sent = {**house.admin, "Idempotency-Key": "1"}
    assert (await house.client.post(f"/v1/plans/{KEY}/issue", json={}, headers=sent)).status_code == 200
    await house.follow()
    whole = await ask(house, None, house.admin)
    assert whole == (16, 7, 1, 8, 16)
    for headers in ({}, house.headers(admin_units=["26491"])):
        assert await ask(house, drafted, headers) == (0, 0, 0, 0, 0)
        assert await ask(house, None, headers) == whole
    assert await ask(house, drafted, house.headers(admin_units=["25345"])) == whole
