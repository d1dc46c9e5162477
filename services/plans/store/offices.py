"""Statements on offices and office kinds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all

from chassis.database import ReadSession, Session
from chassis.history import SetDiff, apply_set, as_of
from chassis.listing import Listing
from chassis.text import fold, sort_key
from services.plans.domain.filters import OfficeFilter
from services.plans.domain.items import OFFICE_FIELDS
from services.plans.domain.offices import alias_keys
from services.plans.store.heads import version_column
from services.plans.store.item_tables import ITEM_TABLES
from services.plans.store.tables import AdminUnit, Office, OfficeKind, Plan
from services.plans.store.visibility import contains

KIND_FIELDS = ("slug", "name_vi", "name_en", "level", "aliases", "note")
OFFICE_ROW = ("admin_unit", "slug", "name_vi", "name_en", "level", "aliases", "agency_code", "version")


def list_kinds(wanted: OfficeFilter, known_at: datetime | None) -> Listing:
    """Office kinds in the order of a Vietnamese dictionary."""
    kind: Any = OfficeKind
    query = select(
        kind.key, kind.key.label("slug"), kind.name_vi, kind.name_en, kind.level, kind.aliases, kind.note, kind.sort_key
    ).where(as_of(kind, known_at))
    if wanted.slugs:
        query = query.where(kind.key.in_(wanted.slugs))
    if wanted.levels:
        query = query.where(kind.level.in_(wanted.levels))
    if wanted.words:
        query = query.where(contains(kind.search_text, wanted.words))
    if wanted.alias:
        query = query.where(kind.alias_keys.contains([fold(wanted.alias)]))
    return Listing(query, (kind.sort_key, kind.key), KIND_FIELDS)


def list_offices(wanted: OfficeFilter, known_at: datetime | None) -> Listing:
    """Offices of units, with what their kinds give them."""
    office: Any = Office
    query = _offices(known_at)
    if wanted.admin_units:
        query = query.where(office.admin_unit.in_(wanted.admin_units))
    if wanted.slugs:
        query = query.where(office.key.in_(wanted.slugs))
    if wanted.levels:
        query = query.where(_effective("level").in_(wanted.levels))
    if wanted.words:
        kind: Any = OfficeKind
        query = query.where(or_(contains(office.search_text, wanted.words), contains(kind.search_text, wanted.words)))
    if wanted.alias:
        query = query.where(_known_as(wanted.alias))
    return Listing(query, (office.admin_unit, office.key), OFFICE_ROW)


def _offices(known_at: datetime | None) -> Select[Any]:
    office: Any = Office
    kind: Any = OfficeKind
    return (
        select(
            office.admin_unit,
            office.key,
            office.key.label("slug"),
            _effective("name_vi").label("name_vi"),
            _effective("name_en").label("name_en"),
            _effective("level").label("level"),
            (office.aliases + func.coalesce(kind.aliases, _no_texts())).label("aliases"),
            office.agency_code,
            version_column(office.admin_unit + "/" + office.key),
        )
        .outerjoin(kind, and_(kind.key == office.key, as_of(kind, known_at)))
        .where(as_of(office, known_at))
    )


def _no_texts() -> ColumnElement[Any]:
    return literal([], type_=OfficeKind.__table__.c.aliases.type)  # type: ignore[attr-defined]


def _effective(name: str) -> ColumnElement[Any]:
    return func.coalesce(getattr(Office, name), getattr(OfficeKind, name))


def _known_as(alias: str) -> ColumnElement[bool]:
    office: Any = Office
    kind: Any = OfficeKind
    asked = [fold(alias)]
    return or_(office.alias_keys.contains(asked), kind.alias_keys.contains(asked))


async def load_kinds(db: ReadSession) -> Sequence[OfficeKind]:
    """Every present kind."""
    kind: Any = OfficeKind
    return (await db.execute(select(kind).where(kind.known_to.is_(None)))).scalars().all()


@dataclass(frozen=True, slots=True)
class NamedOffice:
    """A slug a plan of some unit may name, with the folded names behind it."""

    slug: str
    alias_keys: Sequence[str]


async def load_nameable(db: ReadSession, admin_units: Collection[str]) -> list[NamedOffice]:
    """Every kind, and the offices of the units (a commune and its province), in one statement."""
    office: Any = Office
    kind: Any = OfficeKind
    query = union_all(
        select(kind.key, kind.alias_keys).where(kind.known_to.is_(None)),
        select(office.key, office.alias_keys).where(office.known_to.is_(None), office.admin_unit.in_(admin_units)),
    )
    return [NamedOffice(key, aliases) for key, aliases in await db.execute(query)]


async def load_offices(db: ReadSession, slugs: Collection[str], admin_unit: str | None) -> list[dict[str, Any]]:
    """Present offices of some kinds as they are served, with their province: of one unit, or of all."""
    office: Any = Office
    unit: Any = AdminUnit
    province = (
        select(unit.province_code)
        .where(unit.code == office.admin_unit, unit.known_to.is_(None))
        .order_by(unit.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = _offices(None).add_columns(province.label("province")).where(office.key.in_(slugs))
    if admin_unit is not None:
        query = query.where(office.admin_unit == admin_unit)
    found = await db.execute(query.order_by(office.admin_unit, office.key))
    return [{name: row[name] for name in (*OFFICE_ROW, "province")} for row in found.mappings()]


async def load_own(db: ReadSession, admin_unit: str) -> dict[str, dict[str, Any]]:
    """What the present offices of a unit say themselves, without what their kinds give them."""
    office: Any = Office
    fields = ("name_vi", "name_en", "level", "aliases", "agency_code")
    query = select(office.key, *(getattr(office, name) for name in fields))
    found = await db.execute(query.where(office.known_to.is_(None), office.admin_unit == admin_unit))
    return {row["key"]: {name: row[name] for name in fields} for row in found.mappings()}


async def apply_kinds(db: Session, rows: Sequence[Mapping[str, Any]], *, prune: bool, at: datetime) -> SetDiff:
    """Make the shared list say what the body says."""
    return await apply_set(db, OfficeKind, {}, [_kind_row(row) for row in rows], prune=prune, at=at)


async def apply_offices(
    db: Session, admin_unit: str, rows: Sequence[Mapping[str, Any]], *, prune: bool, at: datetime
) -> SetDiff:
    """Make the offices of one unit be what the body says."""
    kept = [_office_row(row) for row in rows]
    return await apply_set(db, Office, {"admin_unit": admin_unit}, kept, prune=prune, at=at)


def _kind_row(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (row["name_vi"], row["name_en"], *row["aliases"])
    return {
        **_keyed(row),
        "alias_keys": alias_keys(row["name_vi"], row["aliases"]),
        "sort_key": sort_key(row["name_vi"]),
        "search_text": " | ".join(fold(words) for words in names),
    }


def _office_row(row: Mapping[str, Any]) -> dict[str, Any]:
    names = [words for words in (row["name_vi"], row["name_en"], *row["aliases"]) if words]
    own = [words for words in (row["name_vi"], *row["aliases"]) if words]
    return {
        **_keyed(row),
        "alias_keys": sorted({fold(words) for words in own}),
        "search_text": " | ".join(fold(words) for words in names),
    }


def _keyed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": row["slug"], **{name: value for name, value in row.items() if name != "slug"}}


async def load_used_slugs(db: ReadSession, slugs: Collection[str], unit_or_province: str | None) -> list[str]:
    """Those of the slugs that present plans name (of one unit, or of a province's communes; None: of all)."""
    plan: Any = Plan
    named = union_all(
        *(_named_in(ITEM_TABLES[name], field) for name, fields in OFFICE_FIELDS.items() for field in fields),
        select(plan.standing_office.label("slug"), plan.plan_key).where(plan.known_to.is_(None)),
    ).subquery("named")
    query = (
        select(named.c.slug)
        .distinct()
        .join(plan, plan.plan_key == named.c.plan_key)
        .where(plan.known_to.is_(None), named.c.slug.in_(slugs))
    )
    if unit_or_province is not None:
        query = query.where(or_(plan.admin_unit == unit_or_province, plan.province == unit_or_province))
    return sorted((await db.execute(query)).scalars())


def _named_in(table: Any, field: str) -> Select[Any]:
    return select(func.unnest(getattr(table, field)).label("slug"), table.plan_key).where(table.known_to.is_(None))


async def load_kinds_of_units(db: ReadSession, slugs: Collection[str]) -> list[str]:
    """Those of the slugs that some unit has an office of."""
    office: Any = Office
    query = select(office.key).distinct().where(office.known_to.is_(None), office.key.in_(slugs))
    return sorted((await db.execute(query)).scalars())
