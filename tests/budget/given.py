"""What tests of budgets start from: a plan as it was heard of, its offices, and sound bodies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.budget.service import hearing
from tests.house import House

PLAN = "25345-2026-digital-transformation"
URL = f"/v1/budget/lines/{PLAN}"


def header(plan_key: str = PLAN, **fields: Any) -> dict[str, Any]:
    """The header of a plan as the plans service tells it."""
    given = {
        "plan_key": plan_key,
        "plan_id": UUID(int=0x25345),
        "admin_unit": plan_key[:5],
        "province": "75",
        "year": 2026,
        "kind": "digital_transformation",
        "revision": 1,
        "status": "issued",
        "title_vi": "Kế hoạch chuyển đổi số năm 2026",
        "version": 1,
        "budget_total_vnd": None,
        "budget_rules": [],
    }
    told = {**given, **fields}
    is_draft = told["status"] == "draft"
    return {"public_from": None if is_draft else "2026-03-25T02:00:00Z", **told}


async def hear_plan(house: House, plan_key: str = PLAN, **fields: Any) -> None:
    """The budget service hears of a plan, and of the two offices of its unit."""
    heard = header(plan_key, **fields)
    offices = [
        {"slug": "phong-vhxh", "name_vi": "Phòng Văn hóa - Xã hội", "aliases": ["Phòng VH-XH"]},
        {"slug": "cong-an-xa", "name_vi": "Công an xã", "aliases": []},
    ]
    rows = [{**office, "admin_unit": heard["admin_unit"], "level": "commune", "version": 1} for office in offices]
    await house.follow()  # what is heard from here on comes after the lists
    async with house.database("budget").write() as db:
        await hearing.hear_plans(db, [heard])
        await hearing.hear_offices(db, rows)


def line(key: str = "A", **fields: Any) -> dict[str, Any]:
    """A sound line."""
    return {
        "key": key,
        "title_vi": "Tập huấn kỹ năng số",
        "amount_vnd": 30_000_000,
        "expenditure_kind": "recurrent",
        "pillar": "human_resources",
        "lead_offices": ["phong-vhxh"],
        **fields,
    }


def group(key: str, *cells: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A sound group of cells; its amount is their sum."""
    amount = sum(cell["amount_vnd"] for cell in cells) or 1
    given = {"key": key, "title_vi": "Nhân lực số", "pillars": ["human_resources"], "amount_vnd": amount}
    return {**given, "cells": list(cells), **fields}


def cell(key: str, *lines: str, amount_vnd: int = 30_000_000) -> dict[str, Any]:
    """A sound cell."""
    return {"key": key, "scope_vi": "tập huấn", "amount_vnd": amount_vnd, "lines": list(lines)}


def body(*lines: dict[str, Any], groups: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """The body of a budget."""
    return {"lines": list(lines), "groups": list(groups)}


async def put(house: House, content: dict[str, Any], url: str = URL, **params: Any) -> Any:
    """Apply a budget as the administrator; it must succeed."""
    response = await house.client.put(url, json=content, params=params, headers=house.admin)
    assert response.status_code == 200, response.text
    return response.json()


async def rows(house: House, path: str, headers: dict[str, str] | None = None, **params: Any) -> list[dict[str, Any]]:
    """The rows of a list, read to its end in small pages."""
    found: list[dict[str, Any]] = []
    query = {"limit": 7, **params}
    while True:
        response = await house.client.get(f"/v1/budget/{path}", params=query, headers=headers or house.admin)
        assert response.status_code == 200, response.text
        page = response.json()
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]
