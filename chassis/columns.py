"""The kinds of columns that the tables every service has are made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Text, text


def words(name: str) -> Column[object]:
    """A text that is always there."""
    return Column(name, Text, nullable=False)


def number(name: str) -> Column[object]:
    """A place in the log, a count, or a version."""
    return Column(name, BigInteger, nullable=False)


def moment(name: str) -> Column[object]:
    """A moment that is always there; unless it is given, now."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
