"""Plans as they cross the border: the whole document, its header, and the acts of its life."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.bodies import Body
from services.plans.domain.items import AnnexPresence
from services.plans.domain.plans import LONGEST_KEY, BlankField, PlanStatus
from services.plans.schemas.items import (
    Budgeted,
    BudgetRuleBody,
    DiscrepancyBody,
    ExternalSystemBody,
    FundingSource,
    LegalBasisBody,
    PriorYearBudget,
    PriorYearResultBody,
    RecipientBody,
    ReportingDutyBody,
    TaskBody,
    Titles,
)
from services.plans.schemas.values import ItemKey, ShortWords, Slug, UnitCode, Vnd, Words, Year


class ProposalDocument(Body):
    """The paper by which an office proposed the plan (Tờ trình)."""

    document_number: ShortWords
    issued_on: date | None = None
    office: Slug


class Annex(Body):
    """An annex (phụ lục) the plan names."""

    number: ShortWords = Field(examples=["Phụ lục I"])
    title_vi: ShortWords
    presence: AnnexPresence


class PlanFields(Body):
    """What a plan's document says of itself."""

    phase: Annotated[str, Field(pattern=r"^\d{4}-\d{4}$")] | None = Field(
        None, description="Of a plan for several years.", examples=["2026-2030"]
    )
    title_vi: ShortWords
    title_en: ShortWords
    document_number: ShortWords | None = Field(None, description="Number and symbol; null: blank.")
    document_number_raw: ShortWords | None = Field(None, description="As printed.", examples=["/KH-UBND"])
    issued_on: date | None = Field(None, description="Day of issue; null: blank.")
    issued_partial: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")] | None = Field(
        None, description="As much of the day of issue as is printed.", examples=["2026-04"]
    )
    issuing_body: ShortWords
    signer_name: ShortWords | None = Field(None, description="Personal data: null to callers without a token.")
    signer_role: ShortWords | None = None
    signer_on_behalf: ShortWords | None = Field(None, examples=["TM. Ủy ban nhân dân"])
    standing_office: Slug | None = Field(None, description="Office that keeps the plan going (thường trực).")
    standing_office_ref: ShortWords | None = None
    proposal_document: ProposalDocument | None = None
    implements: Titles = Field([], description="Documents the plan carries out, as written.")
    implements_ref: ShortWords | None = None
    general_objectives: Annotated[list[Words], Field(max_length=100)] = Field([])
    budget_total_vnd: Vnd | None = Field(None, description="Total the document states, whole đồng.")
    budget_total_ref: ShortWords | None = None
    budget_total_computed: Budgeted | None = None
    prior_year_budget: PriorYearBudget | None = None
    funding_sources: Annotated[list[FundingSource], Field(max_length=100)] = Field([])
    annexes: Annotated[list[Annex], Field(max_length=50)] = Field([])
    notes: Annotated[list[Words], Field(max_length=200)] = Field([], description="What the recorder remarks.")
    blank_in_source: Annotated[list[BlankField], Field(max_length=10)] = Field(
        [], description="Fields the document leaves blank: they may be filled in later without a revision."
    )
    source_file: ShortWords | None = Field(None, description="File the record was read from.")
    slug: Slug | None = Field(None, description="Short name used by the recorder; never a key.")


class PlanLists(Body):
    """The items of a plan, in the document's order."""

    legal_bases: Annotated[list[LegalBasisBody], Field(max_length=1000)] = Field([])
    tasks: Annotated[list[TaskBody], Field(max_length=2000)] = Field([])
    reporting_duties: Annotated[list[ReportingDutyBody], Field(max_length=200)] = Field([])
    budget_rules: Annotated[list[BudgetRuleBody], Field(max_length=200)] = Field([])
    prior_year_results: Annotated[list[PriorYearResultBody], Field(max_length=500)] = Field([])
    recipients: Annotated[list[RecipientBody], Field(max_length=200)] = Field([])
    external_systems: Annotated[list[ExternalSystemBody], Field(max_length=300)] = Field([])
    discrepancies: Annotated[list[DiscrepancyBody], Field(max_length=500)] = Field([])


