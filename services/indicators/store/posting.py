"""The statements of a post of figures: each takes all rows at once, so their number never grows with the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.auth import Caller
from chassis.database import ReadSession, Session
from chassis.replies import encode
from chassis.text import fold
from services.indicators.domain.actuals.judging import Kind, Measured, Span
from services.indicators.domain.actuals.reading import Row
from services.indicators.domain.actuals.settling import STATUS_NUMBER, STATUS_OF, Outcome, Settled, Stored
from services.indicators.domain.catalogue import ValueType

Key = tuple[int, int, int, int]

_KEY = "admin_unit_id, indicator_id, period_id, sub_population_id"
_KEY_TYPES = "admin_unit_id integer, indicator_id integer, period_id integer, sub_population_id integer"
_FIGURE = (
    "version, kind, value, numerator, denominator, words, done_on, measured_on, data_status, is_withdrawn,"
    " source, evidence_url, note, reason, posting_id, recorded_at"
)
_FIGURE_TYPES = (
    "version integer, kind smallint, value numeric, numerator numeric, denominator numeric, words text, done_on date,"
    " measured_on date, data_status smallint, is_withdrawn boolean, source text, evidence_url text, note text,"
    " reason text, posting_id bigint, recorded_at timestamptz"
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the codes of a row stand for; None where there is no such thing."""

    admin_unit_id: int | None
    admin_unit: str | None
    province: str | None
    indicator_id: int | None
    measured: Measured | None
    owner: str | None
    sub_population_id: int | None
    regime: str | None
    period_id: int | None
    span: Span | None
    is_valid: bool

    @property
    def key(self) -> Key:
        """The key of the row's figure, once everything is found."""
        assert self.admin_unit_id is not None
        assert self.indicator_id is not None
        assert self.period_id is not None
        assert self.sub_population_id is not None
        return self.admin_unit_id, self.indicator_id, self.period_id, self.sub_population_id


_RESOLVE = text("""
WITH r AS (
  SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r(number integer, admin_unit text, indicator text, sub_population text, regime text, period text)
)
SELECT r.number, u.id AS admin_unit_id, u.code AS admin_unit, coalesce(u.province_code, u.code) AS province,
  i.indicator_id, i.value_type, i.scale, i.allows_above_100, i.owner,
  s.id AS sub_population_id, g.key AS regime, p.id AS period_id, p.starts_on, p.ends_on,
  EXISTS (SELECT FROM admin_unit_validity v WHERE v.admin_unit_id = u.id
    AND v.valid_from <= p.ends_on AND (v.valid_to IS NULL OR v.valid_to > p.starts_on)) AS is_valid
FROM r
LEFT JOIN admin_unit u ON u.code = r.admin_unit
LEFT JOIN indicator i ON i.key = r.indicator AND i.known_to IS NULL
LEFT JOIN sub_population s ON s.words = r.sub_population AND (s.id = 0 OR EXISTS (
  SELECT FROM target t WHERE t.indicator_id = i.indicator_id AND t.sub_population_id = s.id AND t.known_to IS NULL))
LEFT JOIN LATERAL (
  SELECT key FROM regime
  WHERE known_to IS NULL AND CASE WHEN r.regime IS NULL
    THEN default_for && ARRAY[u.code, u.province_code, '*'] ELSE key = r.regime END
  ORDER BY CASE WHEN u.code = ANY (default_for) THEN 0 WHEN u.province_code = ANY (default_for) THEN 1 ELSE 2 END, key
  LIMIT 1
) g ON true
LEFT JOIN period p ON p.regime = g.key AND p.code = r.period
""")


async def resolve(db: ReadSession, rows: Sequence[Row]) -> dict[int, Resolved]:
    """What the codes of every row stand for, by row number."""
    given = [
        {
            "number": row.number,
            "admin_unit": row.admin_unit,
            "indicator": row.indicator,
            "sub_population": row.sub_population,
            "regime": row.regime,
            "period": row.period,
        }
        for row in rows
    ]
    found = await db.execute(_RESOLVE, {"rows": encode(given).decode()})
    periods = {row.number: row.period for row in rows}
    codes = {row.number: row.indicator for row in rows}
    return {row["number"]: _resolved(row, codes, periods) for row in found.mappings()}


def _resolved(row: Any, codes: Mapping[int, str], periods: Mapping[int, str]) -> Resolved:
    measured = span = None
    if row["indicator_id"] is not None:
        value_type = ValueType(row["value_type"])
        measured = Measured(codes[row["number"]], value_type, row["scale"], row["allows_above_100"])
    if row["period_id"] is not None:
        span = Span(periods[row["number"]], row["starts_on"], row["ends_on"])
    return Resolved(
        row["admin_unit_id"],
        row["admin_unit"],
        row["province"],
        row["indicator_id"],
        measured,
        row["owner"],
        row["sub_population_id"],
        row["regime"],
        row["period_id"],
        span,
        row["is_valid"],
    )


@dataclass(frozen=True, slots=True)
class Advice:
    """What may have been meant by words that are no code: units by folded name, indicator names and codes."""

    units: Mapping[str, Sequence[str]]
    unit_codes: Sequence[str]
    indicators: Mapping[str, str]
    codes: Sequence[str]
    sub_populations: Sequence[str]


