"""Operations read once: text → parsed, weighed and validated document, by the hash of the text.

The cache of whole replies (operation, variables, rights, data versions → bytes) will stand here too.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    IntValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.limits import Limits, Scale, TooComplex, Weight, check_document

COSTS_KEPT = 64
MAX_COMMENTS = 200


class RequestErrors(Exception):  # it carries errors, it is not one of them
    """The operation is refused before it runs; every error is for the caller to read."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(slots=True)
class Operation:
    """One operation of a document, with its weight; the cost is judged again where variables size it."""

    document: DocumentNode
    definition: OperationDefinitionNode
    weight: Weight
    sized_by: tuple[str, ...]
    defaults: Mapping[str, Any]
    costs: dict[tuple[int | None, ...], int] = field(default_factory=dict)


def sha256(text: str) -> str:
    """The name of an operation's text."""
    return hashlib.sha256(text.encode()).hexdigest()


class OperationCache:
    """Parses, weighs and validates a text once; keeps the most recently used documents."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, *, introspection: bool = True, capacity: int = 1_000
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._capacity = capacity
        hidden = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, OneOfInputValidationRule, *hidden)
        self._known: OrderedDict[str, dict[str, Operation]] = OrderedDict()

    def find(self, text: str, name: str | None) -> Operation:
        """The operation a text names.

        Raises:
            RequestErrors: the text does not parse, weighs too much, is not valid against the schema, or has
                no operation of that name.
        """
        key = sha256(text)
        operations = self._known.get(key)
        if operations is None:
            operations = self._admit(text)
            self._known[key] = operations
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return _named(operations, name)

    def cost(self, operation: Operation, variables: Mapping[str, Any]) -> int:
        """What an operation costs with these variables, in objects.

        Raises:
            RequestErrors: more than one operation may cost.
        """
        cost = self._cost(operation, variables) if operation.sized_by else operation.weight.cost
        if cost > self._limits.cost:
            raise RequestErrors([TooComplex("cost", self._limits.cost)])
        return cost

    def _cost(self, operation: Operation, variables: Mapping[str, Any]) -> int:
        given = {**operation.defaults, **variables}
        values = (given.get(name) for name in operation.sized_by)
        sizes = tuple(value if isinstance(value, int) else None for value in values)
        if sizes not in operation.costs:
            scale = Scale(self._schema, operation.document, given, self._limits)
            if len(operation.costs) >= COSTS_KEPT:
                operation.costs.clear()
            operation.costs[sizes] = scale.weigh(operation.definition).cost
        return operation.costs[sizes]

    def _admit(self, text: str) -> dict[str, Operation]:
        document = self._parse(text)
        try:
            check_document(document, self._limits)
            operations = {
                (node.name.value if node.name else ""): self._weigh(document, node)
                for node in document.definitions
                if isinstance(node, OperationDefinitionNode)
            }
        except TooComplex as error:
            raise RequestErrors([error]) from error
        except RecursionError as error:
            raise RequestErrors([TooComplex("depth", self._limits.depth)]) from error
        errors = validate(self._schema, document, self._rules, max_errors=20, hide_suggestions=True)
        if errors:
            raise RequestErrors([_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])
        return operations

    def _weigh(self, document: DocumentNode, node: OperationDefinitionNode) -> Operation:
        defaults = _defaults(node)
        scale = Scale(self._schema, document, defaults, self._limits)
        weight = scale.weigh(node)
        if not scale.sized_by and weight.cost > self._limits.cost:
            raise TooComplex("cost", self._limits.cost)
        return Operation(document, node, weight, tuple(sorted(scale.sized_by)), defaults)

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(
                text,
                allow_empty_selection_sets=False,
                max_lexical_tokens=self._limits.tokens,
                max_comments=MAX_COMMENTS,
            )
        except GraphQLSyntaxError as error:
            code = "OPERATION_TOO_COMPLEX" if "Parsing aborted" in error.message else "GRAPHQL_PARSE_FAILED"
            raise RequestErrors([_coded(error, code)]) from error


def _defaults(node: OperationDefinitionNode) -> dict[str, Any]:
    """The integers that variables fall back to."""
    return {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in node.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode) and len(definition.default_value.value) < 10
    }


def _named(operations: dict[str, Operation], name: str | None) -> Operation:
    if name is None and len(operations) == 1:
        return next(iter(operations.values()))
    if name in operations:
        return operations[name]
    message = f'Unknown operation named "{name}".' if name else "Must provide an operation name: there are several."
    raise RequestErrors([_coded(GraphQLError(message), "OPERATION_UNKNOWN")])


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {**(error.extensions or {}), "code": code}
    return error
