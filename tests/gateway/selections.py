"""Selections of every field of a type, written from the schema itself, so that no new field is forgotten."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLScalarType, get_named_type

from gateway.schema import build_schema

SCHEMA = build_schema()._schema
WITHOUT_KEY = {
    "Amendment", "Annex", "BudgetCell", "BudgetIndex", "Closing", "ComputedTotals", "Due", "PriorYearBudget",
    "ProposalDocument", "Quantity", "RuleParams", "StatedFundingSource",
}  # fmt: skip


def everything(kind: str, *more: str) -> str:
    """All plain fields of a type, offices by their slugs, and objects without a key of their own with all of theirs."""
    found: Any = SCHEMA.type_map[kind]
    parts: list[str] = [*more]
    for name, field in found.fields.items():
        if any(argument.default_value is None for argument in field.args.values()) and field.args:
            continue
        of = get_named_type(field.type)
        if isinstance(of, GraphQLScalarType | GraphQLEnumType):
            parts.append(name)
        elif of.name == "Office":
            parts.append(f"{name}{{slug}}")
        elif isinstance(of, GraphQLObjectType) and of.name in WITHOUT_KEY:
            parts.append(f"{name}{{{everything(of.name)}}}")
    return " ".join(parts)


def camel(name: str) -> str:
    """A REST name as GraphQL spells it."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
