"""Regimes and their due rules in every version, and the periods they make."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause

from chassis.database import ReadSession, Session
from chassis.history import SetDiff, apply_set, as_of
from chassis.listing import Listing
from chassis.periods import DueRule as Due
from chassis.periods import PeriodType, format_period_en, format_period_vi, parse_period
from chassis.replies import encode
from services.indicators.domain.filters import PeriodFilter
from services.indicators.domain.periods import EVERYWHERE, UnitDueRule, due_on, rules_of_unit
from services.indicators.domain.periods import Regime as RegimeRule
from services.indicators.store.tables import AdminUnit, DueRule, Period, Regime, table_of

# What stands in the table as it stands on the wire.
_STORED = (
    "name_vi",
    "name_en",
    "opens_on_day",
    "period_types",
    "first_year",
    "last_year",
    "default_for",
    "reporting_window_days",
    "source",
    "note",
)
_RULE_FIELDS = ("admin_unit", "period_type", "day", "months_after", "source")
REGIME_COLUMNS = ("code", *_STORED, "due_rules")
_PERIOD = ("regime", "code", "period_type", "year", "starts_on", "ends_on")
PERIOD_COLUMNS = (*_PERIOD, "due_on", "name_vi", "name_en")
regimes = table_of(Regime)
due_rules = table_of(DueRule)
periods = table_of(Period)
units = table_of(AdminUnit)


def list_regimes(codes: Sequence[str], known_at: datetime | None) -> Listing:
    """Regimes by code, each with its due rules."""
    query = select(
        regimes.c.key.label("code"), *(regimes.c[name] for name in _STORED), _rules_of_regime(known_at)
    ).where(as_of(Regime, known_at))
    if codes:
        query = query.where(regimes.c.key.in_(codes))
    return Listing(query, (regimes.c.key.label("code"),), REGIME_COLUMNS)


def _rules_of_regime(known_at: datetime | None) -> ColumnElement[Any]:
    stated = {"admin_unit": func.nullif(due_rules.c.admin_unit, "")}
    pairs = [part for name in _RULE_FIELDS for part in (literal(name, Text), stated.get(name, due_rules.c[name]))]
    ordered = aggregate_order_by(func.jsonb_build_object(*pairs), due_rules.c.key)
    rules = (
        select(func.jsonb_agg(ordered, type_=JSONB))
        .where(due_rules.c.regime == regimes.c.key, as_of(DueRule, known_at))
        .correlate(regimes)
        .scalar_subquery()
    )
    return func.coalesce(rules, literal([], JSONB)).label("due_rules")


def list_periods(wanted: PeriodFilter, known_at: datetime | None) -> Listing:
    """Periods by regime and end, with the due day of the unit asked for, else of everybody."""
    code = literal(wanted.admin_unit or "", Text)
    province = select(units.c.province_code).where(units.c.code == code).scalar_subquery()
    query = select(
        *(periods.c[name] for name in _PERIOD),
        code.label("admin_unit"),
        province.label("province"),
        due_rules_for(code, province, periods.c.regime, known_at).label("due_rules"),
    )
    for column, values in (
        (periods.c.regime, wanted.regimes),
        (periods.c.year, wanted.years),
        (periods.c.period_type, wanted.period_types),
        (periods.c.code, wanted.codes),
    ):
        if values:
            query = query.where(column.in_(values))
    if wanted.on:
        query = query.where(periods.c.starts_on <= wanted.on, periods.c.ends_on >= wanted.on)
    return Listing(query, (periods.c.regime, periods.c.ends_on, periods.c.code), PERIOD_COLUMNS, _period)


def _period(row: Mapping[str, Any]) -> dict[str, Any]:
    period = parse_period(row["code"])
    names = {"name_vi": format_period_vi(period), "name_en": format_period_en(period)}
    return {**row, "due_on": due_on(due_rules_of(row), period), **names}


def due_rules_of(row: Mapping[str, Any]) -> list[Due]:
    """The due rules of a row's unit, from those joined to it."""
    stated = (
        UnitDueRule(Due(PeriodType(rule["period_type"]), rule["day"], rule["months_after"]), rule["admin_unit"])
        for rule in row["due_rules"]
    )
    return rules_of_unit(stated, row["admin_unit"], row["province"])


def due_rules_for(
    code: ColumnElement[Any], province: ColumnElement[Any], regime: ColumnElement[Any], known_at: datetime | None
) -> ColumnElement[Any]:
    """Every due rule of a regime that a unit, its province or everybody stated; which one holds, the domain says."""
    names = ("admin_unit", "period_type", "day", "months_after")
    pairs = (part for name in names for part in (literal(name, Text), due_rules.c[name]))
    held = due_rules.c.admin_unit
    rules = (
        select(func.jsonb_agg(func.jsonb_build_object(*pairs), type_=JSONB))
        .where(due_rules.c.regime == regime, or_(held == code, held == province, held == ""), as_of(DueRule, known_at))
        .correlate_except(due_rules)
        .scalar_subquery()
    )
    return func.coalesce(rules, literal([], JSONB))


