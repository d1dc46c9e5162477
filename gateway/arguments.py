"""How long the arguments of a field may be: what is over is the caller's mistake, told before a service is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLArgument, GraphQLField, GraphQLList, get_named_type, get_nullable_type

from chassis.errors import Refused, rule

LONGEST_LIST = 200
LONGEST_TEXT: Mapping[str, int] = {"String": 200, "ID": 1_000}
TEXT_TOO_LONG = rule(
    "argument_too_long",
    vi="Đối số {argument} dài tối đa {largest} ký tự.",
    en="The argument {argument} has at most {largest} characters.",
)
LIST_TOO_LONG = rule(
    "argument_list_too_long",
    vi="Đối số {argument} có tối đa {largest} giá trị.",
    en="The argument {argument} has at most {largest} values.",
)
TEXT_UNREADABLE = rule(
    "argument_unreadable",
    vi="Đối số {argument} có ký tự điều khiển; hãy bỏ đi.",
    en="The argument {argument} holds control characters; leave them out.",
)
_UNREADABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def bound_arguments(field: GraphQLField) -> None:
    """Let a field refuse texts and lists over their length; rows to be written are for their service to judge."""
    texts = {name: LONGEST_TEXT[kind] for name, given in field.args.items() if (kind := _kind(given)) in LONGEST_TEXT}
    lists = [name for name, given in field.args.items() if _is_list(given) and _kind(given) != "ActualInput"]
    resolve = field.resolve
    if resolve is not None and (texts or lists):
        field.resolve = _bounded(resolve, texts, lists)


def _bounded(resolve: Callable[..., Any], texts: Mapping[str, int], lists: list[str]) -> Callable[..., Any]:
    def resolve_bounded(row: Any, info: Any, **given: Any) -> Any:
        for name in lists:
            _check_list(name, given.get(name))
        for name, largest in texts.items():
            _check_texts(name, given.get(name), largest)
        return resolve(row, info, **given)

    return resolve_bounded


def _check_list(name: str, value: Any) -> None:
    if isinstance(value, list) and len(value) > LONGEST_LIST:
        raise Refused(LIST_TOO_LONG, argument=name, largest=LONGEST_LIST)


def _check_texts(name: str, value: Any, largest: int) -> None:
    for text in value if isinstance(value, list) else (value,):
        if not isinstance(text, str):
            continue
        if len(text) > largest:
            raise Refused(TEXT_TOO_LONG, argument=name, largest=largest)
        if _UNREADABLE.search(text):
            raise Refused(TEXT_UNREADABLE, argument=name)


def _kind(argument: GraphQLArgument) -> str:
    return get_named_type(argument.type).name


def _is_list(argument: GraphQLArgument) -> bool:
    return isinstance(get_nullable_type(argument.type), GraphQLList)
