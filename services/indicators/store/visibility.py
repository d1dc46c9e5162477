"""Who sees what: one predicate for what hangs on a plan, one for figures, used by every statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, false, func, null, or_, true

from chassis.auth import Caller
from chassis.text import contains_pattern
from services.indicators.domain.actuals.columns import SAMPLE
from services.indicators.store.tables import AdminUnit, Plan, table_of

plans = table_of(Plan)
units = table_of(AdminUnit)
province = func.coalesce(units.c.province_code, units.c.code)  # a province is its own


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose eyes: the units the caller acts for, and whether sample figures are public here (the demo)."""

    caller: Caller
    shows_samples: bool

    @property
    def is_anonymous(self) -> bool:
        """Whether the caller shows no token."""
        return self.caller.is_anonymous


def covered(caller: Caller, code: Any, of_province: Any) -> ColumnElement[bool]:
    """Rows of units the caller acts for: named, by their province, or everywhere."""
    if "*" in caller.admin_units:
        return true()
    if not caller.admin_units:
        return false()
    codes = caller.unit_codes
    return or_(code.in_(codes), and_(of_province.is_not(None), of_province.in_(codes)))


def plan_visible(viewer: Viewer, known_at: datetime | None) -> ColumnElement[bool]:
    """Plans the caller may see as they were known: public ones, and drafts of the units the caller acts for.

    What was known before a plan became public stays a draft for ever.
    """
    public_from = plans.c.public_from
    is_public = public_from.is_not(None) if known_at is None else public_from <= known_at
    return or_(is_public, covered(viewer.caller, plans.c.admin_unit, plans.c.province))


def figure_covered(viewer: Viewer) -> ColumnElement[bool]:
    """Figures of units the caller acts for."""
    return covered(viewer.caller, units.c.code, province)


def figure_visible(viewer: Viewer, source: Any) -> ColumnElement[bool]:
    """Figures the caller may see: of its own units all, of others the public ones.

    Public are figures of approved reports (there are no reports yet) and, in the demo, sample figures.
    """
    own = figure_covered(viewer)
    return or_(own, source == SAMPLE) if viewer.shows_samples else own


def covered_only(viewer: Viewer, column: Any, label: str) -> ColumnElement[Any]:
    """A column that only callers who act for the row's unit see: notes, evidence links, names, reasons."""
    hidden = cast(null(), column.type)
    return case((figure_covered(viewer), column), else_=hidden).label(label)


def unless_anonymous(viewer: Viewer, column: Any, label: str) -> ColumnElement[Any]:
    """A column with remarks: nothing to callers without a token."""
    return cast(null(), column.type).label(label) if viewer.is_anonymous else column.label(label)


def contains(column: Any, words: str) -> ColumnElement[bool]:
    """Whether a folded column contains the words, whatever their accents and case."""
    found: ColumnElement[bool] = column.like(contains_pattern(words), escape="\\")
    return found
