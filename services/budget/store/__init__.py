"""What the budget service keeps, and every statement that asks for it."""

from services.budget.store.facts import list_facts
from services.budget.store.lines import (
    apply_sets,
    list_groups,
    list_lines,
    load_amounts,
    load_changes,
    load_groups,
    load_lines,
    load_version,
)
from services.budget.store.replicas import (
    PUBLIC_STATUSES,
    drop_admin_units,
    drop_offices,
    find_plan,
    find_visible_plan,
    forget_admin_units,
    forget_offices,
    forget_plans,
    keep_admin_units,
    keep_offices,
    keep_plans,
    load_offices,
)
from services.budget.store.tables import Base, Plan
from services.budget.store.totals import list_totals

__all__ = [
    "PUBLIC_STATUSES",
    "Base",
    "Plan",
    "apply_sets",
    "drop_admin_units",
    "drop_offices",
    "find_plan",
    "find_visible_plan",
    "forget_admin_units",
    "forget_offices",
    "forget_plans",
    "keep_admin_units",
    "keep_offices",
    "keep_plans",
    "list_facts",
    "list_groups",
    "list_lines",
    "list_totals",
    "load_amounts",
    "load_changes",
    "load_groups",
    "load_lines",
    "load_offices",
    "load_version",
]
