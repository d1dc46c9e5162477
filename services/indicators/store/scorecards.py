"""Scorecards: every target with the latest figure of a day, in one statement for one commune or two hundred."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, false, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import LateralFromClause, ScalarSelect

from chassis.history import as_of
from chassis.listing import Listing
from services.indicators.domain.filters import ScorecardFilter
from services.indicators.store.figures import figure_columns, figures_as_of, period_columns, postings
from services.indicators.store.periods import default_regime, due_rules_for, periods, regimes
from services.indicators.store.tables import Indicator, Office, Regime, table_of
from services.indicators.store.targets import targets, targets_of_plans
from services.indicators.store.visibility import Viewer, figure_visible, plans, province, units

indicators = table_of(Indicator)
offices = table_of(Office)

Shape = Callable[[Mapping[str, Any]], dict[str, Any]]


def list_scorecards(
    viewer: Viewer, wanted: ScorecardFilter, known_at: datetime | None, columns: Sequence[str], shape: Shape
) -> Listing:
    """Targets by plan in each plan's own order, with figure, period and due rules joined to each."""
    regime = _regime(wanted.regime, known_at)
    latest = _latest(viewer, wanted, regime, known_at)
    query = (
        targets_of_plans(viewer, wanted.targets, known_at)
        .join(units, units.c.id == targets.c.admin_unit_id)
        .join(indicators, indicators.c.indicator_id == targets.c.indicator_id)
        .where(as_of(Indicator, known_at))
        .outerjoin(regime, literal(True))
        .outerjoin(latest, literal(True))
        .add_columns(
            plans.c.issued_on,
            units.c.name_vi.label("unit_name_vi"),
            units.c.name_en.label("unit_name_en"),
            units.c.type.label("unit_type"),
            indicators.c.name_vi.label("indicator_name_vi"),
            indicators.c.name_en.label("indicator_name_en"),
            indicators.c.direction,
            indicators.c.scale,
            indicators.c.value_type.label("indicator_value_type"),
            regime.c.key.label("regime_asked"),
            regime.c.reporting_window_days,
            due_rules_for(units.c.code, province, regime.c.key, known_at).label("due_rules"),
            _lead_names().label("lead_names"),
            *(column.label(f"actual_{column.key}") for column in latest.c),
        )
    )
    order = (plans.c.plan_key, targets.c.position, targets.c.key)
    return Listing(query, order, tuple(columns), shape)


def _regime(asked: str | None, known_at: datetime | None) -> LateralFromClause:
    if asked is None:
        return default_regime(units.c.code, province, known_at)
    named = select(regimes.c.key, regimes.c.reporting_window_days).where(as_of(Regime, known_at))
    return named.where(regimes.c.key == asked).lateral("default_regime")


def _latest(
    viewer: Viewer, wanted: ScorecardFilter, regime: FromClause, known_at: datetime | None
) -> LateralFromClause:
    # Greatest end on or before the day; of two that end together the longer one, so that a year beats
    # its last quarter. The row says which regime and kind of period it was.
    figures = figures_as_of(known_at)
    query = (
        select(*period_columns(), *figure_columns(viewer, figures))
        .join_from(figures, periods, periods.c.id == figures.c.period_id)
        .join(postings, postings.c.id == figures.c.posting_id)
        .where(
            figures.c.admin_unit_id == targets.c.admin_unit_id,
            figures.c.indicator_id == targets.c.indicator_id,
            figures.c.sub_population_id == targets.c.sub_population_id,
            figures.c.is_withdrawn == false(),
            periods.c.regime == regime.c.key,
            periods.c.year == plans.c.year,
            periods.c.ends_on <= wanted.on,
            figure_visible(viewer, figures.c.source),
        )
        .order_by(periods.c.ends_on.desc(), periods.c.starts_on)
        .limit(1)
    )
    if wanted.period_types:
        query = query.where(periods.c.period_type.in_(wanted.period_types))
    return query.correlate(targets, plans, units, regime).lateral("latest")


def _lead_names() -> ScalarSelect[Any]:
    # A commune's plan may name offices of its province, so both are looked at, the commune's own first.
    unnested = func.unnest(targets.c.lead_offices)
    named = unnested.table_valued("slug", with_ordinality="place").render_derived(name="named")
    own = (
        select(offices.c.name_vi)
        .where(offices.c.slug == named.c.slug, offices.c.admin_unit.in_([units.c.code, province]))
        .order_by(func.length(offices.c.admin_unit).desc())
        .limit(1)
        .correlate(named, units)
        .scalar_subquery()
    )
    name = func.coalesce(own, named.c.slug)
    names = select(func.array_agg(aggregate_order_by(name, named.c.place))).select_from(named)
    return names.correlate(targets, units).scalar_subquery()
