"""Replicas of units, offices and plan headers: applied by set, newer versions only, harmless to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from chassis.database import ReadSession, Session
from chassis.replica import drop_older, keep_newest
from chassis.replies import encode
from chassis.text import fold
from services.indicators.store.tables import Office, table_of
from services.indicators.store.visibility import Viewer, plan_visible, plans, units

Rows = Sequence[Mapping[str, Any]]
offices = table_of(Office)


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What this service needs to know of a plan, with its unit's integer."""

    plan_key: str
    admin_unit_id: int
    admin_unit: str
    province: str
    year: int
    revision: int
    status: str
    public_from: datetime | None

    @property
    def is_public(self) -> bool:
        """Whether everybody may read the plan."""
        return self.public_from is not None


async def keep_validities(db: Session, validities: Rows) -> None:
    """Validities of units, unless a newer version of their unit is kept. Two statements.

    The validities of one code may come in several pages of one version.
    """
    in_time = sorted(validities, key=lambda row: row["valid_from"])
    named = [{**row, "search_text": fold(row["name_vi"])} for row in in_time]
    await keep_newest(db, units, named, ["code"])
    await db.execute(
        text(
            "INSERT INTO admin_unit_validity (admin_unit_id, valid_from, valid_to, name_vi, type, province_code)"
            " SELECT u.id, n.valid_from, n.valid_to, n.name_vi, n.type, n.province_code"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(code text, version bigint, name_vi text, type text,"
            " province_code text, valid_from date, valid_to date)"
            " JOIN admin_unit u ON u.code = n.code AND u.version <= n.version"
            " ON CONFLICT (admin_unit_id, valid_from) DO UPDATE SET valid_to = excluded.valid_to,"
            " name_vi = excluded.name_vi, type = excluded.type, province_code = excluded.province_code"
        ),
        {"rows": encode(validities).decode()},
    )


async def replace_units(db: Session, heads: Rows, validities: Rows) -> None:
    """Make the validities of units those of a version (code and version in `heads`), unless a newer one is kept.

    A unit that was removed keeps its integer, which figures refer to, and has no validity.
    """
    await db.execute(
        text(
            "WITH u AS (UPDATE admin_unit SET version = n.version"
            " FROM jsonb_to_recordset(CAST(:heads AS jsonb)) AS n(code text, version bigint)"
            " WHERE admin_unit.code = n.code AND admin_unit.version <= n.version RETURNING admin_unit.id)"
            " DELETE FROM admin_unit_validity v USING u WHERE v.admin_unit_id = u.id"
        ),
        {"heads": encode(heads).decode()},
    )
    await keep_validities(db, validities)


async def forget_units(db: Session) -> None:
    """No unit is valid any more and any version counts, until a list says otherwise; their integers stay."""
    await db.execute(text("DELETE FROM admin_unit_validity"))
    await db.execute(text("UPDATE admin_unit SET version = 0"))


async def keep_offices(db: Session, rows: Rows) -> None:
    """Offices, unless a newer version is kept. One statement."""
    await keep_newest(db, offices, rows, ["admin_unit", "slug"])


async def drop_offices(db: Session, removed: Rows) -> None:
    """Offices that their units no longer have; a later return of one stays."""
    await drop_older(db, offices, removed, ["admin_unit", "slug"])


async def forget_offices(db: Session) -> None:
    """No office is known, until a list says otherwise."""
    await db.execute(text("DELETE FROM office"))


async def keep_plans(db: Session, headers: Rows) -> None:
    """Plan headers, unless a newer version is kept. One statement."""
    await keep_newest(db, plans, headers, ["plan_key"])


async def forget_plans(db: Session) -> None:
    """No plan is known, until a list says otherwise."""
    await db.execute(text("DELETE FROM plan"))


async def find_visible_plan(
    db: ReadSession, viewer: Viewer, plan_key: str, known_at: datetime | None = None
) -> PlanHeader | None:
    """A plan's header with its unit's integer, if the caller may see what was known of it."""
    names = ("plan_key", "admin_unit", "province", "year", "revision", "status", "public_from")
    columns = (plans.c[name] for name in names)
    found = await db.execute(
        select(*columns, units.c.id.label("admin_unit_id"))
        .join_from(plans, units, units.c.code == plans.c.admin_unit)
        .where(plans.c.plan_key == plan_key, plan_visible(viewer, known_at))
    )
    row = found.mappings().one_or_none()
    return PlanHeader(**row) if row else None


async def find_unit(db: ReadSession, code: str) -> tuple[str, str] | None:
    """A unit's code and its province's (a province's own), or None for an unknown or removed unit."""
    found = await db.execute(
        text(
            "SELECT code, coalesce(province_code, code) AS province FROM admin_unit u WHERE code = :code"
            " AND EXISTS (SELECT FROM admin_unit_validity v WHERE v.admin_unit_id = u.id)"
        ),
        {"code": code},
    )
    row = found.one_or_none()
    return (row.code, row.province) if row else None
