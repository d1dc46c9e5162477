"""Every list, one way: a page as JSON, or the whole as NDJSON or CSV, with the cursor to follow from."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Request
from sqlalchemy import BigInteger, Select, SmallInteger, func, literal, select, true, tuple_
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from chassis import tabular
from chassis.database import Database, ReadSession
from chassis.errors import NotAcceptable, Refused, rule
from chassis.feed import encode_position, head_column
from chassis.pages import CURSOR_INVALID, PageRequest, encode_cursor
from chassis.replies import VARY, encode, preferred, reply

NOT_ACCEPTABLE = rule(
    "not_acceptable",
    vi="Không có dạng {asked}; có: {offered}.",
    en="{asked} is not offered; there are: {offered}.",
)

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: its statement, a unique total order (ascending, never null), and the fields of a row.

    `order` are columns of `query`, selected under their own names; `shape` turns a row into its reply, purely.
    `parts` names the fields of columns that are objects: each may be asked for alone and is a column in CSV.
    """

    query: Select[Any]
    order: tuple[ColumnElement[Any], ...]
    columns: tuple[str, ...]
    shape: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def choose(self, page: PageRequest) -> tuple[str, ...]:
        """The fields asked for, in the list's own order: columns, or single fields of their parts ("target.key").

        Raises:
            Refused: a field the list does not have ("fields_unknown").
        """
        if not page.fields:
            return self.columns
        known = (name for column in self.columns for name in (column, *self._inner(column)))
        return page.choose(tuple(known))

    def csv_columns(self, chosen: tuple[str, ...]) -> list[str]:
        """The columns of a CSV file: objects with named fields are laid out flat."""
        return list(dict.fromkeys(column for name in chosen for column in self._inner(name) or [name]))

    def row(self, values: Mapping[str, Any], chosen: tuple[str, ...]) -> dict[str, Any]:
        """One row as the caller sees it."""
        shaped = self.shape(values) if self.shape else values
        row: dict[str, Any] = {}
        for name in chosen:
            column, _, inner = name.partition(".")
            if not inner or shaped[column] is None:
                row[column] = shaped[column]
            else:
                row.setdefault(column, {})[inner] = shaped[column][inner]
        return row

    def _inner(self, column: str) -> list[str]:
        return [f"{column}.{inner}" for inner in self.parts.get(column, ())]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, the cursor of the next one, and where to follow from."""

    items: list[dict[str, Any]]
    next: str | None
    changes_cursor: str
    known_at: datetime


def negotiate(accept: str | None) -> str:
    """The format asked for.

    Raises:
        NotAcceptable: none of the asked formats is offered ("not_acceptable").
    """
    if not accept:
        return JSON
    for kind in preferred(accept):
        if kind in (JSON, NDJSON, CSV):
            return kind
        if kind in ("*/*", "application/*", "text/html"):
            return JSON
    raise NotAcceptable(NOT_ACCEPTABLE, asked=accept, offered=f"{JSON}, {NDJSON}, {CSV}")


async def answer(request: Request, db: ReadSession, listing: Listing, page: PageRequest) -> Response:
    """Answer a list in the format asked for: one statement, whatever the number of rows."""
    kind = negotiate(request.headers.get("Accept"))
    chosen = listing.choose(page)
    if kind != JSON:
        return WholePull(request.app.state.house.database, listing, chosen, kind=kind, known_at=page.known_at)
    found = await fetch_page(db, listing, page, chosen)
    headers = _headers(found.changes_cursor, found.known_at)
    if found.next:
        # The cursor in the body carries the feed's head; the tag must not move with it.
        headers["Entity-Digest"] = hashlib.sha256(encode(found.items)).hexdigest()
        headers["Link"] = f'<{request.url.include_query_params(cursor=found.next)}>; rel="next"'
    return reply({"items": found.items, "next": found.next}, headers=headers)


async def fetch_page(db: ReadSession, listing: Listing, page: PageRequest, chosen: tuple[str, ...]) -> Page:
    """Read one page, together with the feed's head, in one statement."""
    position = page.position()
    query = listing.query
    if position:
        query = query.where(tuple_(*listing.order) > tuple_(*_keys(listing, position[0])))
    statement = _with_head(listing, query.order_by(*listing.order).limit(page.limit + 1))
    found = (await db.execute(statement)).mappings().all()
    first = found[0]
    present = [row for row in found if row["row_present"]][: page.limit]
    changes = position[1] if position else encode_position(first["feed_position"])
    following = None
    if len(found) > page.limit and present:
        following = encode_cursor([present[-1][str(column.key)] for column in listing.order], changes)
    items = [listing.row(dict(row), chosen) for row in present]
    return Page(items, following, changes, page.known_at or first["read_at"])


