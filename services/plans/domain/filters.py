"""What lists can be narrowed by; the names are those of the fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Units: `on` is the day on which they hold; None: every validity."""

    codes: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    words: str | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class OfficeFilter:
    """Offices: by unit, slug, level, by any words of their names, or by exactly one of their names."""

    admin_units: tuple[str, ...] = ()
    slugs: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    words: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """Plans, and what hangs on them."""

    plan_keys: tuple[str, ...] = ()
    admin_units: tuple[str, ...] = ()
    provinces: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    words: str | None = None


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Items of plans: those of their plans' filter, and by pillar, office, or the item's own code."""

    plans: PlanFilter = PlanFilter()
    keys: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AsKnown:
    """Which state of a plan: now, at a moment, or the last state of a revision (as known at a moment)."""

    known_at: datetime | None = None
    revision: int | None = None
