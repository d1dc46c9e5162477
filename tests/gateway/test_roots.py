"""What a dashboard asks, in both shapes of the house, over the five plans."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.gateway.selections import everything
from tests.gateway.shapes import Served

TAN_HUNG = "25345-2026-digital-transformation-st-innovation"


async def test_communes_come_in_vietnamese_order_by_pages(served: Served) -> None:
    query = (
        "query($after: Cursor){communes(first: 3, after: $after){nodes{code nameVi} pageInfo{hasNextPage endCursor}}}"
    )
    first = (await served.ask(query))["communes"]
    rest = (await served.ask(query, {"after": first["pageInfo"]["endCursor"]}))["communes"]
    assert [node["nameVi"] for node in first["nodes"] + rest["nodes"]] == [
        "Đại Phước",
        "Giao Minh",
        "Tân Hưng",
        "Tân Lợi",
        "Xuân Thành",
    ]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]) == (True, {"hasNextPage": False, "endCursor": None})


async def test_a_unit_is_found_by_its_code_and_by_its_kind(served: Served) -> None:
    data = await served.ask("""{
      commune(code: "26491") { nameVi type province { code nameVi type } }
      gone: commune(code: "00001") { nameVi }
      noCommune: commune(code: "75") { nameVi }
      province(code: "75") { nameVi type communes { code } }
      noProvince: province(code: "26491") { nameVi }
      found: communes(q: "xuan thanh") { nodes { code } }
    }""")
    assert data["commune"] == {
        "nameVi": "Đại Phước",
        "type": "COMMUNE",
        "province": {"code": "75", "nameVi": "Đồng Nai", "type": "MUNICIPALITY"},
    }
    assert data["gone"] is data["noCommune"] is data["noProvince"] is None
    assert {unit["code"] for unit in data["province"]["communes"]} == {"25345", "25378", "26434", "26491"}
    assert data["found"]["nodes"] == [{"code": "26434"}]


async def test_a_province_leads_to_its_communes_and_to_missing_plans(served: Served) -> None:
    data = await served.ask("""{province(code: "75") {
      communes { code plan(year: 2026) { planKey } scorecard(year: 2026) { on } }
      none: missingPlans(year: 2026) { communeCode }
      all: missingPlans(year: 2027) { communeCode nameVi commune { code } }
    }}""")
    sizes = {unit["code"]: len(unit["scorecard"]) for unit in data["province"]["communes"]}
    assert sizes == {"25345": 16, "25378": 27, "26434": 24, "26491": 40}
    assert all(unit["plan"]["planKey"].startswith(unit["code"]) for unit in data["province"]["communes"])
    assert data["province"]["none"] == []
    assert [row["communeCode"] for row in data["province"]["all"]] == ["26491", "25345", "25378", "26434"]
    assert all(row["commune"]["code"] == row["communeCode"] for row in data["province"]["all"])


async def test_offices_are_told_by_name_only_where_asked(served: Served) -> None:
    data = await served.ask(
        "query($key: String!){plan(planKey: $key){tasks{key leadOffices{slug nameVi level}}}}", {"key": TAN_HUNG}
    )
    offices = {office["slug"]: office for task in data["plan"]["tasks"] for office in task["leadOffices"]}
    assert offices["phong-vhxh"] == {"slug": "phong-vhxh", "nameVi": "Phòng Văn hóa - Xã hội", "level": "COMMUNE"}
    assert all(office["nameVi"] for office in offices.values())


async def test_a_scorecard_tells_target_figure_and_verdict(served: Served) -> None:
    data = await served.ask("""{commune(code: "25345") { scorecard(year: 2026, on: "2026-11-22") {
      planKey on regime periodType indicatorNameVi leadVi direction
      target { key planKey adminUnitCode rawTarget value comparator dueOn }
      actual { value period periodType startsOn endsOn isSample source dataStatus }
      evaluation { achievement achievementRatio rule reasonVi reasonEn noDataReason }
    } } }""")
    entries = data["commune"]["scorecard"]
    assert len(entries) == 16
    assert {entry["planKey"] for entry in entries} == {TAN_HUNG}
    assert {entry["on"] for entry in entries} == {"2026-11-22"}
    with_figure = [entry for entry in entries if entry["actual"]]
    assert with_figure
    for entry in with_figure:
        assert entry["actual"]["isSample"] is True
        assert entry["actual"]["source"] == "sample"
        assert entry["actual"]["endsOn"] <= "2026-11-22"
        assert entry["evaluation"]["achievement"] != "NO_DATA"
    for entry in entries:
        assert TAN_HUNG in entry["evaluation"]["reasonVi"]
        assert TAN_HUNG in entry["evaluation"]["reasonEn"]
        assert (entry["actual"] is None) >= (entry["evaluation"]["noDataReason"] is not None)


async def test_a_scorecard_narrows_by_pillar_and_indicator(served: Served) -> None:
    data = await served.ask("""{commune(code: "25345") {
      security: scorecard(year: 2026, pillar: [CYBERSECURITY]) { target { pillar } }
      one: scorecard(year: 2026, indicator: ["STAFF_IT_EQUIPPED_RATE"]) { target { indicatorCode } }
      none: scorecard(year: 2025) { on }
    } }""")
    assert {entry["target"]["pillar"] for entry in data["commune"]["security"]} == {"CYBERSECURITY"}
    assert data["commune"]["one"] == [{"target": {"indicatorCode": "STAFF_IT_EQUIPPED_RATE"}}]
    assert data["commune"]["none"] == []


async def test_money_adds_up_as_the_plan_says(served: Served) -> None:
    data = await served.ask(
        """query($key: String!){plan(planKey: $key){budgetTotalVnd budget{
      lines{amountVnd} groups{amountVnd cells{amountVnd}}
      totals(by: EXPENDITURE_KIND){value lines amountVnd}
      checks{planKey statedTotalVnd amountVnd verdicts{holds broken} checks{checkKey verdict reasonVi ruleVi
        found{name value unit count} required{value}}}
    }}}""",
        {"key": TAN_HUNG},
    )
    plan = data["plan"]
    assert plan["budgetTotalVnd"] == sum(line["amountVnd"] for line in plan["budget"]["lines"]) == 1_670_000_000
    assert plan["budget"]["totals"] == [
        {"value": "recurrent", "lines": 15, "amountVnd": 1_620_000_000},
        {"value": "reserve", "lines": 1, "amountVnd": 50_000_000},
    ]
    (checks,) = plan["budget"]["checks"]
    assert (checks["statedTotalVnd"], checks["amountVnd"], checks["verdicts"]["broken"]) == (1_670_000_000,) * 2 + (0,)
    total = next(check for check in checks["checks"] if check["checkKey"] == "lines_equal_total")
    assert total["verdict"] == "HOLDS"
    assert (Decimal(total["found"]["value"]), total["found"]["count"]) == (1_670_000_000, 16)
    assert any(check["ruleVi"] for check in checks["checks"])


async def test_the_money_of_a_province(served: Served) -> None:
    data = await served.ask("""{budget(province: "75", year: 2026) {
      lines(first: 20, expenditureKind: [INVESTMENT]) { nodes { planKey amountVnd budgetYears } }
      totals(by: EXPENDITURE_KIND, per: PROVINCE) { value plans amountVnd multiYearAmountVnd }
      checks { nodes { planKey hasBudget } }
    }}""")
    assert data["budget"]["lines"]["nodes"] == [
        {
            "planKey": "26491-2026-digital-transformation-state-agencies",
            "amountVnd": 4_000_000_000,
            "budgetYears": [2026, 2027],
        }
    ]
    sums = {total["value"]: total["amountVnd"] for total in data["budget"]["totals"]}
    assert sums == {"recurrent": 1_620_000_000 + 4_385_000_000, "investment": 4_000_000_000, "reserve": 50_000_000}
    assert [node["hasBudget"] for node in data["budget"]["checks"]["nodes"]].count(True) == 2


async def test_every_type_can_be_asked_for_everything(served: Served) -> None:
    """No field of any type fails on the real data."""
    data = await served.ask(f"""{{
      communes {{ nodes {{ {everything("Commune")} province {{ {everything("Province")} }} }} }}
      plans {{ nodes {{ {everything("Plan")} adminUnit {{ __typename code }} }} }}
      actuals(first: 20) {{ nodes {{ {everything("Actual")} indicator {{ code }} adminUnit {{ code }} }} }}
    }}""")
    assert {unit["adminUnit"]["__typename"] for unit in data["plans"]["nodes"]} == {"Commune"}
    assert all(row["indicator"]["code"] == row["indicatorCode"] for row in data["actuals"]["nodes"])
    assert all(row["adminUnit"]["code"] == row["adminUnitCode"] for row in data["actuals"]["nodes"])
    for code in ("14161", "25345", "25378", "26434", "26491"):
        entries = await served.ask(f"""{{commune(code: "{code}") {{ scorecard(year: 2026) {{
          {everything("ScorecardEntry")} target {{ {everything("Target")} indicator {{ code }} }}
          actual {{ {everything("Actual")} }} evaluation {{ {everything("Evaluation")} }} }} }} }}""")
        for entry in entries["commune"]["scorecard"]:
            assert entry["target"]["indicator"]["code"] == entry["target"]["indicatorCode"]


async def test_a_thing_is_found_again_by_its_global_id(served: Served) -> None:
    asked = await served.ask(
        """query($key: String!){
      commune(code: "25345") { id } province(code: "75") { id } indicator(code: "DTI_SCORE") { id }
      plan(planKey: $key) { id tasks { id key } targets { id key } budget { lines { id key } } }
    }""",
        {"key": TAN_HUNG},
    )
    ids = {
        "Commune": asked["commune"]["id"],
        "Province": asked["province"]["id"],
        "Plan": asked["plan"]["id"],
        "Task": asked["plan"]["tasks"][0]["id"],
        "Target": asked["plan"]["targets"][0]["id"],
        "BudgetLine": asked["plan"]["budget"]["lines"][0]["id"],
    }
    if asked["indicator"]:
        ids["Indicator"] = asked["indicator"]["id"]
    for kind, each in ids.items():
        found = await served.ask("query($id: ID!){node(id: $id){__typename id}}", {"id": each})
        assert found["node"] == {"__typename": kind, "id": each}
    line = await served.ask(
        "query($id: ID!){node(id: $id){...on BudgetLine{amountVnd leadOffices{nameVi}}}}", {"id": ids["BudgetLine"]}
    )
    assert line["node"]["amountVnd"] == 450_000_000


async def test_ids_of_nothing_and_ids_that_are_none(served: Served) -> None:
    query = "query($id: ID!){node(id: $id){id}}"
    assert (await served.ask(query, {"id": "UGxhbjpub25l"}))["node"] is None  # Plan:none
    assert (await served.ask(query, {"id": "R2hvc3Q6MQ"}))["node"] is None  # Ghost:1
    for wrong in ("", "%%%", "UGxhbg", "x"):
        answer = await served.post(query, {"id": wrong})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["node_id_invalid"]
        assert answer["data"] == {"node": None}


async def test_changes_are_followed_by_cursor(served: Served) -> None:
    query = """query($after: Cursor){changes(service: PLANS, after: $after, first: 40, province: ["75"]){
      items{id type subject time data} next head}}"""
    seen: list[Any] = []
    after = None
    while True:
        page = (await served.ask(query, {"after": after}))["changes"]
        seen += page["items"]
        after = page["next"]
        if after == page["head"]:
            break
    assert len({change["id"] for change in seen}) == len(seen)
    issued = [change["subject"] for change in seen if change["type"] == "vn.chitieu.plans.plan.issued.v1"]
    assert len(issued) == 4
    assert TAN_HUNG in issued


async def test_meta_tells_versions(served: Served) -> None:
    meta = (await served.ask("{meta{version services{name isAvailable version dataVersion epoch}}}"))["meta"]
    assert [service["name"] for service in meta["services"]] == ["PLANS", "INDICATORS", "BUDGET"]
    assert all(service["isAvailable"] and service["version"] == meta["version"] for service in meta["services"])
    assert all(service["dataVersion"] > 0 for service in meta["services"])


async def test_anonymous_readers_see_what_is_public(served: Served) -> None:
    query = """query($key: String!){plan(planKey: $key){
      titleVi signerName notes tasks{note} recipients{rawText namesPerson}}}"""
    signed = await served.ask(query, {"key": TAN_HUNG})
    assert signed["plan"]["signerName"] == "Lê Viết Truyền"
    answer = (await served.client.post("/graphql", json={"query": query, "variables": {"key": TAN_HUNG}})).json()
    plan = answer["data"]["plan"]
    assert (plan["signerName"], plan["notes"]) == (None, None)
    assert {task["note"] for task in plan["tasks"]} == {None}
    assert all(recipient["rawText"] is None for recipient in plan["recipients"] if recipient["namesPerson"])


async def test_a_forged_token_opens_nothing(served: Served) -> None:
    answer = await served.post("{communes{nodes{code}} meta{version}}", Authorization="Bearer a.b.c")
    assert answer["data"]["communes"] is None
    assert answer["data"]["meta"]["version"]
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["status"], error["path"]) == (
        "token_invalid",
        401,
        ["communes"],
    )


async def test_first_is_bounded(served: Served) -> None:
    for first in (0, -1, 201, 2_000_000_000):
        answer = await served.post("query($n: Int!){communes(first: $n){nodes{code}}}", {"n": first})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["first_out_of_range"]


async def test_a_service_refuses_with_its_own_code(served: Served) -> None:
    answer = await served.post('{communes(after: "nonsense"){nodes{code}}}')
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "cursor_invalid"
    assert error["extensions"]["service"] == "plans"
    assert error["message"] == "Con trỏ trang không hợp lệ; hãy đọc lại từ đầu."
    english = await served.post('{communes(after: "nonsense"){nodes{code}}}', **{"Accept-Language": "en"})
    assert english["errors"][0]["message"] == "The cursor is not valid; start again."


async def test_a_plan_is_read_as_it_was_known(served: Served) -> None:
    query = """query($key: String!, $at: DateTime){plan(planKey: $key, knownAt: $at){
      version tasks{key} targets{key} scorecard{on} budget{lines{key}}}}"""
    now = (await served.ask(query, {"key": TAN_HUNG, "at": "2099-01-01T00:00:00Z"}))["plan"]
    assert [len(now[name]) for name in ("tasks", "targets", "scorecard")] == [36, 16, 16]
    assert len(now["budget"]["lines"]) == 16
    assert (await served.ask(query, {"key": TAN_HUNG, "at": "2020-01-01T00:00:00Z"}))["plan"] is None
    answer = await served.post(query, {"key": TAN_HUNG, "at": "2026-01-01T00:00:00"})
    assert "needs an offset" in answer["errors"][0]["message"]


RANKING = """query($province: String!, $indicator: String!, $on: Date) {
  ranking(province: $province, indicator: $indicator, on: $on) {
    provinceCode regime periodType year on method counted coverage { counted communes } indicator { code }
    items { place commune { code } actual { adminUnitCode value period isSample } }
  }
}"""


async def test_a_provinces_communes_are_ranked_and_never_those_of_two(served: Served) -> None:
    actuals = (await served.ask('{actuals(province: "75", first: 200){nodes{indicatorCode adminUnitCode}}}'))["actuals"]
    units: dict[str, set[str]] = {}
    for row in actuals["nodes"]:
        units.setdefault(row["indicatorCode"], set()).add(row["adminUnitCode"])
    indicator, _ = max(units.items(), key=lambda pair: (len(pair[1]), pair[0]))
    variables = {"province": "75", "indicator": indicator, "on": "2026-11-22"}
    ranking = (await served.ask(RANKING, variables))["ranking"]
    assert ranking["indicator"] == {"code": indicator}
    assert (ranking["counted"], len(ranking["items"])) == (3, 3)
    assert (ranking["year"], ranking["on"]) == (2026, "2026-11-22")
    assert ranking["coverage"] == {"counted": 3, "communes": 4}
    assert {item["actual"]["adminUnitCode"] for item in ranking["items"]} <= {"25345", "25378", "26434", "26491"}
    assert [item["place"] for item in ranking["items"]] == sorted(item["place"] for item in ranking["items"])
    assert all(item["commune"]["code"] == item["actual"]["adminUnitCode"] for item in ranking["items"])
    before = (await served.ask(RANKING, {**variables, "on": "2025-01-01"}))["ranking"]
    assert (before["counted"], before["items"], before["regime"], before["periodType"]) == (0, [], None, None)


async def test_what_cannot_be_ranked_says_so(served: Served) -> None:
    answer = await served.post(RANKING, {"province": "75", "indicator": "NO_SUCH"})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["ranking_unknown"]
    assert answer["data"] == {"ranking": None}
