"""Targets as they cross the border."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from chassis.bodies import Body
from services.indicators.domain.catalogue import Pillar, ValueType
from services.indicators.domain.targets import Comparator, DueKind, Promise, Trajectory
from services.indicators.schemas.values import Applied, IndicatorKey, ItemKey, Number, ShortWords, Slugs, Words


class DueBody(Body):
    """When a target is to be reached, as the plan words it: calendar time."""

    kind: DueKind
    value: str | None = Field(None, max_length=40, examples=["2026", "2026-04", "2026-Q2/2026-Q3"])


class TargetBody(Body):
    """What the plan promises for one indicator, with its own words kept."""

    key: ItemKey
    plan_row: ShortWords | None = Field(None, description="Row of the plan's table; null: it stands in the text only.")
    indicator: IndicatorKey
    pillar: Pillar
    plan_section: ShortWords | None = None
    name_vi: Words
    value_type: ValueType
    measure_unit: ShortWords | None = None
    comparator: Comparator
    value: Number | None = Field(None, description="In the indicator's scale; null for by_date and qualitative.")
    raw_target: Words = Field(description="The plan's own words for the target.", examples=["đạt trên 90%"])
    sub_population: ShortWords | None = None
    population: ShortWords | None = None
    lead_offices: Slugs = Field([])
    coordinating_offices: Slugs = Field([])
    supporting_offices: Slugs = Field([])
    lead_via_tasks: Slugs = Field([])
    linked_tasks: Annotated[list[ShortWords], Field(max_length=200)] = Field([])
    due: DueBody | None = Field(None, description="Absent where the plan gives none: the plan year then.")
    trajectory: Trajectory = Trajectory.NONE
    baseline_value: Number | None = None
    baseline_on: date | None = None
    at_risk_from: Number | None = Field(None, gt=0, le=1, description="Share of the line from which: at_risk.")
    parent_target: ShortWords | None = Field(None, description="The province's target it serves: plan_key/key.")
    expected_result: Words | None = None
    source_refs: Annotated[list[ShortWords], Field(max_length=100)] = Field([])
    source_lines: Annotated[list[int], Field(max_length=500)] = Field([])
    discrepancy: Words | None = None
    note: Words | None = Field(None, description="What the recorder remarks; null to callers without a token.")

    def promise(self) -> Promise:
        """What the rules look at."""
        return Promise(
            self.key,
            self.indicator,
            self.sub_population or "",
            self.value_type,
            self.comparator,
            self.value,
            self.due.kind if self.due else None,
            self.due.value if self.due else None,
            self.trajectory,
            self.baseline_value,
            self.baseline_on,
        )


class TargetsBody(Body):
    """The targets of one plan, in the document's order."""

    targets: Annotated[list[TargetBody], Field(max_length=2000)]


class TargetRow(TargetBody):
    """A target as it is listed."""

    plan_key: str
    admin_unit: str
    province: str | None
    year: int
    plan_status: str
    position: int = Field(description="Place in the plan's list, from 1.")
    due_from: date = Field(description="First day of the due time.")
    due_on: date = Field(description="Last day of the due time; the plan year's where none is stated.")


class TargetsOfPlan(Body):
    """All targets of one plan."""

    plan_key: str
    admin_unit: str
    province: str | None
    year: int
    plan_status: str
    version: int | None = Field(description="Named by If-Match; null with `known_at`: what was cannot be edited.")
    targets: list[TargetRow]


class TargetsApplied(Applied):
    """What applying the targets of one plan changed."""

    plan_key: str
    version: int = Field(description="Named by If-Match.")
