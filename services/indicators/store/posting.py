"""The statements of a post of figures: each takes all rows at once, so their number never grows with the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import text

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.merge import Found, Kept, Ranges
from chassis.text import fold
from services.indicators.domain.actuals.columns import Kind
from services.indicators.domain.actuals.judging import KIND_OF
from services.indicators.domain.actuals.resolving import (
    INDICATORS,
    PERIODS,
    PLAN_ROWS,
    SUB_POPULATIONS,
    UNITS,
    VALIDITIES,
    Codes,
    Named,
    RegimeDefaults,
)
from services.indicators.domain.actuals.settling import KEY, STORED
from services.indicators.domain.catalogue import ValueType, parse_scale

_FIGURES = Kept(
    table="actual",
    revisions="actual_revision",
    key=KEY,
    columns=pl.Schema(
        {
            **dict.fromkeys(KEY, pl.Int32()),
            "version": pl.Int32(),
            "kind": pl.Int16(),
            **dict.fromkeys(("value", "numerator", "denominator"), pl.Decimal(38, 6)),
            "words": pl.String(),
            **dict.fromkeys(("done_on", "measured_on"), pl.Date()),
            "data_status": pl.Int16(),
            "is_withdrawn": pl.Boolean(),
            **dict.fromkeys(("source", "evidence_url", "note", "reason"), pl.String()),
            "posting_id": pl.Int64(),
            "recorded_at": pl.Datetime("us"),
        }
    ),
    ranged=3,
)
_PREVIOUS = pl.Schema({**dict.fromkeys(KEY, pl.Int32()), "previous": pl.Decimal(38, 6)})


async def load_codes(db: ReadSession, named: Named) -> Codes:
    """What the codes that rows name stand for."""
    units = await _rows(db, _UNITS, codes=named.admin_units)
    regimes = await _rows(db, "SELECT key, default_for FROM regime WHERE known_to IS NULL")
    defaults = RegimeDefaults([(row["key"], row["default_for"]) for row in regimes])
    plan_rows = await _rows(db, _PLAN_ROWS, codes=named.admin_units) if named.has_plan_rows else []
    codes = {*named.indicators, *(row["named"] for row in plan_rows)}
    words = {*named.sub_populations, *(row["named_sub"] for row in plan_rows if row["named_sub"])}
    indicators = [_measured(row) for row in await _rows(db, _INDICATORS, codes=list(codes))]
    pairs = await _rows(db, _SUB_POPULATIONS, words=list(words)) if words else []
    periods = await _rows(db, _PERIODS, codes=named.periods)
    placed = {
        row["admin_unit"]: (row["admin_unit_id"], row["province"], defaults.of(row["admin_unit"], row["province"]))
        for row in units
    }
    return Codes(
        pl.DataFrame([(code, *rest) for code, rest in placed.items()], UNITS, orient="row"),
        _frame([row for row in units if row["valid_from"] is not None], VALIDITIES),
        _frame(indicators, INDICATORS),
        _frame(pairs, SUB_POPULATIONS),
        frozenset(row["key"] for row in regimes),
        _frame(periods, PERIODS),
        _frame(plan_rows, PLAN_ROWS),
    )


async def _rows(db: ReadSession, statement: str, **values: Any) -> list[Mapping[str, Any]]:
    found = await db.execute(text(statement), values)
    return [dict(row) for row in found.mappings()]


def _frame(rows: Sequence[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame([[row[name] for name in schema] for row in rows], schema, orient="row")


def _measured(row: Mapping[str, Any]) -> dict[str, Any]:
    scale = parse_scale(row["scale"])
    kind = KIND_OF[ValueType(row["value_type"])]
    return {**row, "kind": kind.value, "lowest": scale.lowest, "highest": scale.highest}


_UNITS = """
SELECT u.code AS admin_unit, u.id AS admin_unit_id, coalesce(u.province_code, u.code) AS province,
  v.valid_from, v.valid_to
