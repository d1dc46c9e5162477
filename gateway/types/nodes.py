"""Global ids, `node(id)`, and pages of long lists."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import Parent

from chassis.errors import Refused, rule
from gateway.clients import Row
from gateway.types.fields import shared, shown, told
from gateway.types.scalars import Cursor

NODE_ID_INVALID = rule("node_id_invalid", vi="{id} không phải mã nút của hệ thống này.", en="{id} is not a node id.")

T = TypeVar("T")


def node_id(kind: str, key: str) -> str:
    """The global id of a thing: opaque outside, kind and key inside."""
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def read_node_id(text: str) -> tuple[str, str]:
    """Kind and key of a global id.

    Raises:
        Refused: not one of our ids ("node_id_invalid").
    """
    try:
        kind, colon, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused(NODE_ID_INVALID, id=text[:100]) from error
    if not colon or not key:
        raise Refused(NODE_ID_INVALID, id=text[:100])
    return kind, key


def identified(kind: str, *fields: str) -> Any:
    """The field `id` of a type whose key is made of some fields of its row."""

    def resolve(row: Parent[Row]) -> strawberry.ID:
        return strawberry.ID(node_id(kind, "/".join(row[name] for name in fields)))

    return told("Global id, for `node`.", resolve)


@shared
class Node:
    """Anything that `node(id)` finds again."""

    id: strawberry.ID = told("Global id.")


@shown
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = told("Whether more follow.")
    end_cursor: Cursor | None = told("Give it as `after` for the next page; null at the end.")


@shown
class Connection(Generic[T]):
    """A page of a long list."""

    nodes: list[T] = told("The page's items, in the list's stable order.")
    page_info: PageInfo = told("Where the page stands.")


def connection(page: Row, kind: str | None = None) -> Row:
    """A service's page as a connection; `kind` names the type where the list is of several."""
    nodes = [{**row, "__typename": kind} for row in page["items"]] if kind else page["items"]
    return {"nodes": nodes, "page_info": {"has_next_page": page["next"] is not None, "end_cursor": page["next"]}}


def unit_code(row: Parent[Row]) -> str:
    """The code of the unit a row belongs to."""
    code: str = row["admin_unit"]
    return code


def named_unit(row: Row) -> Row:
    """A unit's row with the name of its type, for fields that may hold a commune or a province."""
    return {**row, "__typename": "Commune" if row["province_code"] else "Province"}
