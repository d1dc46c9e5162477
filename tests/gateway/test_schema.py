"""Properties of the whole schema, so that no field is added without them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
)

from gateway.schema import build_schema

SCHEMA = build_schema()._schema
STANDARD = {"String", "Int", "Boolean", "ID", "JSON"}


def own_types() -> Iterator[GraphQLNamedType]:
    return (kind for kind in SCHEMA.type_map.values() if not kind.name.startswith("__") and kind.name not in STANDARD)


def fields() -> Iterator[tuple[str, Any]]:
    for kind in own_types():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field


def test_everything_is_described() -> None:
    silent = [kind.name for kind in own_types() if not kind.description]
    silent += [name for name, field in fields() if not field.description]
    silent += [
        f"{name}({argument})"
        for name, field in fields()
        if isinstance(field, GraphQLField)
        for argument, given in field.args.items()
        if not given.description
    ]
    assert silent == []


def test_whatever_needs_a_call_is_nullable_but_meta() -> None:
    """A service that is away makes its own fields null; `meta` is about that and never fails."""
    stiff = [
        name
        for name, field in fields()
        if isinstance(field, GraphQLField) and isinstance(field.type, GraphQLNonNull) and is_asking(field)
    ]
    assert stiff == ["Query.meta"]


def is_asking(field: GraphQLField) -> bool:
    resolver = field.extensions["strawberry-definition"].base_resolver
    return resolver is not None and inspect.iscoroutinefunction(resolver.wrapped_func)


def test_names_are_camel_case_and_enum_values_upper_case() -> None:
    for name, _ in fields():
        last = name.split(".")[1]
        assert last[0].islower(), name
        assert "_" not in last, name
    for kind in own_types():
        if isinstance(kind, GraphQLEnumType):
            assert all(value.isupper() for value in kind.values), kind.name


def test_money_is_never_a_32_bit_integer() -> None:
    assert {str(field.type).rstrip("!") for name, field in fields() if name.endswith("Vnd")} == {"Vnd"}
    assert "Float" not in SCHEMA.type_map


def test_vietnamese_names_have_english_beside_them_where_the_services_do() -> None:
    for kind in ("Commune", "Province", "Indicator", "Office"):
        found = SCHEMA.type_map[kind].fields  # type: ignore[attr-defined]
        assert {"nameVi", "nameEn"} <= found.keys()
