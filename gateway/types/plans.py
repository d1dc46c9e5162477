"""Plans: what an issued document says of itself, and the way to everything that hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Parent

from gateway.clients import Row
from gateway.context import Info
from gateway.loaders import (
    BUDGET_RULES,
    DISCREPANCIES,
    EXTERNAL_SYSTEMS,
    LEGAL_BASES,
    PRIOR_YEAR_RESULTS,
    RECIPIENTS,
    REPORTING_DUTIES,
    SCORECARDS_OF_PLAN,
    TARGETS,
    TASKS,
    ListOf,
)
from gateway.types.budget import Budget
from gateway.types.enums import AnnexPresence, Pillar, PlanStatus
from gateway.types.fields import shown, told
from gateway.types.indicators import Target, unit_of
from gateway.types.nodes import Node, identified, unit_code
from gateway.types.plan_items import (
    BudgetRule,
    Discrepancy,
    ExternalSystem,
    LegalBasis,
    PriorYearResult,
    Recipient,
    ReportingDuty,
    Task,
)
from gateway.types.scalars import Date, DateTime, Decimal, Vnd
from gateway.types.scorecards import KnownAt, On, ScorecardEntry

if TYPE_CHECKING:
    from gateway.types.units import AdminUnit

AnyUnit = Annotated["AdminUnit", strawberry.lazy("gateway.types.units")]


@shown
class ProposalDocument:
    """The paper by which an office proposed the plan (Tờ trình)."""

    document_number: str = told("Number and symbol.")
    issued_on: Date | None = told("Day of issue.")
    office: str = told("Slug of the office that proposed it.")


@shown
class Annex:
    """An annex (phụ lục) the plan names."""

    number: str = told("As the plan calls it, such as Phụ lục I.")
    title_vi: str = told("Its title.")
    presence: AnnexPresence = told("Whether it is in the file we have.")


@shown
class StatedFundingSource:
    """Where money is to come from, as the plan states it."""

    slug: str = told("Readable key.")
    text_vi: str = told("The plan's words.")
    source_ref: str | None = told("Where it stands in the document.")


@shown
class ComputedTotals:
    """Totals that we computed where the document states none, in whole đồng."""

    recurrent_vnd: Vnd = told("Chi thường xuyên.")
    investment_vnd: Vnd = told("Đầu tư công.")
    total_vnd: Vnd = told("Both together.")
    note: str | None = told("What to know about them.")


@shown
class PriorYearBudget:
    """The money of the year before, as the document reports it."""

    budget_year: int = told("The year before.")
    allocated_vnd: Vnd = told("Allocated, whole đồng.")
    disbursed_vnd: Vnd = told("Disbursed, whole đồng.")
    disbursement_rate: Decimal = told("Disbursed over allocated, as a ratio (1 is 100 %).")
    as_of: Date = told("The day of the figures.")
    purpose_vi: str | None = told("What it was spent on.")
    source_ref: str | None = told("Where it stands in the document.")


@shown
class Amendment:
    """The act by which a plan was amended last."""

    document_number: str | None = told("The amending document.")
    issued_on: Date | None = told("Its day of issue.")
    reason_vi: str = told("Why.")


@shown
class Closing:
    """The act by which a plan was closed."""

    closed_on: Date = told("The day.")
    reason_vi: str = told("Why.")


def items(source: ListOf) -> Callable[..., Any]:
    """One list of a plan, asked together with the same list of every other plan of the query."""

    async def resolve(row: Parent[Row], info: Info) -> list[Row]:
        return await info.context.loaders.rows(source, row["plan_key"], known_at=row.get("known_at"))

    return resolve


async def _tasks(
    row: Parent[Row],
    info: Info,
    pillar: Annotated[Pillar | None, strawberry.argument(description="Tasks of this pillar only.")] = None,
    office: Annotated[str | None, strawberry.argument(description="Tasks that name this office's slug.")] = None,
) -> list[Row]:
    return await info.context.loaders.rows(
        TASKS, row["plan_key"], pillar=pillar and pillar.value, office=office, known_at=row.get("known_at")
    )


async def _scorecard(row: Parent[Row], info: Info, on: On = None, known_at: KnownAt = None) -> list[Row]:
    moment = known_at or row.get("known_at")
    return await info.context.loaders.rows(SCORECARDS_OF_PLAN, row["plan_key"], on=on, known_at=moment)


def _budget(row: Parent[Row], known_at: KnownAt = None) -> Row:
    return {"plan_key": row["plan_key"], "known_at": known_at or row.get("known_at")}


@shown
class Plan(Node):
    """A plan (kế hoạch): one issued document of one admin unit for one year or phase, amended by revisions."""

    id: strawberry.ID = identified("Plan", "plan_key")
    plan_key: str = told("Readable key: unit, year, kind.")
    plan_id: strawberry.ID = told("The plan's own id through all its revisions.")
    admin_unit_code: str = told("Code of its unit.", unit_code)
    admin_unit: AnyUnit | None = told("Its commune or province.", unit_of)
    year: int = told("Its year, the first of a phase.")
    phase: str | None = told("Of a plan for several years, such as 2026-2030.")
    kind: str = told("Kind of plan.")
    revision: int = told("1 for the first issue; one more with every amendment.")
    status: PlanStatus = told("Where it stands in its life; drafts are seen by those who may act for the unit.")
    version: int = told("One more with every recorded change.")
    recorded_at: DateTime = told("When this version was recorded.")
    title_vi: str = told("Title in Vietnamese.")
    title_en: str = told("Title in English, our translation.")
    document_number: str | None = told("Number and symbol; null: blank in the document.")
    document_number_raw: str | None = told("As printed, such as /KH-UBND.")
    issued_on: Date | None = told("Day of issue; null: blank in the document.")
    issued_partial: str | None = told("As much of the day of issue as is printed.")
    issuing_body: str = told("Who issued it.")
    signer_name: str | None = told("Personal data: null to callers without a token.")
    signer_role: str | None = told("The signer's office.")
    signer_on_behalf: str | None = told("On whose behalf, such as TM. Ủy ban nhân dân.")
    standing_office: str | None = told("Slug of the office that keeps the plan going (thường trực).")
    standing_office_ref: str | None = told("Where that is said.")
    proposal_document: ProposalDocument | None = told("The paper that proposed it.")
    implements: list[str] = told("Documents the plan carries out, as written.")
    implements_ref: str | None = told("Where that is said.")
    general_objectives: list[str] = told("Mục tiêu chung, as written.")
    budget_total_vnd: Vnd | None = told("Total the document states, whole đồng.")
    budget_total_ref: str | None = told("Where the total stands.")
    budget_total_computed: ComputedTotals | None = told("Totals we computed where the document states none.")
    prior_year_budget: PriorYearBudget | None = told("The money of the year before.")
    funding_sources: list[StatedFundingSource] = told("Where money is to come from.", size=2)
    annexes: list[Annex] = told("Annexes it names.", size=3)
    notes: list[str] | None = told("What the recorder remarks; null to callers without a token.")
    blank_in_source: list[str] = told("Fields the document leaves blank.")
    source_file: str | None = told("File the record was read from.")
    slug: str | None = told("Short name used by the recorder; never a key.")
    amendment: Amendment | None = told("The act that amended it last.")
    closing: Closing | None = told("The act that closed it.")
    tasks: list[Task] | None = told("Its tasks, in the document's order.", _tasks, size=50)
    legal_bases: list[LegalBasis] | None = told(
        "Its legal bases, in the document's order.", items(LEGAL_BASES), size=20
    )
    reporting_duties: list[ReportingDuty] | None = told("Who reports what, when.", items(REPORTING_DUTIES), size=5)
    budget_rules: list[BudgetRule] | None = told("Rules it sets for its own money.", items(BUDGET_RULES), size=7)
    prior_year_results: list[PriorYearResult] | None = told(
        "What it says was reached the year before; never mixed with posted actuals.",
        items(PRIOR_YEAR_RESULTS),
        size=10,
    )
    recipients: list[Recipient] | None = told("Who received it.", items(RECIPIENTS), size=8)
    external_systems: list[ExternalSystem] | None = told(
        "Systems it must feed or use.", items(EXTERNAL_SYSTEMS), size=15
    )
    discrepancies: list[Discrepancy] | None = told("What does not fit in the document.", items(DISCREPANCIES), size=15)
    targets: list[Target] | None = told("What it promises, in the document's order.", items(TARGETS), size=30)
    scorecard: list[ScorecardEntry] | None = told(
        "Every target with the latest figure and the verdict.", _scorecard, size=30
    )
    budget: Budget | None = told("Its money.", _budget)
