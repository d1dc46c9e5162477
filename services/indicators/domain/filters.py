"""What a reader asks for: empty filters take everything."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class CatalogueFilter:
    """Which catalogue entries."""

    codes: Sequence[str] = ()
    owners: Sequence[str] = ()
    pillars: Sequence[str] = ()
    value_types: Sequence[str] = ()
    words: str | None = None


@dataclass(frozen=True, slots=True)
class PeriodFilter:
    """Which periods; `admin_unit` chooses whose due days are shown."""

    regimes: Sequence[str] = ()
    years: Sequence[int] = ()
    period_types: Sequence[str] = ()
    codes: Sequence[str] = ()
    on: date | None = None
    admin_unit: str | None = None


@dataclass(frozen=True, slots=True)
class TargetFilter:
    """Which targets."""

    plan_keys: Sequence[str] = ()
    admin_units: Sequence[str] = ()
    provinces: Sequence[str] = ()
    years: Sequence[int] = ()
    indicators: Sequence[str] = ()
    pillars: Sequence[str] = ()
    comparators: Sequence[str] = ()
    value_types: Sequence[str] = ()
    offices: Sequence[str] = ()
    words: str | None = None


@dataclass(frozen=True, slots=True)
class ActualFilter:
    """Which figures."""

    admin_units: Sequence[str] = ()
    provinces: Sequence[str] = ()
    indicators: Sequence[str] = ()
    sub_populations: Sequence[str] = ()
    regimes: Sequence[str] = ()
    periods: Sequence[str] = ()
    period_types: Sequence[str] = ()
    years: Sequence[int] = ()
    sources: Sequence[str] = ()
    data_statuses: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ScorecardFilter:
    """Which targets, on which day, from the figures of which regime and kind of period."""

    on: date
    targets: TargetFilter = field(default_factory=TargetFilter)
    regime: str | None = None
    period_types: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RankingFilter:
    """Which provinces and indicators, on which day, from the figures of which year."""

    provinces: Sequence[str]
    indicators: Sequence[str]
    on: date
    year: int
    sub_population: str = ""
    regime: str | None = None
    period: str | None = None
