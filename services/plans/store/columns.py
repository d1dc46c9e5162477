"""Columns of the service's tables, by what they hold."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, cast
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

TextArray = ARRAY(Text)


def json_field() -> Any:
    """A nested value, or nothing."""
    return Field(default=None, sa_type=JSONB, nullable=True)


def texts() -> Any:
    """A list of texts, empty unless said otherwise."""
    return Field(sa_type=TextArray)


def words() -> Any:
    """A text of any length, never null."""
    return Field(sa_type=Text)


def optional_text() -> Any:
    """A text of any length, or nothing."""
    return Field(default=None, sa_type=Text)


def bytewise() -> Any:
    """A sort key: compared byte by byte on every server."""
    return Field(sa_type=Text(collation="C"))


def among(column: Any, values: Collection[str]) -> ColumnElement[bool]:
    """Whether a column is one of many values: one parameter, however many they are."""
    found: ColumnElement[bool] = column == any_(cast(list(values), TextArray))
    return found
