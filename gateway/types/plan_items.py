"""What a plan holds, item by item, in the words of its document."""

from __future__ import annotations

import strawberry
from strawberry import Parent

from gateway.clients import Row
from gateway.types.enums import (
    BasisRelation,
    Comparator,
    ExecutionTimeKind,
    IssuerLevel,
    LeadBasis,
    LeadRole,
    Pillar,
    ReportingCycle,
    SystemBoundary,
    SystemConnection,
)
from gateway.types.fields import shown, told
from gateway.types.nodes import Node, identified
from gateway.types.offices import Office, offices
from gateway.types.scalars import Date, DateTime, Decimal, Vnd

KEY = "Key of the item, unique in its list of the plan and kept through every revision."
NOTE = "What the recorder remarks; null to callers without a token."
SOURCE = "Where it stands in the document."
PLAN = "Key of its plan."
POSITION = "Place in the document's list, from 1."


@shown
class Task(Node):
    """A task (nhiệm vụ): what is to be done, by whom, when, and what it is linked to."""

    id: strawberry.ID = identified("Task", "plan_key", "key")
    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    group_vi: str | None = told("Heading under which the document puts it.")
    title_vi: str = told("What is to be done, shortened.")
    pillar: Pillar | None = told("Null: none fits; the note says why.")
    pillar_stated: bool | None = told("Whether the document itself names the pillar; null: not recorded.")
    alternative_pillar: Pillar | None = told("Another pillar it could stand under.")
    lead_offices: list[Office] | None = told("Who leads; empty: chưa phân công.", offices("lead_offices"), size=2)
    lead_basis: LeadBasis | None = told("Where the lead offices are named.")
    lead_ref: str | None = told("The place where they are named.")
    lead_role: LeadRole | None = told("Null: they lead; else the lesser role the words give.")
    coordinating_offices: list[Office] | None = told("Who coordinates.", offices("coordinating_offices"), size=2)
    supporting_offices: list[Office] | None = told(
        "Offices of the upper level that support or guide.", offices("supporting_offices"), size=2
    )
    execution_time_kind: ExecutionTimeKind | None = told("Form of `executionTime`.")
    execution_time: str | None = told("2026, 2026/2027, 2026-Q2, 2026-Q2/2026-Q3, 2026-04, 2026-04-30.")
    execution_time_text: str | None = told("The document's own words.")
    execution_time_ref: str | None = told("Where the time stands, if not in the task.")
    starts_on: Date | None = told("First day implied by the time; null: none is.")
    ends_on: Date | None = told("Last day implied by the time, inclusive.")
    is_continuous: bool = told("Thường xuyên: no end is meant.")
    cadence: str | None = told("How often, in the document's words.")
    budget_lines: list[str] = told("Keys of the plan's budget lines that pay for it.")
    budget_rule: str | None = told("Key of the plan's budget rule it carries out.")
    reporting_duty: str | None = told("Key of the plan's reporting duty it states.")
    external_systems: list[str] = told("Keys of the plan's external systems it feeds or uses.")
    delegated_to_annex: bool = told("The task is to do what an annex assigns.")
    from_annex: bool = told("The task stands in an annex only.")
    source_ref: str | None = told(SOURCE)
    note: str | None = told(NOTE)


