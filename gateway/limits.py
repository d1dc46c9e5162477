"""How much an operation may ask for, judged before anything runs, in one linear pass.

Every fragment is weighed once however often it is spread, so that nested spreads cost what they take to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TokenKind,
    VariableNode,
    get_named_type,
    is_composite_type,
)

PAGE = "first"
ITEMS = frozenset({"nodes", "edges", "items"})
INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one operation may weigh. `cost` counts objects: one each, a list as many as `first` or its usual size.

    `fragments` and `repeats` (one name again in one selection) bound validation, which is quadratic in both.
    """

    cost: int = 50_000
    tokens: int = 1_000
    digits: int = 60
    fragments: int = 50
    repeats: int = 50
    depth: int = 10
    aliases: int = 30
    directives: int = 50
    root_fields: int = 20
    fields: int = 500
    introspection_depth: int = 20
    usual_list: int = 10
    largest_page: int = 200


@dataclass(frozen=True, slots=True)
class Weight:
    """What an operation, or a part of it, asks for.

    `per_item` is the part of the cost that an enclosing `first` still multiplies (what stands under `nodes`).
    """

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    repeats: int = 0
    cost: int = 0
    per_item: int = 0

    def beside(self, other: Weight) -> Weight:
        """Both selections together."""
        return Weight(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            self.repeats + other.repeats,
            self.cost + other.cost,
            self.per_item + other.per_item,
        )


class TooComplex(GraphQLError):
    """An operation over one of the limits; the message names the limit."""

    def __init__(self, what: str, limit: int) -> None:
        message = f"The operation is over the limit of {limit} for {what}."
        super().__init__(message, extensions={"code": "OPERATION_TOO_COMPLEX", "limit": limit, "of": what})


class Scale:
    """Weighs the operations of one document against a schema."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], limits: Limits
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._limits = limits
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._weighed: dict[str, Weight] = {}
        self._open: set[str] = set()
        self.sized_by: set[str] = set()
        """Variables the cost depends on."""

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """The weight of one operation.

        Raises:
            TooComplex: depth, fields, aliases, directives or root fields over their limit.
        """
        root = self._schema.get_root_type(operation.operation)
        weight = self._selections(operation.selection_set, root)
        self._check_root_fields(operation)
        own = Weight(directives=len(operation.directives or ()))
        return self._checked(weight.beside(own), root)

    def _check_root_fields(self, operation: OperationDefinitionNode) -> None:
        count = self._root_fields(operation.selection_set, set())
        if count > self._limits.root_fields:
            raise TooComplex("root fields", self._limits.root_fields)

    def _root_fields(self, selection_set: SelectionSetNode, spread: set[str]) -> int:
        count = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                count += 1
            elif isinstance(node, InlineFragmentNode):
                count += self._root_fields(node.selection_set, spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = self._fragments.get(node.name.value)
                count += self._root_fields(fragment.selection_set, spread) if fragment else 0
        return count

    def _selections(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> Weight:
        names = [_response_name(node) for node in selection_set.selections]
        total = Weight(repeats=len(names) - len(set(names)))
        for node in selection_set.selections:
            own = Weight(directives=len(node.directives or ()))
            total = self._checked(total.beside(own).beside(self._selection(node, parent)), parent)
        return total

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Weight:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        assert isinstance(node, InlineFragmentNode)
        condition = node.type_condition
        inner = self._schema.get_type(condition.name.value) if condition else parent
        return self._selections(node.selection_set, inner)

    def _fragment(self, name: str) -> Weight:
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:
            return Weight()  # unknown fragments and cycles are refused by validation
        if name not in self._weighed:
            self._open.add(name)
            on = self._schema.get_type(fragment.type_condition.name.value)
            self._weighed[name] = self._selections(fragment.selection_set, on)
            self._open.discard(name)
        return self._weighed[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        alias = int(node.alias is not None)
        if node.selection_set is None:
            return Weight(depth=1, aliases=alias, fields=1)
        field = _field_of(self._schema, parent, node.name.value)
        inner = self._selections(node.selection_set, get_named_type(field.type) if field else None)
        cost, per_item = self._cost(node, field, inner)
        depth = 0 if node.name.value in INTROSPECTION else inner.depth  # judged by its own limit inside
        return replace(
            inner,
            depth=depth + 1,
            aliases=inner.aliases + alias,
            fields=inner.fields + 1,
            cost=cost,
            per_item=per_item,
        )

    def _cost(self, node: FieldNode, field: GraphQLField | None, inner: Weight) -> tuple[int, int]:
        if field is None:
            return inner.cost + 1, 0
        page = self._page(node, field)
        if not _is_list(field):
            return 1 + inner.cost + page * inner.per_item, 0
        stated = _stated_size(field)
        if node.name.value in ITEMS and PAGE not in field.args and stated is None:
            return 0, 1 + inner.cost + self._limits.usual_list * inner.per_item
        size = page if PAGE in field.args else stated or self._limits.usual_list
        return size * (1 + inner.cost + self._limits.usual_list * inner.per_item), 0

    def _page(self, node: FieldNode, field: GraphQLField) -> int:
        argument = field.args.get(PAGE)
        if argument is None:
            return self._limits.usual_list
        asked = next((given.value for given in node.arguments or () if given.name.value == PAGE), None)
        value: object = argument.default_value
        if isinstance(asked, IntValueNode) and len(asked.value) < 10:  # longer ones are refused as Int anyway
            value = int(asked.value)
        elif isinstance(asked, VariableNode):
            self.sized_by.add(asked.name.value)
            value = self._variables.get(asked.name.value, value)
        largest = self._limits.largest_page
        return max(1, min(value, largest)) if isinstance(value, int) else largest

    def _checked(self, weight: Weight, parent: GraphQLNamedType | None) -> Weight:
        limits = self._limits
        is_introspection = parent is not None and parent.name.startswith("__")
        for what, value, limit in (
            ("depth", weight.depth, limits.introspection_depth if is_introspection else limits.depth),
            ("aliases", weight.aliases, limits.aliases),
            ("directives", weight.directives, limits.directives),
            ("fields", weight.fields, limits.fields),
            ("repeated fields", weight.repeats, limits.repeats),
        ):
            if value > limit:
                raise TooComplex(what, limit)
        return weight


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Judge what needs no schema: how many fragments there are, and how long a number is.

    Raises:
        TooComplex: fragments or digits over their limit.
    """
    count = sum(isinstance(node, FragmentDefinitionNode) for node in document.definitions)
    if count > limits.fragments:
        raise TooComplex("fragments", limits.fragments)
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in (TokenKind.INT, TokenKind.FLOAT) and len(token.value or "") > limits.digits:
            raise TooComplex("digits of a number", limits.digits)
        token = token.next


def _response_name(node: SelectionNode) -> str | int:
    if not isinstance(node, FieldNode):
        return id(node)
    return node.alias.value if node.alias else node.name.value


def _field_of(schema: GraphQLSchema, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    return schema.get_field(parent, name) if is_composite_type(parent) else None


def _is_list(field: GraphQLField) -> bool:
    kind = field.type
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return isinstance(kind, GraphQLList)


def _stated_size(field: GraphQLField) -> int | None:
    """The size a plain list usually has, told where the field is declared (`metadata={"size": n}`)."""
    definition = field.extensions.get("strawberry-definition")
    size: int | None = getattr(definition, "metadata", {}).get("size")
    return size
