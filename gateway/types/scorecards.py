"""Scorecards: every target of a plan with its latest figure and the verdict on a day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry import Parent

from chassis.clock import today
from gateway.clients import Row
from gateway.types.enums import Achievement, Direction, NoData, PeriodType, Pillar
from gateway.types.fields import shown, told
from gateway.types.indicators import Actual, Target
from gateway.types.scalars import Date, DateTime, Decimal, Period

YEAR = "Year of the plan; this year where absent."
ON = "The day to evaluate for; today where absent."
KNOWN_AT = "Answer what was known at this moment (transaction time)."


@shown
class Evaluation:
    """The verdict on a target on a day, and why."""

    achievement: Achievement = told("The verdict.")
    achievement_ratio: Decimal | None = told("Figure over target: 0.95 is 95 %; only where more is better.")
    no_data_reason: NoData | None = told("Why there is no figure.")
    rule: str = told("Comparator, with .ceiling, .standing or .linear where that decides.")
    expected_value: Decimal | None = told("What a linear trajectory asks by now.")
    due_on: Date = told("Last day of the target's due time.")
    report_period: Period | None = told("Period of the report that is awaited, when there is no figure.")
    report_due_on: Date | None = told("Day on which that report is due.")
    days_late: int | None = told("Days past due.")
    reason_vi: str = told("Vì sao: figure, who, when, plan row, rule, in one sentence.")
    reason_en: str = told("The same in English.")


def _of_target(name: str) -> Callable[..., Any]:
    def resolve(row: Parent[Row]) -> Any:
        return row["target"][name]

    return resolve


def _target(row: Parent[Row]) -> Row:
    return {**row["target"], **{name: row[name] for name in ("plan_key", "admin_unit", "province", "year")}}


@shown
class ScorecardEntry:
    """One target of a plan with its latest figure on the day and the verdict.

    Latest is the figure with the greatest end on or before the day, within one regime and kind of period.
    """

    plan_key: str = told("Key of the plan.")
    on: Date = told("The day evaluated for.")
    regime: str | None = told("The regime whose figures were looked at.")
    period_type: PeriodType | None = told("The kind of period the latest figure has.")
    target: Target = told("What was promised.", _target)
    actual: Actual | None = told("The latest figure; null: there is none.")
    evaluation: Evaluation = told("The verdict.")
    indicator_name_vi: str = told("Name of what is measured.", _of_target("indicator_name_vi"))
    indicator_name_en: str = told("The same in English.", _of_target("indicator_name_en"))
    lead_vi: str = told("Names of the lead offices; «chưa phân công» where the plan names none.", _of_target("lead_vi"))
    direction: Direction = told("Which way is better.", _of_target("direction"))
    scale: str | None = told("Lowest and highest figure.", _of_target("scale"))


def argument(description: str) -> Any:
    """An argument's description."""
    return strawberry.argument(description=description)


Year = Annotated[int | None, argument(YEAR)]
On = Annotated[Date | None, argument(ON)]
KnownAt = Annotated[DateTime | None, argument(KNOWN_AT)]
Pillars = Annotated[list[Pillar] | None, argument("Of these pillars only.")]
Indicators = Annotated[list[str] | None, argument("Of these indicators only, by code.")]
Regime = Annotated[str | None, argument("Figures of this reporting regime; the unit's default where absent.")]


def this_year() -> int:
    """The year that is meant where none is asked for."""
    return today().year
