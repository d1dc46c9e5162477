"""Pages: what a caller asks for (limit, cursor, fields, known_at) and the opaque cursor between pages."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query

from chassis.errors import Refused, rule

CURSOR_INVALID = rule(
    "cursor_invalid",
    vi="Con trỏ trang không hợp lệ; hãy đọc lại từ đầu.",
    en="The cursor is not valid; start again.",
)
KNOWN_AT_NAIVE = rule(
    "known_at_without_offset",
    vi="known_at cần có múi giờ, ví dụ 2026-06-30T00:00:00Z.",
    en="known_at needs an offset, such as 2026-06-30T00:00:00Z.",
)
KNOWN_AT_OUT_OF_RANGE = rule(
    "known_at_out_of_range",
    vi="known_at phải ở trong các năm {first}-{last}.",
    en="known_at must lie in the years {first}-{last}.",
)
FIELDS_UNKNOWN = rule(
    "fields_unknown",
    vi="Không có trường {fields}; có: {known}.",
    en="There is no field {fields}; there are: {known}.",
)
LIST_EMPTY = rule(
    "list_empty",
    vi="Một tham số nhiều giá trị được ghi mà để trống; hãy nêu giá trị hoặc bỏ hẳn tham số.",
    en="A parameter of several values is given but empty; name values, or leave the parameter out.",
)

_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
FIRST_YEAR, LAST_YEAR = 1900, 2199  # an offset may push a moment at the edge of the calendar over it


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How much of a list, from where, which fields, and as known when."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    fields: tuple[str, ...] = ()
    known_at: datetime | None = None

    def position(self) -> tuple[list[Any], str] | None:
        """The last key of the page before, and the first page's changes cursor.

        Raises:
            Refused: not one of our cursors ("cursor_invalid").
        """
        if self.cursor is None:
            return None
        try:
            packed = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            keys, changes = json.loads(packed)
        except (ValueError, TypeError, RecursionError) as error:
            raise Refused(CURSOR_INVALID) from error
        # The changes cursor goes back into a header, the keys into a statement: neither takes just any text.
        if not isinstance(keys, list) or not _OPAQUE.fullmatch(str(changes)) or b"\\u0000" in packed:
            raise Refused(CURSOR_INVALID)
        return keys, str(changes)

    def choose(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The fields asked for, in the list's own order; all of them when none is named.

        Raises:
            Refused: a field the list does not have ("fields_unknown").
        """
        unknown = sorted(set(self.fields) - set(known))
        if unknown:
            raise Refused(FIELDS_UNKNOWN, fields=", ".join(unknown), known=", ".join(known))
        return tuple(name for name in known if not self.fields or name in self.fields)


def encode_cursor(keys: list[Any], changes: str) -> str:
    """The opaque cursor of the next page."""
    packed = json.dumps([keys, changes], separators=(",", ":"), ensure_ascii=False, default=str)
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def many(values: list[str]) -> list[str]:
    """A filter given repeatedly or separated by commas, without blanks and repeats.

    Raises:
        Refused: it was given and names nothing ("list_empty"): that would narrow to everything.
    """
    named = list(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))
    if values and not named:
        raise Refused(LIST_EMPTY)
    return named


def chosen(values: list[str] | None) -> tuple[str, ...]:
    """A filter's values; none given is no filter."""
    return tuple(many(values or []))


def _known_at(
    known_at: Annotated[
        datetime | None, Query(description="Answer what was known at this moment (transaction time).")
    ] = None,
) -> datetime | None:
    if known_at is not None and known_at.tzinfo is None:
        raise Refused(KNOWN_AT_NAIVE)
    if known_at is not None and not FIRST_YEAR <= known_at.year <= LAST_YEAR:
        raise Refused(KNOWN_AT_OUT_OF_RANGE, first=FIRST_YEAR, last=LAST_YEAR)
    return known_at


KnownAt = Annotated[datetime | None, Depends(_known_at)]


def page_request(
    known_at: KnownAt,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows of one page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="Opaque; from `next` of the page before.")] = None,
    fields: Annotated[list[str] | None, Query(description="Only these fields, separated by commas.")] = None,
) -> PageRequest:
    """Read the paging parameters every list has."""
    return PageRequest(limit, cursor, tuple(many(fields or [])), known_at)


Paging = Annotated[PageRequest, Depends(page_request)]