async def load_advice(db: ReadSession, units: Sequence[str]) -> Advice:
    """Everything a refusal may suggest; read only when something was not found."""
    names = {fold(words) for words in units}
    # A type before the name is no part of it: "xã Đại Phước" means Đại Phước.
    bare = {name.removeprefix(kind) for name in names for kind in ("xa ", "phuong ", "dac khu ", "tinh ", "thanh pho ")}
    found = await db.execute(
        text(
            "WITH u AS (SELECT search_text, code FROM admin_unit WHERE EXISTS ("
            "   SELECT FROM admin_unit_validity v WHERE v.admin_unit_id = admin_unit.id))"
            " SELECT 'unit' AS what, search_text AS name, code FROM u WHERE search_text = ANY(:names)"
            " UNION ALL SELECT 'near', '', code FROM u WHERE left(code, 3) = ANY(:heads)"
            " UNION ALL SELECT 'indicator', name_vi, key FROM indicator WHERE known_to IS NULL"
            " UNION ALL SELECT 'words', words, '' FROM sub_population WHERE id <> 0"
        ),
        {"names": list(names | bare), "heads": list({code[:3] for code in units})},
    )
    rows = found.all()
    by_name: dict[str, list[str]] = {}
    for row in rows:
        if row.what == "unit":
            by_name.setdefault(row.name, []).append(row.code)
    return Advice(
        by_name,
        [row.code for row in rows if row.what == "near"],
        {fold(row.name): row.code for row in rows if row.what == "indicator"},
        [row.code for row in rows if row.what == "indicator"],
        [row.name for row in rows if row.what == "words"],
    )


async def load_stored(db: ReadSession, keys: Sequence[Key]) -> dict[Key, Stored]:
    """The figures kept now for keys; the caller holds the heads of their units."""
    found = await db.execute(
        text(
            f"SELECT {_KEY}, {_FIGURE} FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS k({_KEY_TYPES})"
            f" JOIN actual USING ({_KEY})"
        ),
        {"keys": _json([_key_columns(key) for key in keys])},
    )
    return {
        (row["admin_unit_id"], row["indicator_id"], row["period_id"], row["sub_population_id"]): Stored(
            version=row["version"],
            kind=Kind(row["kind"]),
            value=row["value"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            words=row["words"],
            done_on=row["done_on"],
            measured_on=row["measured_on"],
            data_status=STATUS_OF[row["data_status"]],
            source=row["source"],
            evidence_url=row["evidence_url"],
            note=row["note"],
            is_withdrawn=row["is_withdrawn"],
        )
        for row in found.mappings()
    }


@dataclass(frozen=True, slots=True)
class PostingFacts:
    """Who posts, how, and when: what every written figure refers to."""

    caller: Caller
    request_id: str | None
    mode: str
    received: int
    at: datetime


async def open_posting(db: Session, facts: PostingFacts) -> tuple[int, UUID]:
    """Note a post that writes something; answers its integer and its id."""
    written = await db.execute(
        text(
            "INSERT INTO posting (client_id, caller_subject, request_id, mode, received, recorded_at)"
            " VALUES (:client_id, :caller_subject, :request_id, :mode, :received, :at) RETURNING id, import_id"
        ),
        {
            "client_id": facts.caller.client_id,
            "caller_subject": facts.caller.subject,
            "request_id": facts.request_id,
            "mode": facts.mode,
            "received": facts.received,
            "at": facts.at,
        },
    )
    row = written.one()
    return row.id, row.import_id


async def write_figures(db: Session, settled: Sequence[tuple[Key, Settled]], posting_id: int, at: datetime) -> None:
    """Keep what is superseded, then write what is new: three statements at most, whatever the number of rows."""
    rows = [(one.outcome, _figure_columns(key, one, posting_id, at)) for key, one in settled]
    updated = _json([row for outcome, row in rows if outcome is Outcome.UPDATED])
    created = _json([row for outcome, row in rows if outcome is Outcome.CREATED])
    if updated != "[]":
        await db.execute(_SUPERSEDE, {"rows": updated, "at": at})
        await db.execute(_UPDATE, {"rows": updated})
    if created != "[]":
        await db.execute(_INSERT, {"rows": created})


_SUPERSEDE = text(
    f"INSERT INTO actual_revision ({_KEY}, {_FIGURE}, superseded_at) SELECT {_KEY}, {_FIGURE}, :at"
    f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n({_KEY_TYPES}) JOIN actual USING ({_KEY})"
)
_UPDATE = text(
    f"UPDATE actual a SET ({_FIGURE}) = ROW ({', '.join('n.' + name for name in _FIGURE.split(', '))})"
    f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n({_KEY_TYPES}, {_FIGURE_TYPES})"
    f" WHERE {' AND '.join(f'a.{name} = n.{name}' for name in _KEY.split(', '))}"
)
_INSERT = text(
    f"INSERT INTO actual ({_KEY}, {_FIGURE}) SELECT {_KEY}, {_FIGURE}"
    f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n({_KEY_TYPES}, {_FIGURE_TYPES}) ORDER BY {_KEY}"
)


def _figure_columns(key: Key, settled: Settled, posting_id: int, at: datetime) -> dict[str, Any]:
    judged, row = settled.judged, settled.judged.row
    return {
        **_key_columns(key),
        "version": settled.version,
        "kind": judged.kind.value,
        "value": judged.value,
        "numerator": judged.numerator,
        "denominator": judged.denominator,
        "words": judged.words,
        "done_on": judged.done_on,
        "measured_on": settled.measured_on,
        "data_status": STATUS_NUMBER[judged.data_status],
        "is_withdrawn": settled.is_withdrawal,
        "source": row.source,
        "evidence_url": row.evidence_url,
        "note": row.note,
        "reason": row.reason,
        "posting_id": posting_id,
        "recorded_at": at,
    }


def _key_columns(key: Key) -> dict[str, int]:
    return dict(zip(_KEY.split(", "), key, strict=True))


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return encode(rows).decode()
