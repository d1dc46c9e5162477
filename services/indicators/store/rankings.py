"""Rankings: every province and indicator asked for, with its communes' figures and targets, in one statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, Numeric, Select, Text, cast, false, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, distinct_on

from chassis.history import as_of
from chassis.listing import Listing
from services.indicators.domain.catalogue import ValueType
from services.indicators.domain.filters import RankingFilter, TargetFilter
from services.indicators.store.figures import (
    actual_row,
    figure_columns,
    figures_as_of,
    period_columns,
    postings,
    sub_populations,
)
from services.indicators.store.periods import due_rules_for, periods
from services.indicators.store.tables import Indicator, table_of
from services.indicators.store.targets import targets, targets_of_plans
from services.indicators.store.visibility import Viewer, figure_visible, plans, units

__all__ = ["actual_row", "figures_of", "list_rankings"]

indicators = table_of(Indicator)
provinces = units.alias("province_unit")
_READ: dict[type[Any], Callable[[str], Any]] = {
    Numeric: Decimal,
    Date: date.fromisoformat,
    DateTime: datetime.fromisoformat,
}

Shape = Callable[[Mapping[str, Any]], dict[str, Any]]


def list_rankings(
    viewer: Viewer, wanted: RankingFilter, known_at: datetime | None, columns: Sequence[str], shape: Shape
) -> Listing:
    """Provinces and indicators as asked for, each pair with figures and communes that have the target."""
    query = (
        select(
            provinces.c.code.label("province"),
            indicators.c.key.label("indicator"),
            indicators.c.value_type,
            indicators.c.direction,
            _figures(viewer, wanted, known_at).label("figures"),
            _with_target(viewer, wanted, known_at).label("with_target"),
        )
        .join_from(provinces, indicators, literal(True))
        .where(
            provinces.c.province_code.is_(None),
            provinces.c.code.in_(wanted.provinces),
            indicators.c.key.in_(wanted.indicators),
            indicators.c.value_type != ValueType.TEXT,
            as_of(Indicator, known_at),
        )
    )
    order = (provinces.c.code.label("province"), indicators.c.key.label("indicator"))
    return Listing(query, order, tuple(columns), shape)


def _figures(viewer: Viewer, wanted: RankingFilter, known_at: datetime | None) -> ColumnElement[Any]:
    latest = _latest(viewer, wanted, known_at).lateral("latest")
    # Numbers travel as text: a JSON number would be read as a float.
    pairs = (
        part
        for column in latest.c
        for part in (literal(column.key, Text), cast(column, Text) if isinstance(column.type, Numeric) else column)
    )
    told = select(func.jsonb_agg(func.jsonb_build_object(*pairs), type_=JSONB)).select_from(latest)
    return func.coalesce(told.correlate(indicators, provinces).scalar_subquery(), literal([], JSONB))


def _latest(viewer: Viewer, wanted: RankingFilter, known_at: datetime | None) -> Select[Any]:
    """Each commune's latest figure of every regime and kind of period."""
    figures = figures_as_of(known_at)
    kind = (units.c.code, periods.c.regime, periods.c.period_type)
    query = (
        select(
            units.c.code.label("admin_unit"),
            units.c.province_code.label("province"),
            sub_populations.c.words.label("sub_population_words"),
            *period_columns(),
            due_rules_for(units.c.code, units.c.province_code, periods.c.regime, known_at).label("due_rules"),
            *figure_columns(viewer, figures),
        )
        .join_from(figures, units, units.c.id == figures.c.admin_unit_id)
        .join(sub_populations, sub_populations.c.id == figures.c.sub_population_id)
        .join(periods, periods.c.id == figures.c.period_id)
        .join(postings, postings.c.id == figures.c.posting_id)
        .where(
            figures.c.indicator_id == indicators.c.indicator_id,
            units.c.province_code == provinces.c.code,
            sub_populations.c.words == wanted.sub_population,
            figures.c.is_withdrawn == false(),
            periods.c.year == wanted.year,
            periods.c.ends_on <= wanted.on,
            figure_visible(viewer, figures.c.source),
        )
        .ext(distinct_on(*kind))
        .order_by(*kind, periods.c.ends_on.desc(), periods.c.starts_on)
    )
    for column, value in ((periods.c.regime, wanted.regime), (periods.c.code, wanted.period)):
        if value:
            query = query.where(column == value)
    return query.correlate(indicators, provinces)


def _with_target(viewer: Viewer, wanted: RankingFilter, known_at: datetime | None) -> ColumnElement[Any]:
    codes = (
        targets_of_plans(viewer, TargetFilter(years=(wanted.year,)), known_at)
        .where(
            targets.c.indicator_id == indicators.c.indicator_id,
            sub_populations.c.words == wanted.sub_population,
            plans.c.province == provinces.c.code,
            plans.c.admin_unit != provinces.c.code,
        )
        .with_only_columns(func.array_agg(plans.c.admin_unit.distinct(), type_=ARRAY(Text)), maintain_column_froms=True)
        .correlate(indicators, provinces)
        .scalar_subquery()
    )
    return func.coalesce(codes, cast([], ARRAY(Text)))


def figures_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures of one ranking, with numbers, days and moments as such again."""
    return [{name: _read(name, value) for name, value in told.items()} for told in row["figures"]]


_KINDS = {column.key: type(column.type) for column in (*figures_as_of(None).c, *periods.c)}


def _read(name: str, value: Any) -> Any:
    read = _READ.get(_KINDS.get(name, Text))
    return value if read is None or value is None else read(value)
