"""Lists over all plans: headers, and every kind of item."""

from __future__ import annotations

from datetime import datetime

from chassis.auth import Caller
from chassis.listing import Listing
from services.plans.domain.filters import ItemFilter, PlanFilter
from services.plans.store import headers, items


def list_plans(caller: Caller, wanted: PlanFilter, known_at: datetime | None) -> Listing:
    """Headers of the plans the caller may see."""
    return headers.list_plans(caller, wanted, known_at)


def list_plans_with_rules(caller: Caller, wanted: PlanFilter, known_at: datetime | None) -> Listing:
    """The same, each with its budget rules."""
    return headers.list_plans_with_rules(caller, wanted, known_at)


def list_items(name: str, caller: Caller, wanted: ItemFilter, known_at: datetime | None) -> Listing:
    """Items of one kind (`tasks`, `legal_bases`, …) of the plans the caller may see."""
    return items.list_items(name, caller, wanted, known_at)