@shown
class LegalBasis:
    """A legal basis (căn cứ), cited as written: a citation may be wrong and is never corrected."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    document_number: str | None = told("As written; null: the plan gives none.")
    document_kind: str = told("Nghị quyết, Quyết định, Luật, …")
    issued_on: Date | None = told("Day of issue as cited.")
    issuer: str | None = told("Who issued it, as cited.")
    issuer_level: IssuerLevel = told("Level of the issuer.")
    subject_vi: str | None = told("What it is about (trích yếu).")
    relation: BasisRelation = told("How the plan cites it.")
    amends: list[str] = told("Documents that it amends, as written.")
    implements: list[str] = told("Documents that it carries out, as written.")
    variants: list[str] = told("Other spellings of its number in the same plan.")
    alias: str | None = told("Name it is known by, such as Đề án 06.")
    same_as: str | None = told("Key under which another plan cites the same document.")
    cited_in: str | None = told("Where it is mentioned, if not among the bases.")
    funds_plan: bool = told("Whether it gives the plan its money.")
    discrepancy: str | None = told("What does not fit, here or against other plans.")
    source_ref: str | None = told(SOURCE)
    note: str | None = told(NOTE)


@shown
class ReportingDuty:
    """A reporting duty (chế độ báo cáo): who reports what to whom, and when."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    cycle: ReportingCycle = told("How often it falls due.")
    due_rule: str = told("When it is due, in the document's words.")
    from_offices: list[Office] | None = told("Who reports.", offices("from_offices"), size=3)
    to_offices: list[Office] | None = told("To whom.", offices("to_offices"), size=2)
    via_offices: list[Office] | None = told("Through whom.", offices("via_offices"), size=2)
    content_vi: str = told("What is reported.")
    due_before_day: int | None = told("Due before this day of the month, in the months of `dueMonths`.")
    due_months: list[int] = told("Months (1-12) in which it is due.")
    due_month: str | None = told("The one month in which it is due, such as 2026-06.")
    due_dates: list[str] = told("Days of the year on which it is due, month-day.")
    source_ref: str | None = told(SOURCE)
    note: str | None = told(NOTE)


def _base_vnd(row: Parent[Row]) -> int | None:
    base = row["base"]
    return base if isinstance(base, int) else None


def _base_text(row: Parent[Row]) -> str | None:
    base = row["base"]
    return base if isinstance(base, str) else None


@shown
class RuleParams:
    """What a budget rule compares: a metric with a value or a base."""

    metric: str = told("What is measured.")
    comparator: Comparator | None = told("Null: the document states no threshold.")
    value: Decimal | None = told("In `measureUnit`; percent on 0-100.")
    measure_unit: str = told("percent, vnd, or the document's words.")
    base_vnd: Vnd | None = told("What it is a share of, where that is an amount, in whole đồng.", _base_vnd)
    base_text: str | None = told("What it is a share of, where that is told in words.", _base_text)


@shown
class BudgetRule:
    """A rule the plan sets for its own money; the budget's checks show whether it holds, with numbers."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    kind: str = told("Kind of rule, such as share_min.")
    rule_vi: str = told("The rule in the document's words.")
    params: RuleParams | None = told("What it compares; null: words only.")
    offices: list[Office] | None = told("Who answers for it.", offices("offices"), size=2)
    discrepancy: str | None = told("What does not fit.")
    source_ref: str | None = told(SOURCE)
    note: str | None = told(NOTE)


@shown
class PriorYearResult:
    """What the document says was reached in the year before: its own words, apart from posted actuals."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    area_vi: str = told("Field of work.")
    result_vi: str = told("The result in the document's words.")
    value: Decimal | None = told("In `measureUnit`; percent on 0-100.")
    measure_unit: str | None = told("percent, or the document's words.")
    scope_count: int | None = told("How many it covers.")
    scope_unit: str | None = told("Of what.")
    difficulty_vi: str | None = told("What stood in the way, as told.")
    source_ref: str | None = told(SOURCE)
    note: str | None = told(NOTE)


@shown
class Recipient:
    """A recipient (nơi nhận), as written, with the offices meant."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    raw_text: str | None = told("The line as written; null to callers without a token where it names a person.")
    names_person: bool = told("Whether the line names a person.")
    offices: list[Office] | None = told("The offices meant.", offices("offices"), size=2)
    source_ref: str | None = told(SOURCE)
    note: str | None = told(NOTE)


@shown
class ExternalSystem:
    """A system the plan names: what is asked, whether data flow, and when they last did."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    name_vi: str = told("Its name.")
    boundary: SystemBoundary = told("Whose system it is.")
    owner_vi: str | None = told("Who runs it.")
    ask_vi: str = told("What the plan asks.")
    connection: SystemConnection = told("Whether data flow today.")
    last_success_at: DateTime | None = told("Last successful exchange; only where live.")
    source_refs: list[str] = told("Places in the document.")
    note: str | None = told(NOTE)


@shown
class Discrepancy:
    """Something in the document that does not fit; kept, never repaired in silence."""

    key: str = told(KEY)
    plan_key: str = told(PLAN)
    position: int = told(POSITION)
    location: str = told("Where in the document.")
    issue_vi: str = told("What does not fit.")
    type: str = told("Kind of fault, such as blank or responsibility.")
    note: str | None = told(NOTE)