LISTS = tuple(PlanLists.model_fields)


class PlanBody(PlanFields, PlanLists):
    """The whole document of a plan. Key, unit, year and kind are the address; repeating them must agree."""

    plan_key: Annotated[str, Field(max_length=LONGEST_KEY)] | None = None
    admin_unit: UnitCode | None = None
    year: Year | None = None
    kind: Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$")] | None = None

    def header(self) -> dict[str, Any]:
        """The fields of the header, nested values as plain data."""
        return self.model_dump(include=set(PlanFields.model_fields))

    def lists(self) -> dict[str, list[dict[str, Any]]]:
        """The lists of items, as plain data."""
        return {name: [item.model_dump() for item in getattr(self, name)] for name in LISTS}


class Amendment(Body):
    """The act by which a plan was amended last."""

    document_number: ShortWords | None = None
    issued_on: date | None = None
    reason_vi: Words


class Closing(Body):
    """The act by which a plan was closed."""

    closed_on: date
    reason_vi: Words


class PlanHeader(PlanFields):
    """A plan without its items."""

    notes: list[Words] | None = Field(  # type: ignore[assignment]  # what is private may be withheld
        description="What the recorder remarks; null to callers without a token."
    )
    plan_id: UUID
    plan_key: str
    admin_unit: UnitCode
    province: str = Field(description="Code of the unit's province; a province's own code.")
    year: int
    kind: str
    revision: int = Field(description="1 for the first issue; one more with every amendment.")
    status: PlanStatus
    version: int = Field(description="One more with every recorded change; named by If-Match.")
    recorded_at: datetime = Field(description="When this version was recorded.")
    public_from: datetime | None = Field(description="When the plan became public; null: it is a draft.")
    amendment: Amendment | None
    closing: Closing | None


class PlanHeaderRow(PlanHeader):
    """A plan without its items; `with=budget_rules` adds its rules."""

    budget_rules: list[BudgetRuleBody] | None = Field(None, description="With `with=budget_rules`.")


class TaskWithDays(TaskBody):
    """A task with the days its time implies."""

    starts_on: date | None = Field(description="First day implied by the time; null: none is.")
    ends_on: date | None = Field(description="Last day implied by the time, inclusive.")
    is_continuous: bool = Field(description="Thường xuyên: no end is meant.")


class ShownRecipient(RecipientBody):
    """A recipient as it is shown."""

    raw_text: ShortWords | None = Field(  # type: ignore[assignment]  # what is private may be withheld
        description="The line as written; null to callers without a token where it names a person."
    )


class PlanDocument(PlanHeader, PlanLists):
    """The whole plan."""

    recipients: list[ShownRecipient]  # type: ignore[assignment]  # a list of what extends the body's recipient
    tasks: list[TaskWithDays]  # type: ignore[assignment]  # a list of what extends the body's task


class IssueBody(Body):
    """The statement that a plan has been issued; a number or day that was blank may be given."""

    document_number: ShortWords | None = None
    issued_on: date | None = None


class AmendBody(Body):
    """The statement that a plan has been amended: by which document, why, and how it reads now."""

    amendment: Amendment
    plan: PlanBody


class CloseBody(Body):
    """The statement that a plan is closed."""

    closed_on: date | None = Field(None, description="Left out: today.")
    reason_vi: Words


class SetChanges(Body):
    """What applying a list changed."""

    created: list[ItemKey]
    updated: list[ItemKey]
    unchanged: int
    removed: list[ItemKey] = Field(description="Only with prune=true.")
    kept: list[ItemKey] = Field(description="Not in the body, and kept because prune was not asked.")


class PlanChanges(Body):
    """What a write of a plan changed."""

    plan_key: str
    plan_id: UUID
    revision: int
    status: PlanStatus
    version: int
    dry_run: bool
    changes: dict[str, SetChanges] = Field(description="By list; `header` names the changed fields.")
    write_token: str | None = Field(description="For X-Min-Version; null: nothing was written.")


class ApplyChanges(Body):
    """What a write of units or offices changed."""

    dry_run: bool
    changes: dict[str, SetChanges]
    write_token: str | None
