"""Who sees what: one predicate for rows and one for columns, used by every statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, cast, null, or_, true

from chassis.auth import Caller
from chassis.text import contains_pattern
from services.plans.domain.plans import PUBLIC_STATUSES
from services.plans.store.tables import Plan


def visible(caller: Caller, plan: Any = Plan) -> ColumnElement[bool]:
    """Plans the caller may see: issued ones, and drafts of the units the caller acts for."""
    if "*" in caller.admin_units:
        return true()
    is_public: ColumnElement[bool] = plan.status.in_(PUBLIC_STATUSES)
    if not caller.admin_units:
        return is_public
    return or_(is_public, plan.admin_unit.in_(caller.unit_codes), plan.province.in_(caller.unit_codes))


def private(caller: Caller, column: Any) -> ColumnElement[Any]:
    """A column with people's names or remarks: nothing to callers without a token."""
    if not caller.is_anonymous:
        return column  # type: ignore[no-any-return]
    return cast(null(), column.type).label(column.key)


def private_where(caller: Caller, flag: Any, column: Any) -> ColumnElement[Any]:
    """A column that is private only in rows with the flag."""
    if not caller.is_anonymous:
        return column  # type: ignore[no-any-return]
    return case((flag, null()), else_=column).label(column.key)


def contains(column: Any, words: str) -> ColumnElement[bool]:
    """Whether a folded column contains the words, whatever their accents and case."""
    found: ColumnElement[bool] = column.like(contains_pattern(words), escape="\\")
    return found
