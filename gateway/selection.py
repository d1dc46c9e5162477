"""What an operation asks below a field, so that a root can fetch it along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import FieldNode, FragmentSpreadNode, IntValueNode, SelectionSetNode, VariableNode

from gateway.context import Info


def children(info: Info, *path: str) -> list[FieldNode]:
    """The field nodes reached from the current field by these names, through fragments; directives are not judged."""
    nodes: list[FieldNode] = list(info._raw_info.field_nodes)
    for name in path:
        nodes = [child for node in nodes for child in _named(info, node.selection_set, name)]
    return nodes


def asks_beyond(info: Info, *known: str) -> bool:
    """Whether the current field's selection names anything but these fields."""
    allowed = {*known, "__typename"}
    return any(
        child.name.value not in allowed
        for node in info._raw_info.field_nodes
        for child in _fields(info, node.selection_set)
    )


def whole_number(info: Info, node: FieldNode, name: str) -> int | None:
    """An argument's value, given as a number or by a variable; None when absent."""
    value: Any = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
    if isinstance(value, VariableNode):
        given = info.variable_values.get(value.name.value)
        return given if isinstance(given, int) else None
    return int(value.value) if isinstance(value, IntValueNode) else None


def _named(info: Info, selection_set: SelectionSetNode | None, name: str) -> Iterator[FieldNode]:
    return (node for node in _fields(info, selection_set) if node.name.value == name)


def _fields(info: Info, selection_set: SelectionSetNode | None) -> Iterable[FieldNode]:
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(info, info._raw_info.fragments[node.name.value].selection_set)
        else:
            yield from _fields(info, node.selection_set)  # type: ignore[attr-defined]  # an inline fragment
