"""Own scalars: whole đồng, exact decimals, periods, days, moments and cursors.

Values come ready-made from the services, so that giving them out costs nothing; only what callers send is judged.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as Exact
from decimal import InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from chassis.periods import PeriodError, parse_period

Vnd = NewType("Vnd", int)
Decimal = NewType("Decimal", str)
Period = NewType("Period", str)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
Cursor = NewType("Cursor", str)

LARGEST_VND = 2**53
LONGEST_NUMBER = 60
LONGEST_CURSOR = 2_000


def _invalid(scalar: str, reason: str) -> GraphQLError:
    return GraphQLError(f"{scalar} {reason}")


def write_vnd(value: Any) -> int:
    """Whole đồng as a JSON integer."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_VND:
        raise _invalid("Vnd", "is a whole number of đồng, at most 2^53.")
    return value


def read_vnd(value: Any) -> int:
    """Whole đồng from a JSON integer or a string of digits."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER and value.removeprefix("-").isdecimal():
        value = int(value)
    return write_vnd(value)


def _exact(value: Any) -> Exact:
    if isinstance(value, bool) or not isinstance(value, int | str | Exact | float):
        raise _invalid("Decimal", 'is a number, or a string such as "85.75".')
    text = repr(value) if isinstance(value, float) else str(value)
    try:
        number = Exact(text) if len(text) <= LONGEST_NUMBER else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        raise _invalid("Decimal", f"is a finite number of at most {LONGEST_NUMBER} digits.")
    return number


def write_decimal(value: Any) -> str:
    """An exact number as a string without exponent."""
    if type(value) is int:
        return str(value)
    if type(value) is Exact and value.is_finite():
        return f"{value:f}"
    return f"{_exact(value):f}"


def read_decimal(value: Any) -> Exact:
    """An exact number from a JSON number or a string."""
    return _exact(value)


def read_period(value: Any) -> str:
    """A period in the house's spelling, from ours, ISO, SDMX or DHIS2."""
    try:
        return parse_period(str(value)).code if isinstance(value, str | int) else _refuse_period()
    except PeriodError as error:
        raise _invalid("Period", f"has the wrong form: {error}.") from error


def _refuse_period() -> str:
    raise PeriodError("it is a text such as 2026-Q2")


def read_date(value: Any) -> str:
    """A day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise _invalid("Date", "is a day such as 2026-06-30.") from error


def read_moment(value: Any) -> str:
    """A moment with its offset."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _invalid("DateTime", "is a moment such as 2026-06-30T00:00:00Z.") from error
    if moment.tzinfo is None:
        raise _invalid("DateTime", "needs an offset, such as 2026-06-30T00:00:00Z.")
    return moment.isoformat()


def read_cursor(value: Any) -> str:
    """An opaque cursor, as one of our pages gave it."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_CURSOR:
        raise _invalid("Cursor", "is a text that one of our pages gave.")
    return value


def _literal(node: ValueNode) -> Any:
    """The literal as written, so that no digit is lost on the way through a float."""
    if isinstance(node, IntValueNode | FloatValueNode):
        return _number(node)
    return node.value if isinstance(node, StringValueNode) else None


def _number(node: IntValueNode | FloatValueNode) -> Any:
    if len(node.value) > LONGEST_NUMBER:
        raise _invalid("Number", f"has more than {LONGEST_NUMBER} digits.")
    return int(node.value) if isinstance(node, IntValueNode) else Exact(node.value)


def _scalar(name: str, description: str, read: Any, write: Any = None) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        serialize=write or (lambda value: value),
        parse_value=read,
        parse_literal=lambda node, _variables=None: read(_literal(node)),
    )


SCALARS: dict[object, ScalarDefinition] = {
    Vnd: _scalar(
        "Vnd", "Whole đồng as an integer of up to 2^53; never a fraction, never millions.", read_vnd, write_vnd
    ),
    Decimal: _scalar("Decimal", 'An exact number as a string, such as "85.75".', read_decimal, write_decimal),
    Period: _scalar(
        "Period",
        "A reporting period: 2026, 2026-S1 (six months), 2026-N (nine months), 2026-Q2, 2026-04, 2026-W17 or "
        "2026-04-15. Which days it covers, its regime says.",
        read_period,
    ),
    Date: _scalar("Date", "A day in Asia/Ho_Chi_Minh, YYYY-MM-DD.", read_date),
    DateTime: _scalar("DateTime", "A moment in UTC, such as 2026-06-30T00:00:00Z.", read_moment),
    Cursor: _scalar("Cursor", "An opaque place in a list or feed; give back what a page gave.", read_cursor),
}
