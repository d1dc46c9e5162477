"""Statements on administrative units."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, insert, literal, or_, select, union, update
from sqlalchemy.orm import aliased

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.history import as_of, content_hash
from chassis.listing import Listing
from chassis.text import fold, sort_key
from services.plans.domain.filters import PlanFilter, UnitFilter
from services.plans.domain.plans import PUBLIC_STATUSES
from services.plans.domain.units import PROVINCE_TYPES
from services.plans.store.columns import among
from services.plans.store.headers import headers_of_unit, in_year
from services.plans.store.heads import version_column
from services.plans.store.tables import AdminUnit, Office, Plan
from services.plans.store.visibility import contains

VALIDITY = ("code", "name_vi", "name_en", "type", "province_code", "agency_code", "valid_from", "valid_to")
UNIT_ROW = (*VALIDITY, "version")
BY_NAME = (AdminUnit.sort_key, AdminUnit.code, AdminUnit.valid_from)
BY_CODE = (AdminUnit.code, AdminUnit.valid_from)


def list_units(wanted: UnitFilter, known_at: datetime | None) -> Listing:
    """Units in the order of a Vietnamese dictionary; every validity (no `on`) in the order of codes."""
    order: Any = BY_NAME if wanted.on else BY_CODE
    return Listing(_units(wanted, known_at), order, UNIT_ROW)


def list_units_with_plans(caller: Caller, wanted: UnitFilter, known_at: datetime | None, plans: PlanFilter) -> Listing:
    """The same, each with the headers of its plans, in one statement."""
    headers = headers_of_unit(caller, AdminUnit.code, plans, known_at).label("plans")
    order: Any = BY_NAME if wanted.on else BY_CODE
    return Listing(_units(wanted, known_at).add_columns(headers), order, (*UNIT_ROW, "plans"))


def _units(wanted: UnitFilter, known_at: datetime | None) -> Select[Any]:
    columns: list[Any] = [getattr(AdminUnit, name) for name in (*VALIDITY, "sort_key")]
    version = version_column(AdminUnit.code)
    return select(*columns, version).where(*_narrowed(wanted, known_at))


def _narrowed(wanted: UnitFilter, known_at: datetime | None) -> list[ColumnElement[bool]]:
    unit: Any = AdminUnit
    where = [as_of(unit, known_at)]
    if wanted.on is not None:
        where.append(_holds(unit, wanted.on))
    if wanted.codes:
        where.append(unit.code.in_(wanted.codes))
    if wanted.provinces:
        where.append(unit.province_code.in_(wanted.provinces))
    if wanted.types:
        where.append(unit.type.in_(wanted.types))
    if wanted.words:
        where.append(contains(unit.search_text, wanted.words))
    return where


def _holds(unit: Any, on: date) -> ColumnElement[bool]:
    return and_(unit.valid_from <= on, or_(unit.valid_to.is_(None), unit.valid_to > on))


def list_missing(province: str, year: int, on: date, known_at: datetime | None) -> Listing:
    """Communes of a province, valid on a day, without a plan issued for the year."""
    unit: Any = AdminUnit
    plan: Any = aliased(Plan)
    has_plan = exists().where(
        plan.admin_unit == unit.code,
        as_of(plan, known_at),
        plan.status.in_(PUBLIC_STATUSES),
        in_year(plan, year),
    )
    query = select(
        unit.code.label("admin_unit"),
        unit.name_vi,
        unit.name_en,
        unit.type,
        unit.province_code.label("province"),
        literal(year).label("year"),
        unit.sort_key,
        unit.code,
    ).where(as_of(unit, known_at), _holds(unit, on), unit.province_code == province, ~has_plan)
    columns = ("admin_unit", "name_vi", "name_en", "type", "province", "year")
    return Listing(query, (unit.sort_key, unit.code), columns)


async def load_validities(db: ReadSession, codes: Collection[str] | None = None) -> Sequence[AdminUnit]:
    """Every present validity of some codes (None: of all), oldest first."""
    unit: Any = AdminUnit
    query: Select[Any] = select(unit).where(unit.known_to.is_(None)).order_by(unit.code, unit.valid_from)
    if codes is not None:
        query = query.where(among(unit.code, codes))
    found: Sequence[AdminUnit] = (await db.execute(query)).scalars().all()
    return found


async def load_provinces(db: ReadSession) -> Sequence[AdminUnit]:
    """Every present validity of a province or centrally run city."""
    unit: Any = AdminUnit
    query = select(unit).where(unit.known_to.is_(None), unit.type.in_(PROVINCE_TYPES))
    return (await db.execute(query)).scalars().all()


async def load_used_codes(db: ReadSession, codes: Collection[str]) -> list[str]:
    """Those of the codes that a plan or an office belongs to."""
    office: Any = Office
    plan: Any = Plan
    used = union(
        select(plan.admin_unit).where(plan.known_to.is_(None), among(plan.admin_unit, codes)),
        select(office.admin_unit).where(office.known_to.is_(None), among(office.admin_unit, codes)),
    )
    return sorted((await db.execute(used)).scalars())


async def replace_validities(
    db: Session, codes: Collection[str], rows: Iterable[Mapping[str, Any]], at: datetime
) -> None:
    """Close what was known of the codes and write what is known now: two statements, whatever the number."""
    unit: Any = AdminUnit
    await db.execute(
        update(unit)
        .where(unit.known_to.is_(None), among(unit.code, codes))
        .values(known_to=at)
        .execution_options(synchronize_session=False)
    )
    written = [_kept(row, at) for row in rows]
    if written:
        await db.execute(insert(unit).execution_options(render_nulls=True), written)


def _kept(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {
        **row,
        "known_from": at,
        "content_hash": content_hash(row),
        "sort_key": sort_key(row["name_vi"]),
        "search_text": f"{fold(row['name_vi'])} {fold(row['name_en'])} {row['code']}",
    }


async def load_rows(db: ReadSession, listing: Listing) -> list[dict[str, Any]]:
    """Every row of a short list."""
    found = await db.execute(listing.query.order_by(*listing.order))
    return [{name: row[name] for name in listing.columns} for row in found.mappings()]
