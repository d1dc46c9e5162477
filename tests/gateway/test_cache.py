"""A text is read once; which operation runs is named; nothing wrong is kept."""

from __future__ import annotations

import pytest

from gateway.cache import OperationCache, RequestErrors
from gateway.limits import Limits
from gateway.schema import build_schema

SCHEMA = build_schema()._schema


def messages(text: str, name: str | None = None, *, introspection: bool = True) -> list[str]:
    with pytest.raises(RequestErrors) as refused:
        OperationCache(SCHEMA, Limits(), introspection=introspection).find(text, name)
    return [error.message for error in refused.value.errors]


def test_the_same_text_is_the_same_operation() -> None:
    operations = OperationCache(SCHEMA, Limits())
    assert operations.find("{meta{version}}", None) is operations.find("{meta{version}}", None)


def test_the_least_recently_used_text_leaves_first() -> None:
    operations = OperationCache(SCHEMA, Limits(), capacity=2)
    first = operations.find("{meta{version}}", None)
    second = operations.find("{a:meta{version}}", None)
    assert operations.find("{meta{version}}", None) is first
    operations.find("{b:meta{version}}", None)
    assert operations.find("{meta{version}}", None) is first
    assert operations.find("{a:meta{version}}", None) is not second


def test_one_of_several_operations_must_be_named() -> None:
    text = "query A{meta{version}} query B{a:meta{version}}"
    operations = OperationCache(SCHEMA, Limits())
    assert operations.find(text, "B").definition.name.value == "B"  # type: ignore[union-attr]
    assert messages(text) == ["Must provide an operation name: there are several."]
    assert messages(text, "C") == ['Unknown operation named "C".']


def test_validation_says_what_is_wrong_and_suggests_nothing() -> None:
    assert messages('{comune(code:"1"){code}}') == ["Cannot query field 'comune' on type 'Query'."]
    assert messages("{commune{code}}") == [
        "Argument 'Query.commune(code:)' of type 'String!' is required, but it was not provided."
    ]


def test_introspection_can_be_switched_off() -> None:
    told = messages("{__schema{queryType{name}}}", introspection=False)
    assert told == [
        "GraphQL introspection has been disabled, but the requested query contained the field '__schema'.",
        "GraphQL introspection has been disabled, but the requested query contained the field 'queryType'.",
    ]
    assert OperationCache(SCHEMA, Limits(), introspection=False).find("{__typename}", None)
