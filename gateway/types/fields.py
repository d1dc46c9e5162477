"""How a type of the schema declares its fields: a description always, a resolver where a row is not enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry


def told(description: str, resolver: Callable[..., Any] | None = None, *, size: int | None = None) -> Any:
    """A field with its description. `size` is how long a plain list usually is, for the cost of an operation."""
    metadata = {} if size is None else {"size": size}
    return strawberry.field(description=description, resolver=resolver, metadata=metadata)
