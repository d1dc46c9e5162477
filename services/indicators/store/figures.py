"""Figures in force now or then, their history, and the columns a reply shows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, false, null, select, union_all
from sqlalchemy.sql.expression import cast

from chassis.decimals import plain
from chassis.listing import Listing
from chassis.periods import parse_period
from services.indicators.domain.actuals.columns import SAMPLE, STATUS_NUMBER, STATUS_OF, Kind
from services.indicators.domain.filters import ActualFilter
from services.indicators.domain.periods import due_on
from services.indicators.store.periods import due_rules_for, due_rules_of, periods
from services.indicators.store.tables import Actual, ActualRevision, IndicatorCode, Posting, SubPopulation, table_of
from services.indicators.store.visibility import Viewer, covered_only, figure_visible, province, units

COLUMNS = (
    "admin_unit",
    "province",
    "indicator",
    "sub_population",
    "regime",
    "period",
    "period_type",
    "starts_on",
    "ends_on",
    "due_on",
    "value",
    "numerator",
    "denominator",
    "level",
    "rank",
    "text",
    "done_on",
    "measured_on",
    "data_status",
    "source",
    "is_sample",
    "evidence_url",
    "note",
    "version",
    "recorded_at",
    "recorded_by",
)
HISTORY_COLUMNS = (*COLUMNS, "is_withdrawn", "reason", "superseded_at")
actuals = table_of(Actual)
revisions = table_of(ActualRevision)
codes = table_of(IndicatorCode)
sub_populations = table_of(SubPopulation)
postings = table_of(Posting)
_SHARED = tuple(actuals.c.keys())


def figures_as_of(known_at: datetime | None) -> FromClause:
    """Figures in force now, or those that were in force at a moment."""
    if known_at is None:
        return actuals
    now = select(*(actuals.c[name] for name in _SHARED)).where(actuals.c.recorded_at <= known_at)
    then = select(*(revisions.c[name] for name in _SHARED)).where(
        revisions.c.recorded_at <= known_at, revisions.c.superseded_at > known_at
    )
    return union_all(now, then).subquery("actual")


def list_actuals(viewer: Viewer, wanted: ActualFilter, known_at: datetime | None) -> Listing:
    """Figures in force by unit, indicator, sub-population and period; withdrawn ones are left out."""
    figures = figures_as_of(known_at)
    query = _select(viewer, wanted, figures, known_at).where(figures.c.is_withdrawn == false())
    return Listing(query, _order(), COLUMNS, actual_row)


def list_history(viewer: Viewer, wanted: ActualFilter) -> Listing:
    """Every version of the figures, oldest first within each key, withdrawals included."""
    forever = cast(null(), revisions.c.superseded_at.type).label("superseded_at")
    now = select(*(actuals.c[name] for name in _SHARED), forever)
    then = select(*(revisions.c[name] for name in _SHARED), revisions.c.superseded_at)
    figures = union_all(now, then).subquery("actual")
    query = _select(viewer, wanted, figures, None).add_columns(
        figures.c.is_withdrawn, covered_only(viewer, figures.c.reason, "reason"), figures.c.superseded_at
    )
    return Listing(query, (*_order(), figures.c.version), HISTORY_COLUMNS, actual_row)


def _order() -> tuple[ColumnElement[Any], ...]:
    return (
        units.c.code.label("admin_unit"),
        codes.c.code.label("indicator"),
        sub_populations.c.words.label("sub_population_words"),
        periods.c.regime,
        periods.c.ends_on,
        periods.c.code.label("period"),
    )


def _select(viewer: Viewer, wanted: ActualFilter, figures: FromClause, known_at: datetime | None) -> Select[Any]:
    query = (
        select(
            units.c.code.label("admin_unit"),
            province.label("province"),
            codes.c.code.label("indicator"),
            sub_populations.c.words.label("sub_population_words"),
            *period_columns(),
            due_rules_for(units.c.code, units.c.province_code, periods.c.regime, known_at).label("due_rules"),
            *figure_columns(viewer, figures),
        )
        .join_from(figures, units, units.c.id == figures.c.admin_unit_id)
        .join(codes, codes.c.id == figures.c.indicator_id)
        .join(sub_populations, sub_populations.c.id == figures.c.sub_population_id)
        .join(periods, periods.c.id == figures.c.period_id)
        .join(postings, postings.c.id == figures.c.posting_id)
        .where(figure_visible(viewer, figures.c.source))
    )
    for column, values in _filters(wanted, figures):
        if values:
            query = query.where(column.in_(values))
    return query


def _filters(wanted: ActualFilter, figures: FromClause) -> tuple[tuple[ColumnElement[Any], Sequence[Any]], ...]:
    statuses = [number for status, number in STATUS_NUMBER.items() if status in wanted.data_statuses]
    return (
        (units.c.code, wanted.admin_units),
        (province, wanted.provinces),
        (codes.c.code, wanted.indicators),
        (sub_populations.c.words, wanted.sub_populations),
        (periods.c.regime, wanted.regimes),
        (periods.c.code, wanted.periods),
        (periods.c.period_type, wanted.period_types),
        (periods.c.year, wanted.years),
        (figures.c.source, wanted.sources),
        (figures.c.data_status, statuses),
    )


def period_columns() -> tuple[ColumnElement[Any], ...]:
    """The columns of a figure's period."""
    return (
        periods.c.regime,
        periods.c.code.label("period"),
        periods.c.period_type,
        periods.c.starts_on,
        periods.c.ends_on,
    )


def figure_columns(viewer: Viewer, figures: FromClause) -> tuple[ColumnElement[Any], ...]:
    """The columns of a figure, as far as the caller may see them."""
    return (
        figures.c.kind,
        figures.c.value,
        figures.c.numerator,
        figures.c.denominator,
        figures.c.words,
        figures.c.done_on,
        figures.c.measured_on,
        figures.c.data_status,
        figures.c.source,
        covered_only(viewer, figures.c.evidence_url, "evidence_url"),
        covered_only(viewer, figures.c.note, "note"),
        figures.c.version,
        figures.c.recorded_at,
        covered_only(viewer, postings.c.client_id, "recorded_by"),
    )


def actual_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A figure as the wire has it: in the column of its kind."""
    kind = Kind(row["kind"])
    value = None if row["value"] is None else plain(row["value"])
    return {
        **row,
        "sub_population": row["sub_population_words"] or None,
        "due_on": due_on(due_rules_of(row), parse_period(row["period"])),
        "value": value if kind is Kind.VALUE else None,
        "numerator": None if row["numerator"] is None else plain(row["numerator"]),
        "denominator": None if row["denominator"] is None else plain(row["denominator"]),
        "level": int(value) if value is not None and kind is Kind.LEVEL else None,
        "rank": int(value) if value is not None and kind is Kind.RANK else None,
        "text": row["words"],
        "data_status": STATUS_OF[row["data_status"]],
        "is_sample": row["source"] == SAMPLE,
    }
