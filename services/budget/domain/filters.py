"""What can be asked for: which plans, which lines, and by what totals are broken down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

OUTSIDE_PILLARS = "none"


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """Which plans; an empty field asks for all."""

    plan_keys: Sequence[str] = ()
    admin_units: Sequence[str] = ()
    provinces: Sequence[str] = ()
    years: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines: by what they are, who leads or helps, which task or target they pay for, and words.

    The pillar "none" stands for lines outside every pillar.
    """

    keys: Sequence[str] = ()
    expenditure_kinds: Sequence[str] = ()
    pillars: Sequence[str] = ()
    offices: Sequence[str] = ()
    lead_offices: Sequence[str] = ()
    funding_sources: Sequence[str] = ()
    budget_years: Sequence[int] = ()
    tasks: Sequence[str] = ()
    targets: Sequence[str] = ()
    words: str | None = None


class Dimension(StrEnum):
    """What a total is broken down by."""

    EXPENDITURE_KIND = "expenditure_kind"
    PILLAR = "pillar"
    OFFICE = "office"
    FUNDING_SOURCE = "funding_source"


class Scope(StrEnum):
    """Whether each plan has its own totals, or all plans of a province and year are added up."""

    PLAN = "plan"
    PROVINCE = "province"