FROM admin_unit u LEFT JOIN admin_unit_validity v ON v.admin_unit_id = u.id
WHERE u.code = ANY(:codes)
"""
_INDICATORS = """
SELECT key AS indicator, indicator_id, value_type, scale, allows_above_100, owner
FROM indicator WHERE known_to IS NULL AND key = ANY(:codes)
"""
_SUB_POPULATIONS = """
SELECT DISTINCT t.indicator_id, s.words AS sub_population, s.id AS sub_population_id
FROM sub_population s JOIN target t ON t.sub_population_id = s.id AND t.known_to IS NULL
WHERE s.words = ANY(:words)
"""
# The period before one is the latest of its regime and kind that ends before it begins.
_PERIODS = """
SELECT p.regime, p.code AS period, p.id AS period_id, p.starts_on, p.ends_on,
  (SELECT b.id FROM period b WHERE b.regime = p.regime AND b.period_type = p.period_type
    AND b.ends_on < p.starts_on AND b.year >= p.year - 1 ORDER BY b.ends_on DESC LIMIT 1) AS previous_id
FROM period p WHERE p.code = ANY(:codes)
"""
_PLAN_ROWS = """
SELECT u.code AS admin_unit, t.plan_row, p.year::text AS year, i.code AS named, nullif(s.words, '') AS named_sub
FROM target t
JOIN admin_unit u ON u.id = t.admin_unit_id
JOIN plan p ON p.plan_key = t.plan_key
JOIN indicator_code i ON i.id = t.indicator_id
JOIN sub_population s ON s.id = t.sub_population_id
WHERE u.code = ANY(:codes) AND t.plan_row IS NOT NULL AND t.known_to IS NULL
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything a refusal may suggest; read only when something was not found."""

    units: Mapping[str, Sequence[str]]
    unit_codes: Sequence[str]
    indicators: Mapping[str, str]
    codes: Sequence[str]
    sub_populations: Sequence[str]


async def load_known(db: ReadSession, names: Sequence[str], codes: Sequence[str]) -> Known:
    """Units by folded name, their codes near those given, indicators by name and code, sub-populations of plans that
    everybody may see.
    """
    rows = await _rows(db, _KNOWN, names=list(names), heads=list({code[:3] for code in codes}))
    by_name: dict[str, list[str]] = {}
    for row in rows:
        if row["what"] == "unit":
            by_name.setdefault(row["name"], []).append(row["code"])
    return Known(
        by_name,
        [row["code"] for row in rows if row["what"] == "near"],
        {fold(row["name"]): row["code"] for row in rows if row["what"] == "indicator"},
        [row["code"] for row in rows if row["what"] == "indicator"],
        [row["name"] for row in rows if row["what"] == "words"],
    )


_KNOWN = """
WITH u AS (SELECT search_text, code FROM admin_unit WHERE EXISTS (
  SELECT FROM admin_unit_validity v WHERE v.admin_unit_id = admin_unit.id))
SELECT 'unit' AS what, search_text AS name, code FROM u WHERE search_text = ANY(:names)
UNION ALL SELECT 'near', '', code FROM u WHERE left(code, 3) = ANY(:heads)
UNION ALL SELECT 'indicator', name_vi, key FROM indicator WHERE known_to IS NULL
UNION ALL SELECT 'words', s.words, '' FROM sub_population s WHERE s.id <> 0 AND EXISTS (
  SELECT FROM target t JOIN plan p ON p.plan_key = t.plan_key
  WHERE t.sub_population_id = s.id AND t.known_to IS NULL AND p.public_from IS NOT NULL)
"""


async def load_stored(db: Session, rows: pl.DataFrame) -> Found:
    """The figures kept now for the keys of rows, and perhaps some beside them; the caller holds their units' heads."""
    return await _FIGURES.load(db, rows, STORED)


