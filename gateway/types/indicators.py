"""What is measured, what a plan promises, and what was achieved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Parent

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import INDICATORS, PLANS, UNITS
from gateway.types.enums import (
    Accumulation,
    Aggregation,
    Comparator,
    DataStatus,
    DerivedFrom,
    Direction,
    ExecutionTimeKind,
    PeriodType,
    Pillar,
    Trajectory,
    ValueType,
)
from gateway.types.fields import shown, told
from gateway.types.nodes import Node, identified, named_unit, unit_code
from gateway.types.offices import Office, offices
from gateway.types.scalars import Date, DateTime, Decimal, Period

if TYPE_CHECKING:
    from gateway.types.plans import Plan
    from gateway.types.units import AdminUnit

AnyUnit = Annotated["AdminUnit", strawberry.lazy("gateway.types.units")]
ThePlan = Annotated["Plan", strawberry.lazy("gateway.types.plans")]
IN_SCALE = "In the indicator's scale (percent on 0-100), exact."
OWN_ONLY = "null to callers who do not act for the unit."


@shown
class Indicator(Node):
    """What is measured (chỉ tiêu), once for everybody; a local code belongs to one unit."""

    id: strawberry.ID = identified("Indicator", "code")
    code: str = told("Code: common (DTI_SCORE), or local to a unit (25378:DTI_SCORE).")
    owner: str | None = told("Code of the unit whose local code it is; null: common.")
    name_vi: str = told("Name in Vietnamese.")
    name_en: str = told("Name in English.")
    pillar: Pillar = told("Its pillar.")
    value_type: ValueType = told("The kind of figure it has.")
    measure_unit: str | None = told("Unit of measure as people write it: %, điểm wifi.")
    scale: str | None = told("Lowest and highest figure: 0-100, 0-1, 1-5.")
    direction: Direction = told("Which way is better.")
    aggregation: Aggregation = told("How communes' figures become a province's.")
    accumulation: Accumulation = told("Lũy kế or trong kỳ; unknown until someone states it.")
    derived_from: DerivedFrom = told("Where the figure comes from.")
    allows_above_100: bool = told("Figures above the end of the scale are accepted.")
    numerator_vi: str | None = told("What is counted.")
    denominator_vi: str | None = told("Of what.")
    related: list[str] = told("Codes of related indicators.")
    used_by: list[str] = told("Codes of the units whose plans have a target for it.")
    note: str | None = told("What to know about it.")


@shown
class Due:
    """When a target is to be reached, as the plan words it: calendar time."""

    kind: ExecutionTimeKind = told("Form of `value`.")
    value: str | None = told("2026, 2026-04, 2026-Q2/2026-Q3; null: ongoing.")


async def indicator_of(row: Parent[Row], info: Info) -> Row | None:
    """The catalogue entry a row names."""
    return await info.context.loaders.first(INDICATORS, row["indicator"])


async def _plan(row: Parent[Row], info: Info) -> Row | None:
    return await info.context.loaders.first(PLANS, row["plan_key"])


async def unit_of(row: Parent[Row], info: Info) -> Row | None:
    """The unit a row names."""
    found = await info.context.loaders.first(UNITS, row["admin_unit"])
    return found and named_unit(found)


def indicator_code(row: Parent[Row]) -> str:
    """The code a row names."""
    code: str = row["indicator"]
    return code


@shown
class Target(Node):
    """What one plan promises for one indicator, with its own words kept."""

    id: strawberry.ID = identified("Target", "plan_key", "key")
    key: str = told("Key of the target, unique in its plan.")
    plan_key: str = told("Key of its plan.")
    plan: ThePlan | None = told("Its plan.", _plan)
    admin_unit_code: str = told("Code of the plan's unit.", unit_code)
    position: int = told("Place in the plan's list, from 1.")
    plan_row: str | None = told("Row of the plan's table; null: it stands in the text only.")
    plan_section: str | None = told("Heading under which the plan puts it.")
    indicator_code: str = told("Code of what is measured.", indicator_code)
    indicator: Indicator | None = told("What is measured.", indicator_of)
    pillar: Pillar = told("Its pillar.")
    name_vi: str = told("The target in the plan's words.")
    value_type: ValueType = told("The kind of figure promised.")
    measure_unit: str | None = told("Unit of measure.")
    comparator: Comparator = told("How a figure is held against the value.")
    value: Decimal | None = told(f"{IN_SCALE} Null for by_date and qualitative.")
    raw_target: str = told("The plan's own words for the value: «đạt trên 90%», «Theo phân bổ của tỉnh».")
    sub_population: str | None = told("The part of the population it is for, where an indicator occurs twice.")
    population: str | None = told("Whom or what it counts.")
    lead_offices: list[Office] | None = told("Who leads; empty: chưa phân công.", offices("lead_offices"), size=2)
    coordinating_offices: list[Office] | None = told("Who coordinates.", offices("coordinating_offices"), size=2)
    supporting_offices: list[Office] | None = told("Who supports from above.", offices("supporting_offices"), size=2)
    lead_via_tasks: list[Office] | None = told(
        "Who leads the tasks it is linked to, where the plan names no lead.", offices("lead_via_tasks"), size=2
    )
    linked_tasks: list[str] = told("The tasks it is linked to, in the plan's words.")
    due: Due | None = told("When it is due, as worded; null: the plan gives none, so the plan year counts.")
    due_from: Date = told("First day of the due time.")
    due_on: Date = told("Last day of the due time, inclusive.")
    trajectory: Trajectory = told("What is expected before the due day.")
    baseline_value: Decimal | None = told("Where a linear trajectory starts.")
    baseline_on: Date | None = told("The day of the baseline.")
    at_risk_from: Decimal | None = told("Share of a linear trajectory from which it is at risk.")
    parent_target: str | None = told("The province's target it serves: plan_key/key.")
    expected_result: str | None = told("The expected output.")
    source_refs: list[str] = told("Places in the document.")
    source_lines: list[int] = told("Lines of the source file.")
    discrepancy: str | None = told("What does not fit in the document.")
    note: str | None = told("What the recorder remarks; null to callers without a token.")


@shown
class Actual:
    """What was achieved (số liệu thực hiện), under its full key: unit, indicator, sub-population, regime, period."""

    admin_unit_code: str = told("Code of the unit.", unit_code)
    admin_unit: AnyUnit | None = told("The unit.", unit_of)
    indicator_code: str = told("Code of what is measured.", indicator_code)
    indicator: Indicator | None = told("What is measured.", indicator_of)
    sub_population: str | None = told("The part of the population it is about; null: the whole.")
    regime: str = told("The reporting regime that cuts the year; figures of two regimes are never compared.")
    period: Period = told("The period it is about.")
    period_type: PeriodType = told("Kind of period.")
    starts_on: Date = told("First day of the period under its regime.")
    ends_on: Date = told("Last day of the period under its regime, inclusive.")
    due_on: Date | None = told("Day on which the report of the period is due; null: none is stated.")
    value: Decimal | None = told(IN_SCALE)
    numerator: Decimal | None = told("With the denominator, what the value was computed from.")
    denominator: Decimal | None = told("With the numerator, what the value was computed from.")
    level: int | None = told("Of levels: the level reached.")
    rank: int | None = told("Of ranks: the place reached; lower is better.")
    text: str | None = told("Of texts: what was reported.")
    done_on: Date | None = told("Of milestones: the day of completion.")
    measured_on: Date = told("The day the figure describes.")
    data_status: DataStatus = told("Ước tính, sơ bộ or chính thức.")
    source: str | None = told("Where it comes from; «sample» is generated for demonstration.")
    is_sample: bool = told("Whether it is generated for demonstration.")
    evidence_url: str | None = told(f"Evidence; {OWN_ONLY}")
    note: str | None = told(f"Remark; {OWN_ONLY}")
    version: int = told("One more with every change; give it as baseVersion.")
    recorded_at: DateTime = told("When it was recorded.")
    recorded_by: str | None = told(f"Client that recorded it; {OWN_ONLY}")
