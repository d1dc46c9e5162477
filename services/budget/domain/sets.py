"""The body of a budget as it is kept: rows of lines, groups and cells, with what follows from what is stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.decimals import plain
from chassis.execution_time import implied_days
from chassis.text import fold

Row = dict[str, Any]
INDEX_CODES = ("chapter_code", "category_code", "clause_code", "item_code", "subitem_code")


def budget_sets(given: Mapping[str, Any], plan_year: int) -> dict[str, list[Row]]:
    """Rows of a sound body, each with its place from 1; cells carry the key of their group."""
    lines = [_line_row(line, at, plan_year) for at, line in enumerate(given["lines"], 1)]
    groups = [_group_row(group, at) for at, group in enumerate(given["groups"], 1)]
    cells = [
        {**cell, "group_key": group["key"], "position": at}
        for group in given["groups"]
        for at, cell in enumerate(group["cells"], 1)
    ]
    return {"lines": lines, "groups": groups, "cells": cells}


def _line_row(line: Mapping[str, Any], position: int, plan_year: int) -> Row:
    days = implied_days(line["execution_time_kind"], line["execution_time"])
    quantity = line["quantity"] or {}
    index = line["budget_index"] or {}
    return {
        **{name: value for name, value in line.items() if name not in ("quantity", "budget_index")},
        "starts_on": days.starts_on,
        "ends_on": days.ends_on,
        "budget_years": sorted(set(line["budget_years"] or days.years or [plan_year])),
        "quantity_value": plain(quantity["value"]) if quantity else None,
        "quantity_unit": quantity.get("unit"),
        "index_version": index.get("version"),
        **{name: index.get(name) for name in INDEX_CODES},
        "position": position,
        "search_text": _folded(line, "key", "number", "title_vi", "title_en", "scope_vi", "funding_source"),
    }


def _group_row(group: Mapping[str, Any], position: int) -> Row:
    own = {name: value for name, value in group.items() if name != "cells"}
    return {**own, "position": position, "search_text": _folded(group, "key", "number", "title_vi")}


def _folded(item: Mapping[str, Any], *fields: str) -> str:
    return fold(" ".join(item[field] for field in fields if item[field]))
