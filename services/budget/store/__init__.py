"""What the budget service keeps, and every statement that asks for it."""

from services.budget.store.facts import list_facts
from services.budget.store.lines import (
    apply_sets,
    find_applied_revision,
    list_groups,
    list_lines,
    load_amounts,
    load_changes,
    load_groups,
    load_lines,
    load_version,
    note_applied,
)
from services.budget.store.replicas import find_visible_plan, load_offices
from services.budget.store.tables import Base, Plan
from services.budget.store.totals import list_totals

__all__ = [
    "Base",
    "Plan",
    "apply_sets",
    "find_applied_revision",
    "find_visible_plan",
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
    "note_applied",
]
