"""How the schema is declared: a type's docstring is its description, and every field has one."""

from __future__ import annotations

from collections.abc import Callable
from enum import EnumMeta
from inspect import cleandoc
from typing import Any, TypeVar

import strawberry

C = TypeVar("C", bound=type)
E = TypeVar("E", bound=EnumMeta)


def shown(cls: C) -> C:
    """An object type; its docstring is what dashboards read."""
    made: C = strawberry.type(cls, description=_words(cls))
    return made


def shared(cls: C) -> C:
    """An interface."""
    made: C = strawberry.interface(cls, description=_words(cls))
    return made


def given(cls: C) -> C:
    """An input type."""
    made: C = strawberry.input(cls, description=_words(cls))
    return made


def coded(cls: E) -> E:
    """An enum of codes; the values are the services' own words, so that a row needs no translation."""
    made: E = strawberry.enum(cls, description=_words(cls))
    return made


def told(description: str, resolver: Callable[..., Any] | None = None, *, size: int | None = None) -> Any:
    """A field with its description. `size` is how long a plain list usually is, for the cost of an operation."""
    metadata = {} if size is None else {"size": size}
    made: Any = resolver  # strawberry's overloads do not cover a resolver that may be absent
    return strawberry.field(description=description, resolver=made, metadata=metadata)


def asked(description: str, default: Any = None) -> Any:
    """A field of an input that may be left out."""
    return strawberry.field(description=description, default=default)


def _words(cls: type) -> str:
    return " ".join(cleandoc(cls.__doc__ or "").split())
