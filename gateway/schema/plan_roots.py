"""Roots of plans."""

from __future__ import annotations

from typing import Annotated

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import PLANS
from gateway.schema.pages import DEFAULT_PAGE, After, First, read_page
from gateway.types.enums import PlanStatus
from gateway.types.scorecards import KnownAt, argument

PlanKey = Annotated[str, argument("Readable key: unit, year, kind.")]


async def plan(info: Info, plan_key: PlanKey, known_at: KnownAt = None) -> Row | None:
    """A plan by its key, now or as it was known at a moment, with everything that hangs on it."""
    found = await info.context.loaders.first(PLANS, plan_key, known_at=known_at)
    return found and {**found, "known_at": known_at}


async def plans(  # noqa: PLR0913  # the arguments of the field
    info: Info,
    *,
    province: Annotated[str | None, argument("Code of a province.")] = None,
    admin_unit: Annotated[list[str] | None, argument("Codes of units.")] = None,
    year: Annotated[int | None, argument("Year, also within a phase.")] = None,
    kind: Annotated[str | None, argument("Kind of plan.")] = None,
    status: Annotated[list[PlanStatus] | None, argument("Of these states only.")] = None,
    q: Annotated[str | None, argument("Words of title or number, with or without accents.")] = None,
    first: First = DEFAULT_PAGE,
    after: After = None,
) -> Row:
    """Plans by unit."""
    filters = {
        "province": province,
        "admin_unit": admin_unit,
        "year": year,
        "kind": kind,
        "status": status,
        "q": q,
    }
    return await read_page(info, "plans", PLANS.path, first, after, filters)
