"""What every declarative write shares: its terms, its answer, and how changes are told in parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.auth import Caller
from chassis.database import Session
from chassis.errors import UNIT_NOT_COVERED, Forbidden
from chassis.history import SetDiff

CatchUp = Callable[[Session], Awaitable[None]]

EVERYWHERE = "*"
CATALOGUE, REGIMES = "catalogue", "regimes"  # the lists that targets and figures rely on


@dataclass(frozen=True, slots=True)
class Terms:
    """How a set is applied: pruned or not, upon one version or any, as a correction and why; who fetches news."""

    catch_up: CatchUp
    prune: bool = False
    if_match: int | None = None
    correction: str | None = None


def require_everywhere(caller: Caller) -> None:
    """What everybody shares is written by who acts for everybody.

    Raises:
        Forbidden: the token names units ("unit_not_covered").
    """
    if EVERYWHERE not in caller.admin_units:
        raise Forbidden(UNIT_NOT_COVERED, admin_unit=EVERYWHERE)


def place_of(unit: str, province: str | None) -> tuple[str | None, str | None]:
    """Province and commune of a unit; a province is no commune."""
    return province, None if unit == province else unit


def answer(db: Session, diffs: Mapping[str, SetDiff], token: str, **more: Any) -> dict[str, Any]:
    """What a declarative write changed; a dry run has no write to wait for."""
    is_dry = bool(db.info.get("dry_run"))
    return {
        **more,
        "changes": {name: diff.summary() for name, diff in diffs.items()},
        "dry_run": is_dry,
        "write_token": None if is_dry else token,
    }
