"""Pages of long lists: `first` bounded, the cursor passed through as the service made it."""

from __future__ import annotations

from typing import Annotated

from chassis.errors import Refused, rule
from gateway.clients import Params, Row
from gateway.context import Info
from gateway.types.nodes import connection
from gateway.types.scalars import Cursor
from gateway.types.scorecards import argument

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
FIRST_OUT_OF_RANGE = rule(
    "first_out_of_range",
    vi="`first` từ 1 đến {largest}, không phải {first}.",
    en="`first` is from 1 to {largest}, not {first}.",
)

First = Annotated[int, argument(f"Items of the page, 1 to {LARGEST_PAGE}.")]
After = Annotated[Cursor | None, argument("Cursor of the page before.")]


def check_first(first: int) -> None:
    """Whether a page may hold so many items.

    Raises:
        Refused: it may not ("first_out_of_range").
    """
    if not 1 <= first <= LARGEST_PAGE:
        raise Refused(FIRST_OUT_OF_RANGE, first=first, largest=LARGEST_PAGE)


async def read_page(info: Info, service: str, path: str, first: int, after: Cursor | None, filters: Params) -> Row:
    """One page of a service's list as a connection.

    Raises:
        Refused: more than a page may hold ("first_out_of_range").
    """
    check_first(first)
    page = await info.context.services.page(service, path, {**filters, "limit": first, "cursor": after})
    return connection(page)