def default_regime(
    code: ColumnElement[Any], province: ColumnElement[Any], known_at: datetime | None
) -> LateralFromClause:
    """The regime of a unit's figures where nothing else is said, with its reporting window."""
    held = regimes.c.default_for
    return (
        select(regimes.c.key, regimes.c.reporting_window_days)
        .where(
            as_of(Regime, known_at),
            or_(code == held.any_(), province == held.any_(), literal(EVERYWHERE) == held.any_()),
        )
        .order_by(case((code == held.any_(), 0), (province == held.any_(), 1), else_=2), regimes.c.key)
        .limit(1)
        .lateral("default_regime")
    )


async def load_regimes(db: ReadSession) -> dict[str, dict[str, Any]]:
    """Every regime in force with its due rules, by code."""
    query = select(regimes.c.key.label("code"), *(regimes.c[name] for name in _STORED), _rules_of_regime(None))
    found = await db.execute(query.where(as_of(Regime, None)))
    return {row["code"]: dict(row) for row in found.mappings()}


async def load_places(db: ReadSession, codes: Collection[str]) -> dict[str, str]:
    """The provinces of units, by code; a province's is its own. Unknown codes are left out."""
    if not codes:
        return {}
    province = func.coalesce(units.c.province_code, units.c.code)
    found = await db.execute(select(units.c.code, province).where(units.c.code.in_(codes)))
    return {row[0]: row[1] for row in found}


async def apply_regimes(
    db: Session, bodies: Sequence[Mapping[str, Any]], *, prune: bool, at: datetime
) -> dict[str, SetDiff]:
    """Make regimes and due rules say what the bodies say; the rules of a regime are always the whole set."""
    rows = [{"key": body["code"], **{name: body[name] for name in _STORED}} for body in bodies]
    regime_diff = await apply_set(db, Regime, {}, rows, prune=prune, at=at)
    stated = [_rule_row(body["code"], rule) for body in bodies for rule in body["due_rules"]]
    rule_diff = SetDiff()
    for code in [*(body["code"] for body in bodies), *regime_diff.removed]:
        own = [{k: v for k, v in rule.items() if k != "regime"} for rule in stated if rule["regime"] == code]
        found = await apply_set(db, DueRule, {"regime": code}, own, prune=True, at=at)
        for name in ("created", "updated", "unchanged", "removed"):
            getattr(rule_diff, name).extend(f"{code}/{key}" for key in getattr(found, name))
    return {"regimes": regime_diff, "due_rules": rule_diff}


def _rule_row(regime: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    unit = rule["admin_unit"] or ""
    key = f"{unit or EVERYWHERE}/{rule['period_type']}"
    return {**{name: rule[name] for name in _RULE_FIELDS}, "regime": regime, "key": key, "admin_unit": unit}


async def find_moved(db: ReadSession, rules: Sequence[RegimeRule]) -> list[str]:
    """Regimes whose periods would get other days although figures stand in them."""
    found = await db.execute(
        text(
            f"{_GENERATED} SELECT DISTINCT n.regime FROM n JOIN period p ON p.regime = n.regime AND p.code = n.code"
            " WHERE (p.starts_on, p.ends_on) IS DISTINCT FROM (n.starts_on, n.ends_on)"
            " AND EXISTS (SELECT FROM actual a WHERE a.period_id = p.id) ORDER BY 1"
        ),
        {"rows": _generated(rules)},
    )
    return list(found.scalars())


async def make_periods(db: Session, rules: Sequence[RegimeRule]) -> int:
    """Make the periods of regimes, and move those whose days changed; answers how many were written."""
    written = await db.execute(
        text(
            f"{_GENERATED} INSERT INTO period (regime, code, period_type, year, starts_on, ends_on)"
            " SELECT regime, code, period_type, year, starts_on, ends_on FROM n"
            " ORDER BY regime, ends_on, starts_on DESC ON CONFLICT (regime, code)"
            " DO UPDATE SET starts_on = excluded.starts_on, ends_on = excluded.ends_on"
            " WHERE (period.starts_on, period.ends_on) IS DISTINCT FROM (excluded.starts_on, excluded.ends_on)"
            " RETURNING 1"
        ),
        {"rows": _generated(rules)},
    )
    return len(written.all())


_GENERATED = (
    "WITH n AS (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(regime text, code text,"
    " period_type text, year smallint, starts_on date, ends_on date))"
)


def _generated(rules: Sequence[RegimeRule]) -> str:
    return encode(
        [
            {
                "regime": rule.code,
                "code": period.code,
                "period_type": period.period_type,
                "year": period.year,
                "starts_on": window.starts_on,
                "ends_on": window.ends_on,
            }
            for rule in rules
            for period, window in rule.periods()
        ]
    ).decode()