def _with_head(listing: Listing, query: Select[Any]) -> Select[Any]:
    """The rows of a query in order, each beside the feed's head as it was then; one row without any when empty."""
    inner = query.add_columns(literal(True).label("row_present")).subquery("page")
    head = select(head_column().label("feed_position"), func.statement_timestamp().label("read_at")).subquery("feed")
    return (
        select(head.c.feed_position, head.c.read_at, inner)
        .select_from(head.outerjoin(inner, true()))
        .order_by(*(inner.c[str(column.key)] for column in listing.order))
    )


def _keys(listing: Listing, values: list[Any]) -> list[Any]:
    if len(values) != len(listing.order):
        raise Refused(CURSOR_INVALID)
    try:
        return [_key(value, column.type) for value, column in zip(values, listing.order, strict=True)]
    except (msgspec.ValidationError, NotImplementedError) as error:
        raise Refused(CURSOR_INVALID) from error


def _key(value: Any, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    converted = msgspec.convert(value, kind.python_type, strict=False)
    bits = 63 if isinstance(kind, BigInteger) else 15 if isinstance(kind, SmallInteger) else 31
    if isinstance(converted, int) and not -(2**bits) <= converted < 2**bits:
        raise msgspec.ValidationError("beyond the column's range")
    return literal(converted, kind)


def _headers(changes_cursor: str, known_at: datetime) -> dict[str, str]:
    moment = known_at.isoformat().replace("+00:00", "Z")
    return {"Changes-Cursor": changes_cursor, "Known-At": moment}


class WholePull(Response):
    """Every row as a stream at constant memory, in one repeatable-read snapshot of its own."""

    def __init__(
        self,
        database: Database,
        listing: Listing,
        chosen: tuple[str, ...],
        *,
        kind: str,
        known_at: datetime | None,
    ) -> None:
        super().__init__()
        self._database = database
        self._listing = listing
        self._chosen = chosen
        self._kind = kind
        self._known_at = known_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the feed's head with the first rows, then stream: one statement, and no reply before it runs."""
        async with self._database.read() as db:
            statement = _with_head(self._listing, self._listing.query)
            found = await db.stream(statement.execution_options(yield_per=1000))
            rows = found.mappings()
            first = await anext(rows)
            shaped = self._shaped(first, rows)
            columns = self._listing.csv_columns(self._chosen)
            body = tabular.ndjson(shaped) if self._kind == NDJSON else tabular.csv(shaped, columns)
            headers = _headers(encode_position(first["feed_position"]), self._known_at or first["read_at"])
            headers |= {"Cache-Control": "no-store", "Vary": VARY}
            charset = "; charset=utf-8" if self._kind == CSV else ""
            await StreamingResponse(body, media_type=self._kind + charset, headers=headers)(scope, receive, send)

    async def _shaped(self, first: Any, rows: AsyncIterator[Any]) -> AsyncIterator[dict[str, Any]]:
        if not first["row_present"]:
            return
        yield self._listing.row(first, self._chosen)
        async for row in rows:
            yield self._listing.row(row, self._chosen)
