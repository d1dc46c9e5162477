"""Catalogue entries: the integers of their codes, their versions, and who uses them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from chassis.database import ReadSession, Session
from chassis.history import SetDiff, apply_set, as_of
from chassis.listing import Listing
from chassis.text import fold
from services.indicators.domain.filters import CatalogueFilter
from services.indicators.store.tables import Indicator, Target, table_of
from services.indicators.store.visibility import Viewer, contains, plan_visible, plans

# What stands in the table as it stands on the wire.
_STORED = (
    "name_vi",
    "name_en",
    "pillar",
    "value_type",
    "measure_unit",
    "scale",
    "direction",
    "aggregation",
    "accumulation",
    "derived_from",
    "allows_above_100",
    "numerator_vi",
    "denominator_vi",
    "related",
    "note",
)
COLUMNS = ("code", *_STORED, "owner", "used_by")
indicators = table_of(Indicator)
targets = table_of(Target)


def list_indicators(viewer: Viewer, wanted: CatalogueFilter, known_at: datetime | None) -> Listing:
    """Catalogue entries by code, each with the units whose plans use it."""
    query = select(
        indicators.c.key.label("code"),
        func.nullif(indicators.c.owner, "").label("owner"),
        *(indicators.c[name] for name in _STORED),
        _used_by(viewer, known_at),
    ).where(as_of(Indicator, known_at))
    for column, values in (
        (indicators.c.key, wanted.codes),
        (indicators.c.owner, wanted.owners),
        (indicators.c.pillar, wanted.pillars),
        (indicators.c.value_type, wanted.value_types),
    ):
        if values:
            query = query.where(column.in_(values))
    if wanted.words:
        query = query.where(contains(indicators.c.search_text, wanted.words))
    return Listing(query, (indicators.c.key.label("code"),), COLUMNS)


def _used_by(viewer: Viewer, known_at: datetime | None) -> ColumnElement[Any]:
    users = (
        select(plans.c.admin_unit)
        .join(targets, targets.c.plan_key == plans.c.plan_key)
        .where(targets.c.indicator_id == indicators.c.indicator_id, as_of(Target, known_at))
        .where(plan_visible(viewer, known_at))
        .distinct()
        .correlate(indicators)
        .subquery("users")
    )
    codes = select(func.array_agg(aggregate_order_by(users.c.admin_unit, users.c.admin_unit))).scalar_subquery()
    return func.coalesce(codes, literal([], ARRAY(Text))).label("used_by")


async def find_indicator(
    db: ReadSession, viewer: Viewer, code: str, known_at: datetime | None
) -> dict[str, Any] | None:
    """One entry as it is listed, or None."""
    listing = list_indicators(viewer, CatalogueFilter(codes=[code]), known_at)
    row = (await db.execute(listing.query)).mappings().one_or_none()
    return dict(row) if row else None


async def load_entries(db: ReadSession) -> list[dict[str, Any]]:
    """Every entry in force, with its integer."""
    query = select(
        indicators.c.key.label("code"),
        indicators.c.owner,
        indicators.c.indicator_id,
        *(indicators.c[n] for n in _STORED),
    ).where(as_of(Indicator, None))
    return [dict(row) for row in (await db.execute(query)).mappings()]


async def number_codes(db: Session, codes: Collection[str]) -> dict[str, int]:
    """The integer of every code, made where it is new."""
    await db.execute(
        text(
            "INSERT INTO indicator_code (code) SELECT c FROM unnest(CAST(:codes AS text[])) c"
            " ORDER BY c ON CONFLICT DO NOTHING"
        ),
        {"codes": list(codes)},
    )
    found = await db.execute(
        text("SELECT code, id FROM indicator_code WHERE code = ANY(:codes)"), {"codes": list(codes)}
    )
    return {row.code: row.id for row in found}


async def apply_entries(
    db: Session, owner: str, entries: Sequence[Mapping[str, Any]], *, prune: bool, at: datetime
) -> SetDiff:
    """Make the entries of one owner say what the body says."""
    numbers = await number_codes(db, [entry["code"] for entry in entries])
    rows = [
        {
            "key": entry["code"],
            "indicator_id": numbers[entry["code"]],
            "search_text": fold(f"{entry['code']} {entry['name_vi']} {entry['name_en']}"),
            **{name: entry[name] for name in _STORED},
        }
        for entry in entries
    ]
    return await apply_set(db, Indicator, {"owner": owner}, rows, prune=prune, at=at)


async def load_used(db: ReadSession, codes: Collection[str]) -> list[str]:
    """Those of the codes that a target in force or a figure uses."""
    found = await db.execute(
        text(
            "SELECT c.code FROM indicator_code c WHERE c.code = ANY(:codes) AND ("
            " EXISTS (SELECT FROM target t WHERE t.indicator_id = c.id AND t.known_to IS NULL)"
            " OR EXISTS (SELECT FROM actual a WHERE a.indicator_id = c.id)) ORDER BY 1"
        ),
        {"codes": list(codes)},
    )
    return list(found.scalars())
