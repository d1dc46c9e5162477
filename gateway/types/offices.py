"""Offices of a unit, as rows name them by slug."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from strawberry import Parent

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import OFFICES
from gateway.selection import asks_beyond
from gateway.types.enums import OfficeLevel
from gateway.types.fields import shown, told


def offices(field: str) -> Callable[..., Any]:
    """The offices a row names in one of its fields, with what their unit, else their province, calls them.

    Asking for slugs alone costs no call.
    """

    async def resolve(row: Parent[Row], info: Info) -> list[Row]:
        slugs: list[str] = row[field]
        if not slugs or not asks_beyond(info, "slug"):
            return [{"slug": slug} for slug in slugs]
        known = await _known(row, info)
        return [known.get(slug, {"slug": slug}) for slug in slugs]

    return resolve


async def _known(row: Row, info: Info) -> dict[str, Row]:
    units = {row["admin_unit"], row.get("province") or row["admin_unit"][:2]}
    lists = await asyncio.gather(*(info.context.loaders.rows(OFFICES, unit) for unit in sorted(units)))
    return {office["slug"]: office for office in (office for offices in lists for office in offices)}


@shown
class Office:
    """An office of one unit: who leads, coordinates, reports. The slug is its key; names only find it."""

    slug: str = told("Readable key within its unit.")
    name_vi: str | None = told("Name in Vietnamese; null: the unit no longer lists this office.")
    name_en: str | None = told("Name in English.")
    level: OfficeLevel | None = told("Where it stands.")
    aliases: list[str] | None = told("Spellings found in documents.")
    agency_code: str | None = told("Mã định danh điện tử, as stated; never derived.")
