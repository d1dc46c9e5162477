"""Whom a write may be made for: one question, asked by every verb that writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chassis.auth import Caller
from chassis.errors import UNIT_NOT_COVERED, Forbidden


def require_cover(caller: Caller, code: str, provinces: Iterable[str | None]) -> None:
    """Let the caller act for a unit, or for every province it belongs or belonged to.

    Raises:
        Forbidden: the token covers neither ("unit_not_covered").
    """
    if caller.covers(code, None):
        return
    named = list(provinces)
    if not named or not all(caller.covers(code, province) for province in named):
        raise Forbidden(UNIT_NOT_COVERED, admin_unit=code)


def as_keeper(caller: Caller) -> Caller:
    """The caller, seeing all there is: for reading what it was just let in to write."""
    return replace(caller, admin_units=frozenset({"*"}))
