"""What can come in over HTTP: routes only; no rule, no SQL."""

# Fixed words come before `{plan_key}`: the first route that fits a path answers it.
from services.plans.api import units, offices, items, plans  # isort: skip
from services.plans.api.router import DESCRIPTION, TITLE, router

__all__ = ["DESCRIPTION", "TITLE", "items", "offices", "plans", "router", "units"]