async def load_stored_within(db: Session, ranges: Ranges) -> Found:
    """All figures kept now for the units, indicators and periods of ranges; the caller holds the units' heads."""
    return await _FIGURES.load_within(db, ranges, STORED)


async def load_previous(db: Session, rows: pl.DataFrame, stored: Found) -> pl.DataFrame:
    """The numbers in force of the periods before those of rows; `stored` is what was loaded for the rows themselves."""
    asked = rows.select("admin_unit_id", "indicator_id", "sub_population_id", period_id="previous_id").drop_nulls()
    said = stored.frame.filter((pl.col("kind") == Kind.VALUE) & (pl.col("is_withdrawn") == "f"))
    at_hand = said.select(*KEY, previous="value").drop_nulls("previous")
    if stored.ranges is None:
        at_hand = at_hand.clear()
    else:  # a row's unit and indicator lie within them, but the period before its own may not
        asked = asked.filter(~pl.col("period_id").is_in(stored.ranges["period_id"]))
    if asked.is_empty():
        return at_hand
    is_said = f"kind = {Kind.VALUE.value} AND NOT is_withdrawn AND value IS NOT NULL"
    found = await _FIGURES.load(db, asked, _PREVIOUS, named={"previous": "value"}, where=is_said)
    return pl.concat([at_hand, found.frame.select(at_hand.columns)])


@dataclass(frozen=True, slots=True)
class PostingFacts:
    """Who posts, how, when, and what became of the rows: what every written figure refers to."""

    caller: Caller
    request_id: str | None
    mode: str
    counts: Mapping[str, int]
    at: datetime
    sha256: bytes | None = None
    reverts: UUID | None = None
    admin_unit_ids: Sequence[int] = field(default_factory=tuple)


async def reserve_posting(db: Session, import_id: UUID | None) -> tuple[int, UUID]:
    """The integer and the id of a post that is about to write; it is noted when all is written."""
    found = await db.execute(
        text(
            "SELECT nextval(pg_get_serial_sequence('posting', 'id')) AS id,"
            " coalesce(CAST(:import_id AS uuid), uuidv7()) AS import_id"
        ),
        {"import_id": import_id},
    )
    row = found.one()
    return row.id, row.import_id


async def note_posting(db: Session, reserved: tuple[int, UUID], facts: PostingFacts) -> None:
    """Note who posted, and what became of the rows."""
    await db.execute(
        text(_POSTING),
        {
            "id": reserved[0],
            "import_id": reserved[1],
            "client_id": facts.caller.client_id,
            "caller_subject": facts.caller.subject,
            "request_id": facts.request_id,
            "mode": facts.mode,
            "at": facts.at,
            "sha256": facts.sha256,
            "reverts": facts.reverts,
            "admin_unit_ids": list(facts.admin_unit_ids),
            **facts.counts,
        },
    )


_COUNTS = ("received", "created", "updated", "unchanged", "stale", "duplicates", "refused")
_POSTING = (
    "INSERT INTO posting (id, import_id, client_id, caller_subject, request_id, mode, recorded_at, sha256, reverts,"
    f" admin_unit_ids, {', '.join(_COUNTS)}) VALUES (:id, :import_id, :client_id, :caller_subject, :request_id, :mode,"
    f" :at, :sha256, :reverts, :admin_unit_ids, {', '.join(':' + name for name in _COUNTS)})"
)


async def supersede(db: Session, rows: pl.DataFrame, at: datetime, found: Found | None = None) -> None:
    """Move the figures under the keys of rows to the revisions; `found` as it was loaded for them."""
    await _FIGURES.supersede(db, rows, at, found)


async def write_figures(db: Session, rows: pl.DataFrame, posting_id: int, at: datetime) -> None:
    """Write figures under keys that hold none now, in the order of the keys."""
    moment = pl.lit(at.astimezone(UTC).replace(tzinfo=None))
    figures = rows.with_columns(value="number", posting_id=pl.lit(posting_id), recorded_at=moment)
    await _FIGURES.write(db, figures)
