"""What a plan holds, item by item, as it crosses the border."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from chassis.bodies import Body
from chassis.execution_time import ExecutionTimeKind
from services.plans.domain.items import (
    BasisRelation,
    IssuerLevel,
    LeadBasis,
    LeadRole,
    Pillar,
    ReportingCycle,
    RuleComparator,
    SystemBoundary,
    SystemConnection,
)
from services.plans.schemas.values import Count, ItemKey, Moment, Number, Offices, ShortWords, Vnd, Words, Year

SourceRef = Annotated[
    ShortWords, Field(description="Where it stands in the document.", examples=["III.1, ý 2 (dòng 142)"])
]
Note = Annotated[Words, Field(description="What the recorder remarks; shown to callers with a token only.")]
Keys = Annotated[list[ItemKey], Field(max_length=200)]
Titles = Annotated[list[ShortWords], Field(max_length=100)]


class ItemBody(Body):
    """What every item has."""

    key: ItemKey
    note: Note | None = None


class TaskBody(ItemBody):
    """A task (nhiệm vụ): what is to be done, by whom, when, and what it is linked to."""

    group_vi: ShortWords | None = Field(None, description="Heading under which the document puts it.")
    title_vi: ShortWords = Field(description="What is to be done, shortened.")
    pillar: Pillar | None = Field(None, description="Null: none fits; the note says why.")
    pillar_stated: bool | None = Field(
        None, strict=True, description="Whether the document itself names the pillar; null: not recorded."
    )
    alternative_pillar: Pillar | None = Field(None, description="Another pillar it could stand under.")
    lead_offices: Offices = Field([], description="Who leads; empty: chưa phân công.")
    lead_basis: LeadBasis | None = Field(None, description="Where the lead offices are named; none: nowhere.")
    lead_ref: ShortWords | None = Field(None, description="The place where they are named.")
    lead_role: LeadRole | None = Field(None, description="Null: they lead; else the lesser role the words give.")
    coordinating_offices: Offices = Field([])
    supporting_offices: Offices = Field([], description="Offices of the upper level that support or guide.")
    execution_time_kind: ExecutionTimeKind | None = Field(None, description="Form of `execution_time`.")
    execution_time: Annotated[str, Field(max_length=24)] | None = Field(
        None, description="2026, 2026/2027, 2026-Q2, 2026-Q2/2026-Q3, 2026-04, 2026-04-30; ongoing: null or a year."
    )
    execution_time_text: ShortWords | None = Field(None, description="The document's own words, always kept.")
    execution_time_ref: ShortWords | None = Field(None, description="Where the time stands, if not in the task.")
    cadence: ShortWords | None = Field(None, description="How often, in the document's words.")
    source_ref: SourceRef | None = None
    budget_lines: Keys = Field([], description="Keys of the plan's budget lines (budget service) that pay for it.")
    budget_rule: ItemKey | None = Field(None, description="Key of the plan's budget rule it carries out.")
    reporting_duty: ItemKey | None = Field(None, description="Key of the plan's reporting duty it states.")
    external_systems: Keys = Field([], description="Keys of the plan's external systems it feeds or uses.")
    delegated_to_annex: bool = Field(False, strict=True, description="The task is to do what an annex assigns.")
    from_annex: bool = Field(False, strict=True, description="The task stands in an annex only.")


class LegalBasisBody(ItemBody):
    """A legal basis (căn cứ), cited as written: a citation may be wrong and is never corrected."""

    document_number: ShortWords | None = Field(None, description="As written; null: the plan gives none.")
    document_kind: ShortWords = Field(description="Nghị quyết, Quyết định, Luật, …", examples=["Nghị quyết"])
    issued_on: date | None = None
    issuer: ShortWords | None = None
    issuer_level: IssuerLevel
    subject_vi: Words | None = None
    relation: BasisRelation
    amends: Titles = Field([], description="Documents that this one amends, as written.")
    implements: Titles = Field([], description="Documents that this one carries out, as written.")
    variants: Titles = Field([], description="Other spellings of its number in the same plan.")
    alias: ShortWords | None = Field(None, description="Name it is known by.", examples=["Đề án 06"])
    same_as: ItemKey | None = Field(None, description="Key under which another plan cites the same document.")
    cited_in: ShortWords | None = Field(None, description="Where it is mentioned, if not among the bases.")
    funds_plan: bool = Field(False, strict=True, description="Whether it gives the plan its money.")
    discrepancy: Words | None = Field(None, description="What does not fit, here or against other plans.")
    source_ref: SourceRef | None = None


class ReportingDutyBody(ItemBody):
    """A reporting duty (chế độ báo cáo): who reports what to whom, and when."""

    cycle: ReportingCycle
    due_rule: Words = Field(description="When it is due, in the document's words.")
    from_offices: Offices = Field([])
    to_offices: Offices = Field([])
    via_offices: Offices = Field([])
    content_vi: Words
    due_before_day: Annotated[int, Field(strict=True, ge=1, le=31)] | None = Field(
        None, description="Due before this day of the month, in the months of `due_months`."
    )
    due_months: Annotated[list[Annotated[int, Field(strict=True, ge=1, le=12)]], Field(max_length=12)] = Field([])
    due_month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] | None = Field(
        None, description="The one month in which it is due."
    )
    due_dates: Annotated[
        list[Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]], Field(max_length=24)
    ] = Field([], description="Days of the year on which it is due, month-day.", examples=[["06-10", "12-10"]])
    source_ref: SourceRef | None = None


class RuleParams(Body):
    """What a budget rule compares: a metric with a value or a base."""

    metric: ShortWords
    comparator: RuleComparator | None = Field(description="Null: the document states no threshold.")
    value: Number | None = Field(None, description="In `measure_unit`; percent on 0-100.")
    measure_unit: ShortWords = Field(description="percent, vnd, or the document's words.")
    base: Vnd | ShortWords | None = Field(None, description="What it is a share of: whole đồng, or words.")


class BudgetRuleBody(ItemBody):
    """A rule the plan sets for its own money; checked with numbers by the budget service."""

    kind: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=60, examples=["share_min"])]
    rule_vi: Words
    params: RuleParams | None = None
    offices: Offices = Field([], description="Who answers for it.")
    discrepancy: Words | None = None
    source_ref: SourceRef | None = None


class PriorYearResultBody(ItemBody):
    """What the document says was reached in the year before: its own words, apart from posted actuals."""

    area_vi: ShortWords
    result_vi: Words
    value: Number | None = Field(None, description="In `measure_unit`; percent on 0-100.")
    measure_unit: ShortWords | None = Field(None, description="percent, or the document's words.")
    scope_count: Count | None = Field(None, description="How many it covers.")
    scope_unit: ShortWords | None = Field(None, description="Of what.")
    difficulty_vi: Words | None = None
    source_ref: SourceRef | None = None


class RecipientBody(ItemBody):
    """A recipient (nơi nhận), as written, with the offices meant."""

    raw_text: ShortWords = Field(description="The line as written.")
    names_person: bool = Field(False, strict=True, description="Whether the line names a person.")
    offices: Offices = Field([])
    source_ref: SourceRef | None = None


class ExternalSystemBody(ItemBody):
    """A system the plan names: what is asked, whether data flow, and when they last did."""

    name_vi: ShortWords
    boundary: SystemBoundary
    owner_vi: ShortWords | None = None
    ask_vi: Words = Field(description="What the plan asks.")
    connection: SystemConnection = SystemConnection.NONE
    last_success_at: Moment | None = Field(None, description="Last successful exchange; only where live.")
    source_refs: Annotated[list[ShortWords], Field(max_length=50)] = Field([])


class DiscrepancyBody(ItemBody):
    """Something in the document that does not fit; kept, never repaired in silence."""

    location: ShortWords = Field(description="Where in the document.")
    issue_vi: Words
    type: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=40, examples=["blank"])]


class FundingSource(Body):
    """Where money is to come from, as stated."""

    slug: ItemKey
    text_vi: Words
    source_ref: SourceRef | None = None


class Budgeted(Body):
    """Totals that we computed where the document states none."""

    recurrent_vnd: Vnd
    investment_vnd: Vnd
    total_vnd: Vnd
    note: Words | None = None


class PriorYearBudget(Body):
    """The money of the year before, as the document reports it."""

    budget_year: Year
    allocated_vnd: Vnd
    disbursed_vnd: Vnd
    disbursement_rate: Number = Field(description="Disbursed over allocated, as a ratio (1 is 100 %).")
    as_of: date
    purpose_vi: Words | None = None
    source_ref: SourceRef | None = None
