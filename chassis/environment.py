"""What libraries read from the environment, which is not ours to decide otherwise; all of our own is in settings."""

from __future__ import annotations

import os
from collections.abc import Mapping


def suggest_to_library(name: str, value: str) -> None:
    """Set what a library reads from the environment; an operator's own setting stands."""
    os.environ.setdefault(name, value)


def environment_with(said: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of our own: ours, with what its libraries are to read there."""
    return {**os.environ, **said}
