"""What an import wrote, and the statements that take it back: figures beside the ones they superseded, unit by unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import text

from chassis import bulk
from chassis.database import ReadSession, Session
from services.indicators.domain.actuals.settling import KEY, STORED

_SAID = tuple(name for name in STORED if name not in KEY and name != "version")
_CODES = ("admin_unit", "province", "indicator", "sub_population", "regime", "period")
_FORMER = pl.Schema(
    {
        **dict.fromkeys(KEY, pl.Int32()),
        **dict.fromkeys(_CODES, pl.String()),
        **{f"old_{name}": kind for name, kind in STORED.items() if name not in KEY},
        **{f"former_{name}": STORED[name] for name in _SAID},
    }
)
_SAME_KEY = " AND ".join(f"b.{name} = a.{name}" for name in KEY)
_NAMED = """
JOIN admin_unit u ON u.id = a.admin_unit_id
JOIN indicator_code i ON i.id = a.indicator_id
JOIN period p ON p.id = a.period_id
JOIN sub_population s ON s.id = a.sub_population_id
"""
_FORMER_QUERY = f"""
SELECT {", ".join("a." + name for name in KEY)}, u.code, coalesce(u.province_code, u.code), i.code,
  nullif(s.words, ''), p.regime, p.code, a.version, {", ".join("a." + name for name in _SAID)},
  {", ".join("b." + name for name in _SAID)}
FROM actual a {_NAMED}
LEFT JOIN actual_revision b ON {_SAME_KEY} AND b.version = a.version - 1
WHERE a.posting_id = {{posting_id}} AND a.admin_unit_id = ANY ('{{{{{{units}}}}}}')
ORDER BY {", ".join("a." + name for name in KEY)}
"""


@dataclass(frozen=True, slots=True)
class Written:
    """The posting of an import, and the units it wrote for: code and province."""

    posting_id: int
    admin_units: tuple[tuple[str, str | None], ...]


async def find_posting(db: ReadSession, import_id: UUID) -> Written | None:
    """What an import wrote for; None where it is not done."""
    found = await db.execute(
        text(
            "SELECT p.id, u.code, u.province_code FROM posting p"
            " LEFT JOIN admin_unit u ON u.id = ANY (p.admin_unit_ids) WHERE p.import_id = :import_id ORDER BY u.code"
        ),
        {"import_id": import_id},
    )
    rows = found.all()
    if not rows:
        return None
    return Written(rows[0].id, tuple((row.code, row.province_code) for row in rows if row.code is not None))


async def count_in_force(db: ReadSession, posting_id: int) -> list[tuple[int, int]]:
    """How many figures of a posting are in force, by the integers of their units."""
    found = await db.execute(
        text(
            "SELECT a.admin_unit_id, count(*) FROM posting p JOIN actual a ON a.admin_unit_id = ANY (p.admin_unit_ids)"
            " AND a.posting_id = p.id WHERE p.id = :posting_id GROUP BY 1 ORDER BY 1"
        ),
        {"posting_id": posting_id},
    )
    return [(row[0], row[1]) for row in found]


async def load_former(db: Session, posting_id: int, units: Sequence[int]) -> pl.DataFrame:
    """Figures of a posting in force for some units (`old_…`), each beside the one it superseded (`former_…`)."""
    query = _FORMER_QUERY.format(posting_id=int(posting_id), units=",".join(str(int(unit)) for unit in units))
    return await bulk.copy_out(db, query, _FORMER)


@dataclass(frozen=True, slots=True)
class Left:
    """Figures of a posting that changed since: how many, and the first of them by their codes."""

    count: int
    first: Sequence[dict[str, Any]]


async def find_left(db: ReadSession, posting_id: int, limit: int) -> Left:
    """Figures of a posting that are no longer in force."""
    found = await db.execute(
        text(
            "SELECT u.code AS admin_unit, i.code AS indicator, p.code AS period, count(*) OVER () AS of_all"
            " FROM posting o JOIN actual_revision a ON a.admin_unit_id = ANY (o.admin_unit_ids)"
            f" AND a.posting_id = o.id {_NAMED} WHERE o.id = :posting_id"
            " ORDER BY u.code, i.code, p.code, s.words LIMIT :limit"
        ),
        {"posting_id": posting_id, "limit": limit},
    )
    rows = [dict(row) for row in found.mappings()]
    return Left(rows[0]["of_all"] if rows else 0, rows)
