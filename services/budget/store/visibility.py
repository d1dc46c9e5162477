"""Who sees what: one predicate for what hangs on a plan, used by every statement."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, true
from sqlalchemy.sql.elements import ColumnElement

from chassis.auth import Caller
from services.budget.store.tables import PLAN


def plan_visible(caller: Caller, known_at: datetime | None) -> ColumnElement[bool]:
    """Plans the caller may see as they were known: public ones, and drafts of the units the caller acts for.

    What was known before a plan became public stays a draft for ever.
    """
    if "*" in caller.admin_units:
        return true()
    public_from, units = PLAN.c.public_from, caller.unit_codes
    is_public = public_from.is_not(None) if known_at is None else public_from <= known_at
    return or_(is_public, PLAN.c.admin_unit.in_(units), PLAN.c.province.in_(units))
