"""What operations answer, as their documentation says it: pages, problems, and refusals by status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

Row = TypeVar("Row", bound=BaseModel)


class PageOf(BaseModel, Generic[Row]):
    """A page of a list."""

    items: list[Row]
    next: str | None = Field(description="Cursor of the next page; null: this is the last one.")


class PlaceOfFault(BaseModel):
    """One fault: its code, its place (JSON pointer, or row and column) and its sentence."""

    code: str
    pointer: str | None = None
    row: int | None = None
    column: str | None = None
    value: Any = None
    message: str


class Problem(BaseModel):
    """RFC 9457: what was refused, why, and where."""

    type: str = Field(description="A page about the code.")
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(description="Stable; never reused.")
    request_id: str
    errors: list[PlaceOfFault] | None = None
    errors_total: int | None = None


def answers(body: type[BaseModel], refusals: Mapping[int, str] | None = None) -> dict[int | str, dict[str, Any]]:
    """What an operation answers, for its documentation: the body, and its refusals by status with their codes."""
    shared = {401: "token_missing, token_invalid", 403: "scope_missing", 422: "parameter_unknown, field_invalid"}
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": codes, "content": {"application/problem+json": {}}}
        for status, codes in {**shared, **(refusals or {})}.items()
    }
    return {200: {"model": body, "description": "Done."}, **problems}
