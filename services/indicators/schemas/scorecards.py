"""Scorecards as they cross the border: target, latest figure, verdict."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from chassis.bodies import Body
from services.indicators.domain.evaluation import Achievement, NoData
from services.indicators.schemas.actuals import ActualRow
from services.indicators.schemas.targets import TargetBody


class ScoredTarget(TargetBody):
    """The target with its days and its lead in words."""

    position: int
    due_from: date
    due_on: date
    lead_vi: str = Field(description="Names of the lead offices; chưa phân công where the plan names none.")
    indicator_name_vi: str
    indicator_name_en: str
    direction: str
    scale: str | None


class Evaluation(Body):
    """The verdict on the target for the day, and why."""

    achievement: Achievement
    achievement_ratio: Decimal | None = Field(
        description="Figure over target: 0.95 is 95 %; only where more is better."
    )
    no_data_reason: NoData | None
    rule: str = Field(description="Comparator, with .ceiling, .standing or .linear where that decides.")
    expected_value: Decimal | None = Field(description="What a linear trajectory asks by now.")
    due_on: date = Field(description="Last day of the target's due time.")
    report_period: str | None = Field(description="Period of the report that is awaited, when there is no figure.")
    report_due_on: date | None
    days_late: int | None
    reason_vi: str
    reason_en: str


class ScorecardRow(Body):
    """One target of a plan with its latest figure on the day and the verdict.

    Latest is the figure with the greatest end on or before the day, within one regime and kind of period.
    """

    plan_key: str
    admin_unit: str
    province: str | None
    year: int
    on: date
    regime: str | None = Field(description="The regime whose figures were looked at.")
    period_type: str | None = Field(description="The kind of period the latest figure has.")
    target: ScoredTarget
    actual: ActualRow | None
    evaluation: Evaluation
