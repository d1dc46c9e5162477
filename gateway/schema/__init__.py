"""The schema: its roots, put together with the types they lead to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLObjectType
from strawberry.schema.config import StrawberryConfig

from gateway.arguments import bound_arguments
from gateway.schema import budget_root, house_roots, indicator_roots, mutations, plan_roots, ranking_root, unit_roots
from gateway.schema.budget_root import BudgetOverview
from gateway.schema.house_roots import ChangePage, Meta
from gateway.schema.ranking_root import Ranking
from gateway.types.budget import BudgetLine
from gateway.types.fields import shown, told
from gateway.types.indicators import Actual, Indicator, Target
from gateway.types.nodes import Connection, Node
from gateway.types.plan_items import Task
from gateway.types.plans import Plan
from gateway.types.posting import PostActualsPayload
from gateway.types.scalars import SCALARS
from gateway.types.units import Commune, Province

NODES = (BudgetLine, Commune, Indicator, Plan, Province, Target, Task)


@shown
class Query:
    """Where every reading starts. What a service owns is null, with an error that names it, while it is away."""

    commune: Commune | None = told("A commune by its code; null: no such commune today.", unit_roots.commune)
    communes: Connection[Commune] | None = told(
        "Communes in the order of a Vietnamese dictionary.", unit_roots.communes
    )
    province: Province | None = told("A province by its code; null: no such province.", unit_roots.province)
    provinces: Connection[Province] | None = told("Provinces, in the same order.", unit_roots.provinces)
    plan: Plan | None = told("A plan by its key; null: none that the caller may see.", plan_roots.plan)
    plans: Connection[Plan] | None = told("Plans that the caller may see, by unit.", plan_roots.plans)
    indicator: Indicator | None = told("An indicator by its code; null: no such indicator.", indicator_roots.indicator)
    indicators: Connection[Indicator] | None = told("The catalogue.", indicator_roots.indicators)
    actuals: Connection[Actual] | None = told("Figures in force.", indicator_roots.actuals)
    ranking: Ranking | None = told(
        "A province's communes by their latest figure of one indicator.", ranking_root.ranking
    )
    budget: BudgetOverview | None = told("The money of the plans that fit.", budget_root.budget)
    changes: ChangePage | None = told("Changes of one service after a cursor, none left out.", house_roots.changes)
    node: Node | None = told("A thing by its global id.", house_roots.node)
    meta: Meta = told("Versions of software and data, and which services answer.", house_roots.meta)


@shown
class Mutation:
    """Where every writing starts."""

    post_actuals: PostActualsPayload | None = told(
        "Post figures under their full key; needs `actuals:write` for their units.", mutations.post_actuals
    )


@cache
def build_schema() -> strawberry.Schema:
    """The whole schema, ready to run: rows of the services are its objects, read by the fields' own names."""
    schema = strawberry.Schema(Query, mutation=Mutation, types=NODES, config=StrawberryConfig(scalar_map=SCALARS))
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            _read_rows(kind)
    return schema


def _read_rows(kind: GraphQLObjectType) -> None:
    """Let a type's objects be rows: no instances of its class, and plain fields read without a detour."""
    kind.is_type_of = None
    for field in kind.fields.values():
        definition = field.extensions.get("strawberry-definition")
        if definition is not None and definition.is_basic_field:
            field.resolve = _reader(definition.python_name)
        bound_arguments(field)


def _reader(name: str) -> Callable[..., Any]:
    return lambda row, _info: row.get(name)


@cache
def sdl() -> str:
    """The schema in GraphQL's own language."""
    return build_schema().as_str() + "\n"
