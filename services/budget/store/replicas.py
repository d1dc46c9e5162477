"""Units, offices and plan headers as the plans service tells them; rows of an older version never win."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, delete, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.text import fold
from services.budget.store.tables import OFFICE, PLAN, UNIT, Plan

PUBLIC_STATUSES = ("issued", "amended", "closed")
Rows = Sequence[dict[str, Any]]


def visible(caller: Caller) -> ColumnElement[bool]:
    """Plans a caller may see: what is public, and everything of the units it covers."""
    if "*" in caller.admin_units:
        return true()
    units = caller.unit_codes
    return or_(PLAN.c.status.in_(PUBLIC_STATUSES), PLAN.c.admin_unit.in_(units), PLAN.c.province.in_(units))


async def find_plan(db: ReadSession, plan_key: str) -> Plan | None:
    """The header of one plan, whoever may see it."""
    return (await db.execute(select(Plan).where(PLAN.c.plan_key == plan_key))).scalar_one_or_none()


async def find_visible_plan(db: ReadSession, caller: Caller, plan_key: str) -> Plan | None:
    """The header of one plan, if the caller may see it."""
    found = await db.execute(select(Plan).where(PLAN.c.plan_key == plan_key, visible(caller)))
    return found.scalar_one_or_none()


async def load_offices(db: ReadSession, units: Sequence[str]) -> dict[str, str]:
    """The offices of some units: the slug behind every folded name, and behind itself."""
    columns = (OFFICE.c.slug, OFFICE.c.name_vi, OFFICE.c.aliases)
    slugs: dict[str, str] = {}
    for slug, name, aliases in await db.execute(select(*columns).where(OFFICE.c.admin_unit.in_(units))):
        slugs |= dict.fromkeys([*map(fold, [*aliases, name]), slug], slug)
    return slugs


async def keep_plans(db: Session, headers: Rows) -> None:
    """Take in plan headers that are newer than what is kept. One statement."""
    await _keep(db, PLAN, headers)


async def keep_offices(db: Session, offices: Rows) -> None:
    """Take in offices that are newer than what is kept. One statement."""
    await _keep(db, OFFICE, offices)


async def keep_admin_units(db: Session, validities: Rows) -> None:
    """Take in units, unless a newer version is kept: an older version's validities go first. Three statements.

    The validities of one code may come in several pages of one version, so equal versions add up.
    """
    newest = {row["code"]: row["version"] for row in validities}
    if not newest:
        return
    found = await db.execute(select(UNIT.c.code, UNIT.c.version).where(UNIT.c.code.in_(list(newest))))
    stored = {row.code: row.version for row in found}
    outdated = [code for code, version in stored.items() if version < newest[code]]
    await db.execute(delete(UNIT).where(UNIT.c.code.in_(outdated)))
    await _keep(db, UNIT, [row for row in validities if row["version"] >= stored.get(row["code"], 0)])


async def drop_admin_units(db: Session, removed: Rows) -> None:
    """Forget units that were removed."""
    for row in removed:
        await db.execute(delete(UNIT).where(UNIT.c.code == row["code"], UNIT.c.version < row["version"]))


async def drop_offices(db: Session, removed: Rows) -> None:
    """Forget offices that were removed."""
    for row in removed:
        is_it = (OFFICE.c.admin_unit == row["admin_unit"], OFFICE.c.slug == row["slug"])
        await db.execute(delete(OFFICE).where(*is_it, OFFICE.c.version < row["version"]))


async def forget_admin_units(db: Session) -> None:
    """Forget every unit, to hear of all of them anew."""
    await db.execute(delete(UNIT))


async def forget_offices(db: Session) -> None:
    """Forget every office, to hear of all of them anew."""
    await db.execute(delete(OFFICE))


async def forget_plans(db: Session) -> None:
    """Forget every plan header, to hear of all of them anew."""
    await db.execute(delete(PLAN))


async def _keep(db: Session, table: Table, rows: Rows) -> None:
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    latest = {tuple(row[key] for key in keys): row for row in sorted(rows, key=lambda row: row["version"])}
    statement = insert(table)
    values = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    newer = table.c.version < statement.excluded.version
    upsert = statement.on_conflict_do_update(index_elements=keys, set_=values, where=newer)
    await db.execute(upsert, list(latest.values()))
