"""What a plan's life allows of its budget."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import Rule
from services.budget.domain.rules import BUDGET_NEEDS_AMENDMENT, BUDGET_PLAN_CLOSED


@dataclass(frozen=True, slots=True)
class PlanLife:
    """How far a plan has come: its status and revision, and the revision its budget was last applied for."""

    status: str
    revision: int
    applied_revision: int | None

    def refusal(self, correction: str | None) -> Rule | None:
        """Why its budget cannot change; None if it can.

        The budget of an issued plan changes by an amendment (a newer revision), or as a stated correction.
        """
        if self.status == "closed":
            return BUDGET_PLAN_CLOSED
        is_new = self.applied_revision is None or self.revision > self.applied_revision
        is_free = self.status == "draft" or is_new or correction is not None
        return None if is_free else BUDGET_NEEDS_AMENDMENT
