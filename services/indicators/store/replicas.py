"""Replicas of units, offices and plan headers: applied by set, newer versions only, harmless to repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from chassis.database import ReadSession, Session
from chassis.replies import encode
from chassis.text import fold

_UNIT_FIELDS = "code text, version bigint, name_vi text, name_en text, type text, province_code text, search_text text"
_PLAN_COLUMNS = (
    "plan_key, plan_id, admin_unit, province, year, kind, revision, status, title_vi, title_en, document_number,"
    " issued_on, version"
)
_OFFICE_COLUMNS = "admin_unit, slug, name_vi, name_en, level, aliases, version"


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What this service needs to know of a plan, with its unit's integer."""

    plan_key: str
    admin_unit_id: int
    admin_unit: str
    province: str | None
    year: int
    status: str


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return encode(rows).decode()


def _folded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "search_text": fold(row["name_vi"])}


async def record_validities(db: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Units as plans lists them, one row per validity; a list never takes a validity away."""
    await _write_units(db, [_folded(row) for row in rows])


async def replace_units(db: Session, units: Sequence[Mapping[str, Any]]) -> None:
    """Units as events tell them, with all their validities; the newest version of a code wins."""
    newest = {unit["code"]: unit for unit in sorted(units, key=lambda unit: unit["version"])}
    await db.execute(
        text(
            "DELETE FROM admin_unit_validity v USING admin_unit u,"
            " jsonb_to_recordset(CAST(:units AS jsonb)) AS n(code text, version bigint)"
            " WHERE u.id = v.admin_unit_id AND u.code = n.code AND n.version >= u.version"
        ),
        {"units": _json([{"code": unit["code"], "version": unit["version"]} for unit in newest.values()])},
    )
    rows = [
        _folded({**validity, "code": unit["code"], "version": unit["version"]})
        for unit in newest.values()
        for validity in unit["validities"]
    ]
    await _write_units(db, rows)


async def _write_units(db: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    given = {"rows": _json(rows)}
    await db.execute(
        text(
            "INSERT INTO admin_unit (code, version, name_vi, name_en, type, province_code, search_text)"
            " SELECT DISTINCT ON (code) code, version, name_vi, name_en, type, province_code, search_text"
            f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n({_UNIT_FIELDS}, valid_from date)"
            " ORDER BY code, valid_from DESC"
            " ON CONFLICT (code) DO UPDATE SET version = excluded.version, name_vi = excluded.name_vi,"
            " name_en = excluded.name_en, type = excluded.type, province_code = excluded.province_code,"
            " search_text = excluded.search_text WHERE excluded.version >= admin_unit.version"
        ),
        given,
    )
    await db.execute(
        text(
            "INSERT INTO admin_unit_validity (admin_unit_id, valid_from, valid_to, name_vi, type, province_code)"
            " SELECT u.id, n.valid_from, n.valid_to, n.name_vi, n.type, n.province_code"
            f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n({_UNIT_FIELDS}, valid_from date, valid_to date)"
            " JOIN admin_unit u ON u.code = n.code AND u.version <= n.version"
            " ON CONFLICT (admin_unit_id, valid_from) DO UPDATE SET valid_to = excluded.valid_to,"
            " name_vi = excluded.name_vi, type = excluded.type, province_code = excluded.province_code"
        ),
        given,
    )


async def record_offices(db: Session, offices: Sequence[Mapping[str, Any]]) -> None:
    """Offices as plans lists or tells them; the newest version wins."""
    newest = {(o["admin_unit"], o["slug"]): o for o in sorted(offices, key=lambda o: o["version"])}
    await db.execute(
        text(
            f"INSERT INTO office ({_OFFICE_COLUMNS})"
            " SELECT admin_unit, slug, name_vi, name_en, level,"
            " ARRAY(SELECT jsonb_array_elements_text(aliases)), version"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(admin_unit text, slug text, name_vi text,"
            " name_en text, level text, aliases jsonb, version bigint)"
            " ON CONFLICT (admin_unit, slug) DO UPDATE SET name_vi = excluded.name_vi, name_en = excluded.name_en,"
            " level = excluded.level, aliases = excluded.aliases, version = excluded.version"
            " WHERE excluded.version >= office.version"
        ),
        {"rows": _json(list(newest.values()))},
    )


async def remove_offices(db: Session, offices: Sequence[Mapping[str, Any]]) -> None:
    """Offices that their units no longer have; a later return of one stays."""
    await db.execute(
        text(
            "DELETE FROM office o USING jsonb_to_recordset(CAST(:rows AS jsonb))"
            " AS n(admin_unit text, slug text, version bigint)"
            " WHERE o.admin_unit = n.admin_unit AND o.slug = n.slug AND o.version < n.version"
        ),
        {"rows": _json(offices)},
    )


async def record_plans(db: Session, plans: Sequence[Mapping[str, Any]]) -> None:
    """Plan headers as plans lists or tells them; the newest version wins."""
    newest = {plan["plan_key"]: plan for plan in sorted(plans, key=lambda plan: plan["version"])}
    updates = ", ".join(f"{name} = excluded.{name}" for name in _PLAN_COLUMNS.split(", ")[1:])
    await db.execute(
        text(
            f"INSERT INTO plan ({_PLAN_COLUMNS}) SELECT {_PLAN_COLUMNS}"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(plan_key text, plan_id uuid, admin_unit text,"
            " province text, year smallint, kind text, revision integer, status text, title_vi text, title_en text,"
            " document_number text, issued_on date, version bigint)"
            f" ON CONFLICT (plan_key) DO UPDATE SET {updates} WHERE excluded.version >= plan.version"
        ),
        {"rows": _json(list(newest.values()))},
    )


async def find_plan(db: ReadSession, plan_key: str) -> PlanHeader | None:
    """A plan's header with its unit's integer, or None where plans has not told us of it."""
    found = await db.execute(
        text(
            "SELECT p.plan_key, p.admin_unit, p.province, p.year, p.status, u.id AS admin_unit_id"
            " FROM plan p JOIN admin_unit u ON u.code = p.admin_unit WHERE p.plan_key = :plan_key"
        ),
        {"plan_key": plan_key},
    )
    row = found.mappings().one_or_none()
    return PlanHeader(**row) if row else None


async def find_unit(db: ReadSession, code: str) -> tuple[str, str] | None:
    """A unit's code and its province's (a province's own), or None for an unknown unit."""
    found = await db.execute(
        text("SELECT code, coalesce(province_code, code) AS province FROM admin_unit WHERE code = :code"),
        {"code": code},
    )
    row = found.one_or_none()
    return (row.code, row.province) if row else None
