"""The values that cross the border in more than one body."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from chassis.bodies import Body
from chassis.decimals import plain


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("number_expected", "a JSON number is expected")
    number = Decimal(value)
    # 80 and 80.0 are one figure; in one form, what says the same also looks the same.
    return plain(number) if number.is_finite() and abs(number) < 10**14 else number


Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(max_digits=20, decimal_places=6, description="A JSON number, exact to six places."),
]
UnitCode = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{2}|[0-9]{5})$",
        description="Official code as text, leading zeros kept: province 2 digits, commune 5.",
        examples=["25378"],
    ),
]
ItemKey = Annotated[
    str,
    Field(min_length=1, max_length=120, pattern=r"^\S(.*\S)?$", description="Key of the item, unique in its list."),
]
IndicatorKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=120,
        description="Code: common (DTI_SCORE), or local to a unit (25378:DTI_SCORE).",
        examples=["VNEID_ACCOUNT_RATE"],
    ),
]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
ShortWords = Annotated[str, Field(min_length=1, max_length=600)]
Slugs = Annotated[list[str], Field(max_length=100, description="Office slugs, in the document's order.")]
Year = Annotated[int, Field(strict=True, ge=2000, le=2100)]


class SetChanges(Body):
    """What applying a list changed."""

    created: list[str]
    updated: list[str]
    unchanged: int
    removed: list[str] = Field(description="Only with prune=true.")
    kept: list[str] = Field(description="Not in the body, and kept because prune was not asked.")


class Applied(Body):
    """The answer to a declarative write."""

    changes: dict[str, SetChanges]
    dry_run: bool
    write_token: str | None = Field(description="Give it as X-Min-Version to read at least this write.")
