"""Items as lists over all plans show them: with the plan and unit they belong to."""

from __future__ import annotations

from pydantic import Field

from chassis.bodies import Body
from services.plans.domain.plans import PlanStatus
from services.plans.schemas.items import (
    BudgetRuleBody,
    DiscrepancyBody,
    ExternalSystemBody,
    LegalBasisBody,
    PriorYearResultBody,
    ReportingDutyBody,
)
from services.plans.schemas.plans import ShownRecipient, TaskWithDays


class OfPlan(Body):
    """Whose item it is."""

    plan_key: str = Field(examples=["25378-2026-digital-transformation-state-agencies"])
    admin_unit: str = Field(description="Code of the plan's unit.")
    province: str = Field(description="Code of its province.")
    year: int
    plan_status: PlanStatus
    position: int = Field(description="Place in the document's list, from 1.")


class TaskRow(TaskWithDays, OfPlan):
    """A task of a plan."""


class LegalBasisRow(LegalBasisBody, OfPlan):
    """A legal basis of a plan."""


class ReportingDutyRow(ReportingDutyBody, OfPlan):
    """A reporting duty of a plan."""


class BudgetRuleRow(BudgetRuleBody, OfPlan):
    """A budget rule of a plan."""


class PriorYearResultRow(PriorYearResultBody, OfPlan):
    """A result of the year before, as a plan tells it."""


class RecipientRow(ShownRecipient, OfPlan):
    """A recipient of a plan."""


class ExternalSystemRow(ExternalSystemBody, OfPlan):
    """An external system a plan names."""


class DiscrepancyRow(DiscrepancyBody, OfPlan):
    """A discrepancy of a plan."""
