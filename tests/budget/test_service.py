"""Applying a plan's budget: what changes, what stays, what is announced, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import Session, exact_json
from chassis.errors import Conflict, Forbidden, NotFound, PreconditionFailed, Refused
from chassis.money import MAX_VND
from chassis.outbox import parts_of, unpack
from services.budget.domain.filters import LineFilter, PlanFilter
from services.budget.schemas.bodies import BudgetBody
from services.budget.service import budgets as service
from services.budget.service.budgets import Terms
from tests.budget.given import PLAN, body, cell, group, hear_plan, line
from tests.house import House


class News:
    """Stands for the followers: counts how often it was asked to catch up."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, _db: Session) -> None:
        self.asked += 1


async def apply(
    house: House, content: dict[str, object], *, dry_run: bool = False, **terms: object
) -> dict[str, object]:
    given = Terms(**{"catch_up": News(), **terms})  # type: ignore[arg-type]
    async with house.database("budget").write(keep=not dry_run) as db:
        db.info["dry_run"] = dry_run
        return await service.apply_budget(db, house.caller(), PLAN, BudgetBody(**content), given)


def payload(row: Any) -> dict[str, Any]:
    told: dict[str, Any] = row.data if row.packed is None else exact_json.decode(unpack(row.packed))
    return told


async def announced(house: House) -> list[tuple[str, int, bool, list[dict[str, object]]]]:
    async with house.database("budget").read() as db:
        found = await db.execute(text("SELECT subject, version, is_public, data, packed FROM outbox ORDER BY id"))
        return [(row.subject, row.version, row.is_public, payload(row)["changes"]) for row in found]


SETS = {"created": [], "updated": [], "unchanged": 0, "removed": [], "kept": []}


async def test_a_first_body_creates_and_is_announced(house: House) -> None:
    await hear_plan(house)
    content = body(line("A"), line("B", amount_vnd=1), groups=(group("G", cell("C", "A", "B", amount_vnd=30_000_001)),))
    applied = await apply(house, content)
    token = applied.pop("write_token")
    assert isinstance(token, str)
    assert applied == {
        "plan_key": PLAN,
        "admin_unit": "25345",
        "dry_run": False,
        "version": 1,
        "changes": {
            "lines": {**SETS, "created": ["A", "B"]},
            "groups": {**SETS, "created": ["G"]},
            "cells": {**SETS, "created": ["C"]},
        },
    }
    kinds = {"expenditure_kind": "recurrent", "pillar": "human_resources", "budget_years": [2026]}
    assert await announced(house) == [
        (
            PLAN,
            1,
            True,
            [
                {"set": "lines", "key": "A", "old": None, "new": {"amount_vnd": 30_000_000, **kinds}},
                {"set": "lines", "key": "B", "old": None, "new": {"amount_vnd": 1, **kinds}},
                {
                    "set": "groups",
                    "key": "G",
                    "old": None,
                    "new": {"amount_vnd": 30_000_001, "pillars": ["human_resources"]},
                },
                {
                    "set": "cells",
                    "key": "C",
                    "old": None,
                    "new": {"amount_vnd": 30_000_001, "group_key": "G", "lines": ["A", "B"]},
                },
            ],
        )
    ]


async def test_the_same_body_again_writes_and_announces_nothing(house: House) -> None:
    await hear_plan(house)
    content = body(line("A"), groups=(group("G", cell("C", "A")),))
    await apply(house, content)
    before = await house.rows("budget")
    again = await apply(house, content)
    assert again["changes"] == {name: {**SETS, "unchanged": 1} for name in ("lines", "groups", "cells")}
    assert (again["version"], again["write_token"]) == (1, None)
    assert await house.rows("budget") == before


async def test_a_change_keeps_what_was_said_before(house: House) -> None:
    await hear_plan(house)
    await apply(house, body(line("A"), line("B")))
    changed = await apply(house, body(line("A", amount_vnd=40_000_000), line("B")), correction="Nhập sai số tiền")
    assert changed["changes"]["lines"] == {**SETS, "updated": ["A"], "unchanged": 1}
    assert changed["version"] == 2
    last = (await announced(house))[-1]
    kinds = {"expenditure_kind": "recurrent", "pillar": "human_resources", "budget_years": [2026]}
    assert last == (
        PLAN,
        2,
        True,
        [
            {
                "set": "lines",
                "key": "A",
                "old": {"amount_vnd": 30_000_000, **kinds},
                "new": {"amount_vnd": 40_000_000, **kinds},
            }
        ],
    )
    async with house.database("budget").read() as db:
        found = await db.execute(
            text("SELECT amount_vnd, known_to IS NULL FROM budget_line WHERE key = 'A' ORDER BY 1")
        )
        assert [tuple(row) for row in found] == [(30_000_000, False), (40_000_000, True)]


