"""The values that cross the border in more than one body."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from chassis.money import MAX_VND

UNIT_CODE = r"^([0-9]{2}|[0-9]{5})$"


def _json_number(value: object) -> object:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("decimal_type", "Input should be a number")


Number = Annotated[
    Decimal,
    BeforeValidator(_json_number),
    Field(max_digits=40, decimal_places=20),
    WithJsonSchema({"type": "number"}),
]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC), description="With its offset."),
]
UnitCode = Annotated[
    str,
    Field(
        pattern=UNIT_CODE,
        description="Official code as text, leading zeros kept: province 2 digits, commune 5.",
        examples=["25378"],
    ),
]
ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$", description="Official code of a province, 2 digits.")]
Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=80,
        description="Readable key: small letters, digits, dashes.",
        examples=["phong-vhxh"],
    ),
]
ItemKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=120,
        pattern=r"^\S(.*\S)?$",
        description="Key of the item, unique in its list of the plan; kept through every revision.",
    ),
]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
ShortWords = Annotated[str, Field(min_length=1, max_length=400)]
Year = Annotated[int, Field(strict=True, ge=2000, le=2100)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Vnd = Annotated[int, Field(strict=True, ge=0, le=MAX_VND, description="Whole đồng.")]
Offices = Annotated[
    list[str], Field(max_length=100, description="Office slugs, in the document's order; names are refused.")
]
AgencyCode = Annotated[
    str, Field(pattern=r"^[A-Z0-9.]{1,35}$", description="Mã định danh điện tử, as stated; never derived.")
]
