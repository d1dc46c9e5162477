"""The body of a plan's budget, as it crosses the border."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from chassis.bodies import Body
from chassis.execution_time import ExecutionTimeKind
from chassis.money import MAX_VND
from services.budget.domain.lines import ExpenditureKind, Pillar, Stage
from services.budget.domain.rules import AMOUNT_NOT_WHOLE_DONG, AMOUNT_OUT_OF_RANGE

FIRST_YEAR, LAST_YEAR = 2000, 2100


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError(AMOUNT_NOT_WHOLE_DONG.code, AMOUNT_NOT_WHOLE_DONG.en)
    if not 0 < value <= MAX_VND:
        raise PydanticCustomError(AMOUNT_OUT_OF_RANGE.code, AMOUNT_OUT_OF_RANGE.en, {"most": MAX_VND})
    return value


AmountVnd = Annotated[
    int,
    BeforeValidator(_amount),
    Field(
        description="Whole đồng as a JSON integer, more than 0 and at most 2^53.",
        examples=[450000000],
        json_schema_extra={"exclusiveMinimum": 0, "maximum": MAX_VND},
    ),
]


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("decimal_type", "Input should be a number")
    return Decimal(value)


Flag = Annotated[bool, Field(strict=True)]
Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s/]+$", examples=["PL3.1"])]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Offices = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=400)]],
    Field(max_length=100, description="Office slugs, in the document's order; names are refused."),
]
Year = Annotated[int, Field(strict=True, ge=FIRST_YEAR, le=LAST_YEAR)]
IndexCode = Annotated[str, Field(pattern=r"^\d{3,4}$", description="A code of the budget index, zeros kept.")]


class QuantityBody(Body):
    """How many of what: 30 điểm, 15 ấp."""

    value: Annotated[
        Decimal,
        BeforeValidator(_number),
        Field(gt=0, max_digits=20, decimal_places=6),
        WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
    ]
    unit: Text


class BudgetIndexBody(Body):
    """Codes of the state's budget index, with the version of the index they belong to."""

    version: Text
    chapter_code: IndexCode | None = None
    category_code: IndexCode | None = None
    clause_code: IndexCode | None = None
    item_code: IndexCode | None = None
    subitem_code: IndexCode | None = None


class LineBody(Body):
    """One budget line as its plan states it."""

    key: Key
    number: Annotated[str | None, Field(max_length=20, description="As written: 01, 16, VII.")] = None
    title_vi: Text
    title_en: Text | None = None
    scope_vi: Annotated[Text | None, Field(description="Nội dung thực hiện.")] = None
    amount_vnd: AmountVnd
    stage: Annotated[Stage, Field(description="What a plan states is an estimate.")] = Stage.ESTIMATED
    amount_kind: Annotated[Text | None, Field(description="The plan's own word for the amount: dự kiến.")] = None
    budget_years: Annotated[
        list[Year] | None,
        Field(min_length=1, max_length=20, description="Absent: the years of the implementation time."),
    ] = None
    expenditure_kind: ExpenditureKind
    expenditure_kind_stated: Annotated[Flag, Field(description="False where we inferred it.")] = True
    pillar: Annotated[Pillar | None, Field(description="None outside every pillar, as reserves are.")] = None
    pillar_stated: Annotated[Flag, Field(description="False where we inferred it.")] = True
    funding_source: Text | None = None
    lead_offices: Offices = Field([])
    coordinating_offices: Offices = Field([])
    beneficiaries: Offices = Field([])
    execution_time_text: Text | None = None
    execution_time_kind: ExecutionTimeKind | None = None
    execution_time: Annotated[str | None, Field(max_length=30, examples=["2026-Q2/2026-Q3"])] = None
    quantity: QuantityBody | None = None
    phase: Annotated[int | None, Field(strict=True, ge=1, le=99)] = None
    tasks: Annotated[list[Key], Field(description="Keys of the plan's tasks this line pays for.")] = Field([])
    targets: Annotated[list[Key], Field(description="Keys of the plan's targets this line serves.")] = Field([])
    budget_index: BudgetIndexBody | None = None
    source_ref: Text | None = None
    note: Text | None = None


class CellBody(Body):
    """One money cell of a group, and the lines it sums up."""

    key: Key
    scope_vi: Text
    objective_vi: Text | None = None
    amount_vnd: AmountVnd
    lines: Annotated[list[Key], Field(max_length=1000)]
    source_ref: Text | None = None
    note: Text | None = None


class GroupBody(Body):
    """One group of the plan's table of money by pillar."""

    key: Key
    number: Annotated[str | None, Field(max_length=20)] = None
    title_vi: Text
    pillars: list[Pillar] = Field([])
    amount_vnd: AmountVnd
    cells: Annotated[list[CellBody], Field(max_length=1000)] = Field([])
    source_ref: Text | None = None
    note: Text | None = None


class BudgetBody(Body):
    """The whole budget of one plan: its lines, and the groups with their cells where it has such a table."""

    lines: Annotated[list[LineBody], Field(max_length=2000)]
    groups: Annotated[list[GroupBody], Field(max_length=500)] = Field([])