async def test_what_the_body_leaves_out_is_kept_unless_pruned(house: House) -> None:
    await hear_plan(house)
    await apply(house, body(line("A"), line("B"), groups=(group("G", cell("C", "A")),)))
    kept = await apply(house, body(line("A")))
    assert kept["changes"]["lines"] == {**SETS, "unchanged": 1, "kept": ["B"]}
    assert kept["changes"]["groups"] == {**SETS, "kept": ["G"]}
    pruned = await apply(house, body(line("A")), prune=True, correction="Nhập sai số tiền")
    assert pruned["changes"] == {
        "lines": {**SETS, "unchanged": 1, "removed": ["B"]},
        "groups": {**SETS, "removed": ["G"]},
        "cells": {**SETS, "removed": ["C"]},
    }
    removed = (await announced(house))[-1][3]
    assert [(change["set"], change["key"], change["new"]) for change in removed] == [
        ("lines", "B", None),
        ("groups", "G", None),
        ("cells", "C", None),
    ]


async def test_a_dry_run_answers_the_same_and_keeps_nothing(house: House) -> None:
    await hear_plan(house)
    before = await house.rows("budget")
    dry = await apply(house, body(line("A")), dry_run=True)
    assert dry["changes"]["lines"] == {**SETS, "created": ["A"]}
    assert (dry["dry_run"], dry["write_token"]) == (True, None)
    assert await house.rows("budget") == before


async def test_cells_may_name_kept_lines_but_not_pruned_ones(house: House) -> None:
    await hear_plan(house)
    await apply(house, body(line("A"), line("B")))
    content = body(line("A"), groups=(group("G", cell("C", "A", "B")),))
    await apply(house, content, correction="Nhập sai số tiền")
    with pytest.raises(Refused) as refused:
        await apply(house, content, prune=True)
    assert [(fault.rule.code, fault.pointer) for fault in refused.value.faults] == [
        ("budget_line_unknown", "/groups/0/cells/0/lines/1")
    ]


async def test_kept_lines_count_in_the_total(house: House) -> None:
    await hear_plan(house)
    await apply(house, body(line("A", amount_vnd=MAX_VND)))
    with pytest.raises(Refused) as refused:
        await apply(house, body(line("B", amount_vnd=1)))
    assert [fault.rule.code for fault in refused.value.faults] == ["budget_total_too_large"]
    await apply(house, body(line("B", amount_vnd=1)), prune=True, correction="Nhập sai số tiền")


async def test_every_fault_is_listed_and_nothing_is_written(house: House) -> None:
    await hear_plan(house)
    before = await house.rows("budget")
    content = body(
        line("A", expenditure_kind="reserve"),
        line("A", execution_time_kind="quarter", execution_time="2026"),
        line("B", lead_offices=["Phòng VH-XH"]),
        groups=(group("G", cell("C", "X")),),
    )
    with pytest.raises(Refused) as refused:
        await apply(house, content)
    assert {(fault.rule.code, fault.pointer) for fault in refused.value.faults} == {
        ("budget_key_repeated", "/lines/1/key"),
        ("reserve_in_pillar", "/lines/0/pillar"),
        ("budget_execution_time_invalid", "/lines/1/execution_time"),
        ("budget_office_unknown", "/lines/2/lead_offices/0"),
        ("budget_line_unknown", "/groups/0/cells/0/lines/0"),
    }
    assert await house.rows("budget") == before


async def test_an_unknown_plan_is_asked_for_once_and_then_refused(house: House) -> None:
    news = News()
    with pytest.raises(NotFound) as refused:
        await apply(house, body(line("A")), catch_up=news)
    assert refused.value.rule.code == "budget_plan_unknown"
    assert news.asked == 1


async def test_a_plan_heard_of_by_catching_up_is_accepted(house: House) -> None:
    async def catch_up(_db: Session) -> None:
        await hear_plan(house)

    applied = await apply(house, body(line("A")), catch_up=catch_up)
    assert applied["version"] == 1


async def test_an_unknown_office_is_asked_for_once(house: House) -> None:
    await hear_plan(house)
    news = News()
    with pytest.raises(Refused):
        await apply(house, body(line("A", lead_offices=["phong-x"])), catch_up=news)
    assert news.asked == 1
    await apply(house, body(line("A")), catch_up=news)
    assert news.asked == 1


async def test_another_unit_is_not_written(house: House) -> None:
    await hear_plan(house)
    stranger = house.caller(admin_units=["26491"])
    async with house.database("budget").write() as db:
        with pytest.raises(Forbidden) as refused:
            await service.apply_budget(db, stranger, PLAN, BudgetBody(**body(line("A"))), Terms(News()))
    assert refused.value.rule.code == "unit_not_covered"


async def test_a_draft_of_another_unit_is_not_even_confirmed(house: House) -> None:
    await hear_plan(house, status="draft")
    stranger = house.caller(admin_units=["26491"])
    async with house.database("budget").write() as db:
        with pytest.raises(NotFound):
            await service.apply_budget(db, stranger, PLAN, BudgetBody(**body(line("A"))), Terms(News()))


@pytest.mark.parametrize("units", [["25345"], ["75"], ["*"], ["26491", "25345"]])
async def test_a_unit_its_province_and_everywhere_cover_a_plan(house: House, units: list[str]) -> None:
    await hear_plan(house)
    caller = house.caller(admin_units=units)
    async with house.database("budget").write() as db:
        applied = await service.apply_budget(db, caller, PLAN, BudgetBody(**body(line("A"))), Terms(News()))
    assert applied["version"] == 1


