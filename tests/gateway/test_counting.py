"""Depth decides the number of calls, never the number of communes: one call per service, one statement per call."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from chassis.settings import SERVICES
from tests.conftest import TEMPLATE
from tests.house import REFERENCE, House, open_house, read_yaml

SCORECARD = """query($province: String!, $year: Int!, $first: Int!, $after: Cursor) {
  communes(province: $province, first: $first, after: $after) {
    nodes {
      code nameVi
      plan(year: $year) { planKey titleVi status }
      scorecard(year: $year) {
        target { key nameVi rawTarget value }
        actual { value period dataStatus source }
        evaluation { achievement achievementRatio reasonVi }
      }
      budget(year: $year) { lines { key titleVi amountVnd } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
PLAN_KIND = "2026-digital-transformation-area"
PLAN = {
    "title_vi": "Kế hoạch chuyển đổi số",
    "title_en": "Digital transformation plan",
    "issuing_body": "UBND xã",
    "blank_in_source": ["document_number", "issued_on"],
}
INDICATORS = ["MOBILE_5G_AREA_COVERAGE", "MOBILE_5G_POPULATION_COVERAGE", "FIXED_BROADBAND_1GBPS_ACCESS_RATE"]
TARGETS = [
    {
        "key": str(number),
        "indicator": code,
        "pillar": "digital_infrastructure",
        "name_vi": "Chỉ tiêu",
        "value_type": "percent",
        "comparator": "gte",
        "value": 60,
        "raw_target": "≥ 60%",
    }
    for number, code in enumerate(INDICATORS, 1)
]
LINES = [
    {"key": key, "title_vi": "Việc", "amount_vnd": 1_000_000, "expenditure_kind": "recurrent"} for key in ("1", "2")
]


class Counted:
    """Calls the gateway makes to each service, and statements each service runs for them."""

    def __init__(self) -> None:
        self.calls: dict[str, list[str]] = {name: [] for name in SERVICES}
        self.statements: dict[str, list[str]] = {}

    @property
    def numbers(self) -> dict[str, tuple[int, int]]:
        """Calls and statements of each service."""
        return {name: (len(self.calls[name]), len(self.statements[name])) for name in SERVICES}


@contextlib.contextmanager
def counting(house: House) -> Iterator[Counted]:
    counted = Counted()
    with contextlib.ExitStack() as stack:
        for name in SERVICES:
            counted.statements[name] = stack.enter_context(house.statements(name))
            hooks = house.composition.peers.client(name).event_hooks
            stack.enter_context(_noting(hooks, counted.calls[name]))
        yield counted


@contextlib.contextmanager
def _noting(hooks: dict[str, list[Any]], seen: list[str]) -> Iterator[None]:
    async def note(request: Any) -> None:
        seen.append(str(request.url.path))

    hooks["request"].append(note)
    try:
        yield
    finally:
        hooks["request"].remove(note)


CODES = [f"75{number:03d}" for number in range(1, 201)]


async def fill(house: House) -> None:
    """One commune through the services' own API; the others are its copies, for 600 requests more prove nothing."""
    first = f"{CODES[0]}-{PLAN_KIND}"
    async with house.sequencing():
        for name in ("catalogue", "regimes"):
            body = read_yaml(REFERENCE / f"{name}.yaml")
            await put(house, f"/v1/indicators/{name}", body)
        units = [unit("75", "Đồng Nai", "province")] + [unit(code, f"Xã {code}", "commune", "75") for code in CODES]
        await put(house, "/v1/plans/admin-units", {"admin_units": units})
        await put(house, f"/v1/plans/{first}", PLAN)
    await house.follow()
    await put(house, f"/v1/indicators/targets/{first}", {"targets": TARGETS})
    await put(house, f"/v1/budget/lines/{first}", {"lines": LINES})
    for service, table, unit_column in COPIED:
        await copy(house, service, table, unit_column)
    rows = [{"admin_unit": code, "indicator": INDICATORS[0], "period": "2026-Q1", "value": 50} for code in CODES]
    posted = await house.client.post("/v1/indicators/actuals", json=rows, headers=house.admin)
    assert posted.json()["created"] == len(CODES), posted.text


COPIED = [
    ("plans", "plan", "admin_unit"),
    ("indicators", "plan", "admin_unit"),
    ("indicators", "target", "admin_unit_id"),
    ("budget", "plan", "admin_unit"),
    ("budget", "budget_line", "admin_unit"),
]


async def copy(house: House, service: str, table: str, unit_column: str) -> None:
    """The first commune's rows of a table, once for each of the others."""
    owner = "unit.id" if unit_column == "admin_unit_id" else "unit.code"
    changes = f"'{unit_column}', {owner}, 'plan_key', unit.code || '-{PLAN_KIND}', 'plan_id', uuidv7()"
    async with house.database(service).engine.begin() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(row, jsonb_build_object({changes}))).*"
            f" FROM {table} AS row CROSS JOIN admin_unit AS unit"
            f" WHERE unit.code LIKE '75___' AND unit.code <> '{CODES[0]}'"
        )


async def put(house: House, path: str, body: Any) -> None:
    answer = await house.client.put(path, json=body, headers=house.admin)
    assert answer.status_code == 200, answer.text


def unit(code: str, name: str, kind: str, province: str | None = None) -> dict[str, Any]:
    row = {"code": code, "name_vi": name, "name_en": name, "type": kind, "valid_from": "2025-07-01"}
    return row | ({"province_code": province} if province else {})


@pytest.fixture(scope="module")
async def province(admin_url: str, signing_key: Any) -> AsyncIterator[House]:
    """200 communes of a province, each with an issued plan, targets, figures and a budget."""
    async with open_house(admin_url, signing_key, template=TEMPLATE) as house:
        await fill(house)
        yield house


@pytest.mark.parametrize("communes", [1, 5, 200])
async def test_the_scorecard_query_costs_one_call_and_one_statement_per_service(province: House, communes: int) -> None:
    variables = {"province": "75", "year": 2026, "first": communes}
    body = {"query": SCORECARD, "variables": variables}
    with counting(province) as counted:
        answer = (await province.client.post("/graphql", json=body, headers=province.admin)).json()
    assert "errors" not in answer
    nodes = answer["data"]["communes"]["nodes"]
    assert [node["code"] for node in nodes] == CODES[:communes]
    for node in nodes:
        assert node["plan"]["planKey"] == f"{node['code']}-{PLAN_KIND}"
        assert [entry["target"]["key"] for entry in node["scorecard"]] == ["1", "2", "3"]
        assert node["scorecard"][0]["actual"]["value"] == "50"
        assert [line["amountVnd"] for line in node["budget"]["lines"]] == [1_000_000, 1_000_000]
    assert counted.numbers == {"plans": (1, 1), "indicators": (1, 1), "budget": (1, 1)}
    assert counted.calls == {
        "plans": ["/v1/plans/admin-units"],
        "indicators": ["/v1/indicators/scorecards"],
        "budget": ["/v1/budget/lines"],
    }


async def test_the_next_page_costs_the_same(province: House) -> None:
    variables: dict[str, Any] = {"province": "75", "year": 2026, "first": 150}
    first = (await ask(province, SCORECARD, variables))["communes"]
    assert first["pageInfo"]["hasNextPage"] is True
    with counting(province) as counted:
        rest = (await ask(province, SCORECARD, {**variables, "after": first["pageInfo"]["endCursor"]}))["communes"]
    assert [node["code"] for node in first["nodes"] + rest["nodes"]] == CODES
    assert rest["pageInfo"] == {"hasNextPage": False, "endCursor": None}
    assert counted.numbers == {"plans": (1, 1), "indicators": (1, 1), "budget": (1, 1)}


async def test_one_commune_by_its_code_costs_the_same(province: House) -> None:
    query = """{commune(code: "75001") { plan(year: 2026) { titleVi } scorecard(year: 2026) { on }
        budget(year: 2026) { lines { key } } }}"""
    with counting(province) as counted:
        await ask(province, query)
    assert counted.numbers == {"plans": (1, 1), "indicators": (1, 1), "budget": (1, 1)}


async def test_each_further_layer_costs_one_call_per_list(province: House) -> None:
    query = """{communes(province: "75", first: 20) { nodes {
        province { nameVi } plan(year: 2026) { tasks { key } legalBases { key } targets { key indicator { nameVi } } }
    } }}"""
    with counting(province) as counted:
        found = await ask(province, query)
    assert found["communes"]["nodes"][0]["province"] == {"nameVi": "Đồng Nai"}
    assert sorted(counted.calls["plans"]) == [
        "/v1/plans/admin-units",
        "/v1/plans/admin-units",
        "/v1/plans/legal-bases",
        "/v1/plans/tasks",
    ]
    assert counted.calls["indicators"] == ["/v1/indicators/targets", "/v1/indicators/catalogue"]
    assert counted.numbers["plans"] == (4, 4)
    assert counted.numbers["indicators"] == (2, 2)


async def test_aliases_with_the_same_question_share_a_call_and_others_do_not(province: House) -> None:
    query = """{a: commune(code: "75001") { scorecard(year: 2026) { on } }
        b: commune(code: "75002") { scorecard(year: 2026) { on } other: scorecard(year: 2025) { on } }}"""
    with counting(province) as counted:
        await ask(province, query)
    assert counted.calls["plans"] == ["/v1/plans/admin-units"]
    assert counted.calls["indicators"] == ["/v1/indicators/scorecards"] * 2


async def ask(house: House, query: str, variables: dict[str, Any] | None = None) -> Any:
    body = {"query": query, "variables": variables or {}}
    answer = (await house.client.post("/graphql", json=body, headers=house.admin)).json()
    assert "errors" not in answer, answer["errors"][:2]
    return answer["data"]
