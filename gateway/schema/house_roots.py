"""Roots about the house itself: global ids, the change feeds, versions."""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from chassis.settings import SERVICES
from gateway.clients import Row, UpstreamAway, UpstreamBroken, selects_nothing
from gateway.context import Info
from gateway.loaders import BUDGET_LINES_OF_PLAN, INDICATORS, PLANS, TARGETS, TASKS, UNITS
from gateway.schema.pages import LARGEST_PAGE, First, check_first
from gateway.types.enums import ServiceName
from gateway.types.fields import shown, told
from gateway.types.nodes import named_unit, read_node_id
from gateway.types.scalars import Cursor, DateTime
from gateway.types.scorecards import argument

ALONE = {"Plan": PLANS, "Indicator": INDICATORS}
IN_PLAN = {"Task": TASKS, "Target": TARGETS, "BudgetLine": BUDGET_LINES_OF_PLAN}


async def node(info: Info, id: Annotated[strawberry.ID, argument("Global id of a thing.")]) -> Row | None:  # noqa: A002
    """A thing by its global id; null: there is none, or the caller may not see it."""
    kind, key = read_node_id(id)
    if kind in ("Commune", "Province"):
        unit = await info.context.loaders.first(UNITS, key)
        return unit and named_unit(unit)
    if kind in ALONE:
        found = await info.context.loaders.first(ALONE[kind], key)
        return found and {**found, "__typename": kind}
    if kind in IN_PLAN:
        plan_key, _, item = key.partition("/")
        rows = await info.context.loaders.rows(IN_PLAN[kind], plan_key)
        return next(({**row, "__typename": kind} for row in rows if row["key"] == item), None)
    return None


@shown
class Change:
    """One change, as a CloudEvent."""

    id: strawberry.ID = told("Id of the event; the same event may come twice.")
    type: str = told("Event type, such as vn.chitieu.plans.plan.issued.v1.")
    subject: str = told("What changed: the code of a unit, or the key of a plan.")
    time: DateTime = told("When it was recorded.")
    data: JSON = told("The change, as the event type's schema says.")


@shown
class ChangePage:
    """Changes after a cursor, in the order they happened, none left out."""

    items: list[Change] = told("The changes.")
    next: Cursor = told("Ask from here for what comes after.")
    head: Cursor | None = told("Where the feed ends now.")


async def changes(  # noqa: PLR0913  # the arguments of the field
    info: Info,
    *,
    service: Annotated[ServiceName, argument("Whose feed; each service has its own order.")],
    after: Annotated[Cursor | None, argument("Cursor of the page before; from the beginning where absent.")] = None,
    types: Annotated[list[str] | None, argument("Event types.")] = None,
    province: Annotated[list[str] | None, argument("Codes of provinces.")] = None,
    commune: Annotated[list[str] | None, argument("Codes of communes.")] = None,
    first: First = LARGEST_PAGE // 2,
) -> Row:
    """Changes of one service after a cursor.

    Raises:
        Refused: more than a page may hold ("first_out_of_range").
    """
    check_first(first)
    path = f"/v1/{service.value}/changes"
    filters = {"types": types, "province": province, "commune": commune}
    if selects_nothing(filters):
        page = await info.context.services.page(service.value, path, {"after": after, "limit": 1})
        return {"items": [], "next": page["head"], "head": page["head"]}
    return await info.context.services.page(service.value, path, {**filters, "after": after, "limit": first})


@shown
class ServiceMeta:
    """One service as the gateway sees it now."""

    name: ServiceName = told("Which.")
    is_available: bool = told("Whether it answers.")
    version: str | None = told("Version of its software.")
    epoch: str | None = told("Epoch of its feed; a new one makes every older cursor expire.")
    data_version: int | None = told("Position of its last change.")


@shown
class Meta:
    """Versions of software and data."""

    version: str = told("Version of the gateway's software.")
    services: list[ServiceMeta] = told("The services behind it.", size=3)


async def meta(info: Info) -> Row:
    """Versions of software and data, also while a service is away."""
    found = await asyncio.gather(*(_meta_of(info, name) for name in SERVICES))
    return {"version": metadata.version("chitieu"), "services": found}


async def _meta_of(info: Info, name: str) -> Row:
    try:
        answered = await info.context.services.page(name, f"/v1/{name}/meta", {})
    except (UpstreamAway, UpstreamBroken):
        return {"name": name, "is_available": False}
    return {**answered, "name": name, "is_available": True}