async def test_a_closed_plan_is_not_changed(house: House) -> None:
    await hear_plan(house, status="closed")
    with pytest.raises(Conflict) as refused:
        await apply(house, body(line("A")))
    assert refused.value.rule.code == "budget_plan_closed"


async def test_an_edit_names_the_version_it_read(house: House) -> None:
    await hear_plan(house, status="draft")
    await apply(house, body(line("A")), if_match=0)
    with pytest.raises(PreconditionFailed) as refused:
        await apply(house, body(line("B")), if_match=0)
    assert (refused.value.rule.code, refused.value.values) == ("stale_version", {"current": 1, "asked": 0})
    await apply(house, body(line("B")), if_match=1)


async def test_the_budget_of_a_draft_is_announced_to_its_unit_only(house: House) -> None:
    await hear_plan(house, status="draft")
    await apply(house, body(line("A")))
    async with house.database("budget").read() as db:
        row = (await db.execute(text("SELECT is_public, commune, province, data FROM outbox"))).one()
    assert (row.is_public, row.commune, row.province, row.data["client_id"]) == (False, "25345", "75", "tester")


async def test_a_write_is_audited_with_old_and_new_values(house: House) -> None:
    await hear_plan(house)
    await apply(house, body(line("A")))
    await apply(house, body(line("A", amount_vnd=5)), correction="Nhập sai số tiền")
    async with house.database("budget").read() as db:
        rows = (await db.execute(text("SELECT action, subject, commune, old, new FROM audit ORDER BY id"))).all()
    assert [(row.action, row.subject, row.commune) for row in rows] == [("budget.applied", PLAN, "25345")] * 2
    assert rows[0].old == {"lines/A": None}
    assert rows[1].old["lines/A"]["amount_vnd"] == 30_000_000
    assert rows[1].new["lines/A"]["amount_vnd"] == 5
    assert rows[1].new["lines/A"]["title_vi"] == "Tập huấn kỹ năng số"
    assert [row.new["reason"] for row in rows] == [None, "Nhập sai số tiền"]


async def test_the_number_of_statements_does_not_grow_with_the_lines(house: House) -> None:
    await hear_plan(house, status="draft")
    counts = []
    for size in (1, 200):
        content = body(
            *(line(f"L{size}.{n}") for n in range(size)),
            groups=tuple(group(f"G{size}.{n}", cell(f"C{size}.{n}", f"L{size}.{n}")) for n in range(size)),
        )
        with house.statements("budget") as statements:
            await apply(house, content)
        counts.append(len(statements))
    assert counts == [20, 20]


async def test_an_unchanged_body_takes_nine_statements(house: House) -> None:
    await hear_plan(house)
    content = body(line("A"), groups=(group("G", cell("C", "A")),))
    await apply(house, content)
    with house.statements("budget") as statements:
        await apply(house, content)
    assert len(statements) == 9


async def test_long_changes_come_in_several_events_of_consecutive_versions(house: House) -> None:
    await hear_plan(house)
    applied = await apply(house, body(*(line(f"L{n}") for n in range(500))))
    events = await announced(house)
    assert [version for _, version, _, _ in events] == list(range(1, len(events) + 1))
    assert len(events) == 2
    assert applied["version"] == 2
    assert [change["key"] for _, _, _, changes in events for change in changes] == [f"L{n}" for n in range(500)]


def test_parts_of_changes_never_leave_one_out() -> None:
    changes = [{"key": str(n), "new": "x" * 20_000} for n in range(5)]
    assert [[change["key"] for change in part] for part in parts_of(changes)] == [["0", "1"], ["2", "3"], ["4"]]
    assert list(parts_of([])) == []


async def test_a_budget_is_read_back_whole(house: House) -> None:
    await hear_plan(house, budget_total_vnd=30_000_000)
    await apply(house, body(line("A"), groups=(group("G", cell("C", "A")),)))
    async with house.database("budget").read() as db:
        with house.statements("budget") as statements:
            document, version = await service.get_budget(db, house.caller(), PLAN, None)
    assert len(statements) == 4
    assert version == 1
    assert (document["amount_vnd"], document["stated_total_vnd"], document["has_budget"]) == (
        30_000_000,
        30_000_000,
        True,
    )
    assert [entry["key"] for entry in document["lines"]] == ["A"]
    assert document["groups"][0]["lines"] == ["A"]


async def test_a_plan_without_a_budget_is_read_plainly(house: House) -> None:
    await hear_plan(house)
    async with house.database("budget").read() as db:
        document, version = await service.get_budget(db, house.caller(), PLAN, None)
    assert (document["has_budget"], document["lines"], document["groups"], document["amount_vnd"]) == (False, [], [], 0)
    assert version == 0


async def test_listings_are_pure(house: House) -> None:
    listing = service.list_lines(house.caller(), PlanFilter(), LineFilter(), None)
    assert listing.columns[:5] == ("plan_key", "admin_unit", "province", "year", "plan_status")
