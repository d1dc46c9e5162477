"""Every refusal of a value has its reason in both languages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from chassis.reasons import reason_values


class Kind(StrEnum):
    RECURRENT = "recurrent"
    RESERVE = "reserve"


@pytest.mark.parametrize(
    ("expected", "value", "reason_vi"),
    [
        (Annotated[bool, Field(strict=True)], "true", "cần true hoặc false"),
        (date, "2026-02-30", "cần ngày dạng YYYY-MM-DD có thật"),
        (date, [], "cần ngày dạng YYYY-MM-DD"),
        (datetime, "hôm qua", "cần thời điểm dạng 2026-06-30T00:00:00Z"),
        (Decimal, "một", "cần một số"),
        (Annotated[Decimal, Field(decimal_places=2)], Decimal("1.234"), "có nhiều hơn 2 chữ số thập phân"),
        (Kind, "recurent", "phải là một trong: 'recurrent' hoặc 'reserve'"),
        (Annotated[int, Field(gt=0)], 0, "phải lớn hơn 0"),
        (Annotated[int, Field(ge=1900)], 26, "phải từ 1900 trở lên"),
        (Annotated[int, Field(le=2199)], 20260, "không được quá 2199"),
        (Annotated[int, Field(strict=True)], "1", "cần một số nguyên, viết thành số JSON"),
        (int, "một", "cần một số nguyên"),
        (int, 1.5, "cần một số nguyên"),
        (list[str], "a", "cần một danh sách"),
        (Annotated[list[str], Field(max_length=1)], ["a", "b"], "có nhiều hơn 1 mục"),
        (str, 1, "cần văn bản"),
        (Annotated[str, Field(max_length=3)], "Tân Hưng", "dài hơn 3 ký tự"),
        (Annotated[str, Field(min_length=1)], "", "ngắn hơn 1 ký tự"),
        (Annotated[str, Field(pattern="^[0-9]{5}$")], "1", "không đúng dạng ^[0-9]{5}$"),
        (UUID, "1", "không phải UUID"),
        (dict[str, str], 1, "cần một đối tượng JSON"),
    ],
)
def test_a_reason_is_worded_in_vietnamese(expected: Any, value: Any, reason_vi: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(expected).validate_python(value)
    item = refused.value.errors()[0]
    assert reason_values(item) == {"reason": item["msg"], "reason_vi": reason_vi}


def test_an_unknown_kind_of_reason_keeps_its_english() -> None:
    assert reason_values({"type": "brand_new", "msg": "Too new"}) == {"reason": "Too new", "reason_vi": "Too new"}
