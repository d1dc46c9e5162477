"""Replicas of units, offices and plan headers: applied by set, newer versions only, harmless to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.replica import drop_older, keep_newest
from chassis.text import fold
from services.budget.store.tables import OFFICE, PLAN, UNIT, Plan
from services.budget.store.visibility import plan_visible

Rows = Sequence[Mapping[str, Any]]


async def keep_validities(db: Session, validities: Rows) -> None:
    """Validities of units, unless a newer version of them is kept. One statement.

    The validities of one code may come in several pages of one version.
    """
    await keep_newest(db, UNIT, validities, ["code", "valid_from"])


async def replace_units(db: Session, heads: Rows, validities: Rows) -> None:
    """Make the validities of units those of a version (code and version in `heads`), unless a newer one is kept."""
    told = {head["code"]: head["version"] for head in heads}
    kept = select(UNIT.c.code, func.max(UNIT.c.version)).where(UNIT.c.code.in_(list(told))).group_by(UNIT.c.code)
    newer = {code for code, version in await db.execute(kept) if version > told[code]}
    await db.execute(delete(UNIT).where(UNIT.c.code.in_([code for code in told if code not in newer])))
    await keep_validities(db, [row for row in validities if row["code"] not in newer])


async def forget_units(db: Session) -> None:
    """No unit is known, until a list says otherwise."""
    await db.execute(delete(UNIT))


async def keep_offices(db: Session, rows: Rows) -> None:
    """Offices, unless a newer version is kept. One statement."""
    await keep_newest(db, OFFICE, rows, ["admin_unit", "slug"])


async def drop_offices(db: Session, removed: Rows) -> None:
    """Offices that their units no longer have; a later return of one stays."""
    await drop_older(db, OFFICE, removed, ["admin_unit", "slug"])


async def forget_offices(db: Session) -> None:
    """No office is known, until a list says otherwise."""
    await db.execute(delete(OFFICE))


async def keep_plans(db: Session, headers: Rows) -> None:
    """Plan headers, unless a newer version is kept. One statement."""
    await keep_newest(db, PLAN, headers, ["plan_key"])


async def forget_plans(db: Session) -> None:
    """No plan is known, until a list says otherwise."""
    await db.execute(delete(PLAN))


async def find_visible_plan(
    db: ReadSession, caller: Caller, plan_key: str, known_at: datetime | None = None
) -> Plan | None:
    """The header of one plan, if the caller may see what was known of it."""
    found = await db.execute(select(Plan).where(PLAN.c.plan_key == plan_key, plan_visible(caller, known_at)))
    return found.scalar_one_or_none()


async def load_offices(db: ReadSession, units: Sequence[str]) -> dict[str, str]:
    """The offices of some units: the slug behind every folded name, and behind itself."""
    columns = (OFFICE.c.slug, OFFICE.c.name_vi, OFFICE.c.aliases)
    slugs: dict[str, str] = {}
    for slug, name, aliases in await db.execute(select(*columns).where(OFFICE.c.admin_unit.in_(units))):
        slugs |= dict.fromkeys([*map(fold, [*aliases, name]), slug], slug)
    return slugs
