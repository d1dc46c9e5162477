"""How budgets are asked for: who sees what, filters, totals, facts, and one statement each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import text

from chassis.auth import ANONYMOUS, Caller
from chassis.listing import Listing, fetch_page
from chassis.pages import PageRequest
from services.budget import store
from services.budget.domain.filters import Dimension, LineFilter, PlanFilter, Scope
from services.budget.service import hearing
from tests.budget.given import PLAN, body, cell, group, header, hear_plan, line, put, rows
from tests.conftest import TEMPLATE
from tests.house import House, open_house

OTHER = "26491-2026-digital-transformation"
DRAFT = "25378-2026-digital-transformation"
FAR = "14161-2026-digital-transformation"


async def ask(house: House, listing: Listing, limit: int = 1000) -> list[dict[str, Any]]:
    """A list in one statement."""
    async with house.database("budget").read() as db:
        with house.statements("budget") as statements:
            page = await fetch_page(db, listing, PageRequest(limit=limit), listing.columns)
    assert len(statements) == 1
    return page.items


async def keys(house: House, caller: Caller, **wanted: Any) -> list[str]:
    plans = PlanFilter(**{name: wanted.pop(name) for name in list(wanted) if name in PlanFilter.__slots__})
    found = await ask(house, store.list_lines(caller, plans, LineFilter(**wanted), None))
    return [f"{row['admin_unit']}/{row['key']}" for row in found]


@pytest.fixture(scope="module")
async def four(admin_url: str, signing_key: OKPKey) -> AsyncIterator[House]:
    """Four plans of two provinces, one of them a draft; tests only read them."""
    async with open_house(admin_url, signing_key, template=TEMPLATE) as house:
        await fill(house)
        yield house


async def fill(house: House) -> None:
    await hear_plan(house, PLAN)
    await hear_plan(house, OTHER, status="amended")
    await hear_plan(house, DRAFT, status="draft")
    await hear_plan(house, FAR, province="37", year=2027)
    await put(
        house,
        body(
            line("A", tasks=["III.1"], targets=["T1"], number="01", note="chữ bị hỏng"),
            line("B", pillar="awareness", lead_offices=["phong-vhxh", "cong-an-xa"], title_vi="Bản tin Đại Phước"),
            line("C", expenditure_kind="reserve", pillar=None, lead_offices=[], funding_source="Dự phòng"),
        ),
    )
    await put(
        house,
        body(
            line(
                "D",
                expenditure_kind="investment",
                amount_vnd=4_000_000_000,
                execution_time_kind="year_range",
                execution_time="2026/2027",
                funding_source="đầu tư công",
                coordinating_offices=["cong-an-xa"],
            )
        ),
        f"/v1/budget/lines/{OTHER}",
    )
    await put(house, body(line("E")), f"/v1/budget/lines/{DRAFT}")
    await put(house, body(line("F")), f"/v1/budget/lines/{FAR}")


PUBLIC = ["14161/F", "25345/A", "25345/B", "25345/C", "26491/D"]
EVERY = ["14161/F", "25345/A", "25345/B", "25345/C", "25378/E", "26491/D"]


async def test_drafts_are_seen_by_those_who_cover_their_unit(four: House) -> None:
    assert await keys(four, ANONYMOUS) == PUBLIC
    assert await keys(four, four.caller(admin_units=[])) == PUBLIC
    assert await keys(four, four.caller(admin_units=["26491"])) == PUBLIC
    assert await keys(four, four.caller(admin_units=["37"])) == PUBLIC
    assert await keys(four, four.caller(admin_units=["25378"])) == EVERY
    assert await keys(four, four.caller(admin_units=["75"])) == EVERY
    assert await keys(four, four.caller()) == EVERY


async def test_asking_for_a_draft_by_its_key_does_not_help(four: House) -> None:
    assert await keys(four, ANONYMOUS, plan_keys=[DRAFT]) == []
    async with four.database("budget").read() as db:
        assert await store.find_visible_plan(db, ANONYMOUS, DRAFT) is None


async def test_totals_and_facts_leave_drafts_out_as_well(four: House) -> None:
    totals = store.list_totals(ANONYMOUS, Dimension.PILLAR, Scope.PROVINCE, (PlanFilter(), LineFilter()), None)
    found = await ask(four, totals)
    assert [(row["province"], row["value"], row["amount_vnd"], row["plans"]) for row in found] == [
        ("37", "human_resources", 30_000_000, 1),
        ("75", None, 30_000_000, 1),
        ("75", "awareness", 30_000_000, 1),
        ("75", "human_resources", 4_030_000_000, 2),
    ]
    facts = store.list_facts(ANONYMOUS, PlanFilter(), None, ("plan_key",), dict)
    assert [row["plan_key"] for row in await ask(four, facts)] == [FAR, PLAN, OTHER]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"plan_keys": [PLAN, OTHER]}, ["25345/A", "25345/B", "25345/C", "26491/D"]),
        ({"admin_units": ["26491"]}, ["26491/D"]),
        ({"provinces": ["37"]}, ["14161/F"]),
        ({"years": [2027]}, ["14161/F"]),
        ({"years": [2025]}, []),
        ({"keys": ["A", "D"]}, ["25345/A", "26491/D"]),
        ({"expenditure_kinds": ["reserve"]}, ["25345/C"]),
        ({"expenditure_kinds": ["reserve", "investment"]}, ["25345/C", "26491/D"]),
        ({"pillars": ["awareness"]}, ["25345/B"]),
        ({"pillars": ["none"]}, ["25345/C"]),
        ({"pillars": ["none", "awareness"]}, ["25345/B", "25345/C"]),
        ({"offices": ["cong-an-xa"]}, ["25345/B", "26491/D"]),
        ({"lead_offices": ["cong-an-xa"]}, ["25345/B"]),
        ({"funding_sources": ["Dự phòng"]}, ["25345/C"]),
        ({"budget_years": [2027]}, ["14161/F", "26491/D"]),
        ({"tasks": ["III.1"]}, ["25345/A"]),
        ({"targets": ["T1", "T2"]}, ["25345/A"]),
        ({"words": "ban tin dai phuoc"}, ["25345/B"]),
        ({"words": "ĐẠI  PHƯỚC"}, ["25345/B"]),
        ({"words": "01"}, ["25345/A"]),
        ({"words": "100%"}, []),
        ({"words": "_"}, []),
    ],
)
async def test_lines_are_narrowed_by_their_fields(four: House, wanted: dict[str, Any], found: list[str]) -> None:
    assert await keys(four, ANONYMOUS, **wanted) == found


async def test_remarks_are_for_callers_with_a_token(four: House) -> None:
    for caller, note in ((ANONYMOUS, None), (four.caller(admin_units=[]), "chữ bị hỏng")):
        found = await ask(four, store.list_lines(caller, PlanFilter(), LineFilter(keys=["A"]), None))
        assert [row["note"] for row in found] == [note]


async def test_remarks_are_not_found_by_words(four: House) -> None:
    assert await keys(four, four.caller(), words="chữ bị hỏng") == []


async def test_a_line_over_two_years_counts_whole_and_says_so(four: House) -> None:
    listing = store.list_totals(
        ANONYMOUS, Dimension.EXPENDITURE_KIND, Scope.PLAN, (PlanFilter((OTHER,)), LineFilter()), None
    )
    assert await ask(four, listing) == [
        {
            "plan_key": OTHER,
            "admin_unit": "26491",
            "province": "75",
            "year": 2026,
            "by": "expenditure_kind",
            "value": "investment",
            "stage": "estimated",
            "plans": 1,
            "lines": 1,
            "amount_vnd": 4_000_000_000,
            "multi_year_lines": 1,
            "multi_year_amount_vnd": 4_000_000_000,
            "shared_amount_vnd": 0,
        }
    ]


async def test_a_line_with_two_leads_counts_under_each_and_one_without_under_none(four: House) -> None:
    listing = store.list_totals(ANONYMOUS, Dimension.OFFICE, Scope.PLAN, (PlanFilter((PLAN,)), LineFilter()), None)
    found = [
        (row["value"], row["lines"], row["amount_vnd"], row["shared_amount_vnd"]) for row in await ask(four, listing)
    ]
    assert found == [
        (None, 1, 30_000_000, 0),
        ("cong-an-xa", 1, 30_000_000, 30_000_000),
        ("phong-vhxh", 2, 60_000_000, 30_000_000),
    ]


async def test_totals_by_source_are_narrowed_like_lines(four: House) -> None:
    wanted = (PlanFilter(provinces=("75",)), LineFilter(budget_years=(2026,)))
    listing = store.list_totals(ANONYMOUS, Dimension.FUNDING_SOURCE, Scope.PROVINCE, wanted, None)
    found = [(row["plan_key"], row["admin_unit"], row["value"], row["amount_vnd"]) for row in await ask(four, listing)]
    assert found == [
        (None, None, None, 60_000_000),
        (None, None, "Dự phòng", 30_000_000),
        (None, None, "đầu tư công", 4_000_000_000),
    ]


async def test_facts_name_what_does_not_fit(house: House) -> None:
    await hear_plan(house, budget_total_vnd=100)
    await put(
        house,
        body(
            line("A", amount_vnd=60),
            line("B", amount_vnd=40, pillar="awareness"),
            line("C", amount_vnd=10),
            line("R", amount_vnd=5, expenditure_kind="reserve", pillar=None),
            groups=(
                group("G1", cell("C1", "A", "B", amount_vnd=90), pillars=["human_resources"]),
                group("G2", cell("C2", "A", amount_vnd=60), amount_vnd=70, pillars=["human_resources"]),
                group("G3", cell("C3", "R", amount_vnd=5), pillars=[]),
            ),
        ),
    )
    (found,) = await ask(house, store.list_facts(house.caller(), PlanFilter(), None, FACTS, dict))
    assert found == {
        "lines": {"count": 4, "amount_vnd": 115},
        "cells": {"count": 3, "amount_vnd": 155},
        "groups": {"count": 3, "amount_vnd": 165},
        "reserve": {"count": 1, "amount_vnd": 5},
        "amount_by_pillar": {"awareness": 40, "human_resources": 70},
        "parts": [
            {
                "expenditure_kind": "recurrent",
                "budget_years": [2026],
                "count": 3,
                "amount_vnd": 110,
                "position": 1,
            },
            {"expenditure_kind": "reserve", "budget_years": [2026], "count": 1, "amount_vnd": 5, "position": 4},
        ],
        "uneven_cells": [{"key": "C1", "amount_vnd": 90, "parts_vnd": 100, "difference_vnd": -10}],
        "uneven_groups": [{"key": "G2", "amount_vnd": 70, "parts_vnd": 60, "difference_vnd": 10}],
        "misplaced_lines": ["A", "C"],
        "lines_in_foreign_groups": ["B"],
    }


FACTS = (
    "lines",
    "cells",
    "groups",
    "reserve",
    "amount_by_pillar",
    "parts",
    "uneven_cells",
    "uneven_groups",
    "misplaced_lines",
    "lines_in_foreign_groups",
)


async def test_every_list_answers_what_was_known_at_a_moment(house: House) -> None:
    await hear_plan(house)
    await put(house, body(line("A"), groups=(group("G", cell("C", "A")),)))
    between = await moment(house)
    changed = body(line("A", amount_vnd=7), groups=(group("G", cell("C", "A", amount_vnd=7), amount_vnd=7),))
    await put(house, changed, correction="Nhập sai số tiền")
    then = between.isoformat()
    long_ago = (between - timedelta(days=1)).isoformat()
    for known_at, amount in ((then, 30_000_000), (None, 7)):
        params = {"known_at": known_at} if known_at else {}
        assert [row["amount_vnd"] for row in await rows(house, "lines", **params)] == [amount]
        (found,) = await rows(house, "groups", **params)
        assert (found["amount_vnd"], found["cells"][0]["amount_vnd"]) == (amount, amount)
        assert [row["amount_vnd"] for row in await rows(house, "totals", by="pillar", **params)] == [amount]
        assert [row["amount_vnd"] for row in await rows(house, "checks", **params)] == [amount]
    assert await rows(house, "lines", known_at=long_ago) == []
    assert [row["has_budget"] for row in await rows(house, "checks", known_at=long_ago)] == [False]


async def moment(house: House) -> datetime:
    """The database's present, after everything that is committed."""
    async with house.database("budget").read() as db:
        found: datetime = (await db.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return found.astimezone(UTC)


async def test_pages_leave_no_row_out_and_repeat_none(four: House) -> None:
    found = await rows(four, "lines", limit=2)
    assert [f"{row['admin_unit']}/{row['key']}" for row in found] == EVERY


async def test_pages_of_totals_and_checks_go_on_where_they_stopped(four: House) -> None:
    assert len(await rows(four, "totals", by="office", limit=1)) == 6
    assert len(await rows(four, "totals", by="pillar", per="province", limit=1)) == 4
    assert [row["plan_key"] for row in await rows(four, "checks", limit=1)] == [FAR, PLAN, DRAFT, OTHER]


async def test_two_hundred_communes_are_one_statement(house: House) -> None:
    units = [f"{30000 + n}" for n in range(200)]
    await hear_plan(house, f"{units[0]}-2026-digital-transformation")
    async with house.database("budget").write() as db:
        await hearing.hear_plans(db, [header(f"{unit}-2026-digital-transformation") for unit in units[1:]])
    await put(house, body(line("A")), f"/v1/budget/lines/{units[0]}-2026-digital-transformation")
    plans = PlanFilter(admin_units=tuple(units))
    assert len(await ask(house, store.list_lines(house.caller(), plans, LineFilter(), None))) == 1
    assert len(await ask(house, store.list_facts(house.caller(), plans, None, FACTS, dict))) == 200
    assert len(await ask(house, store.list_groups(house.caller(), plans, None, None))) == 0
