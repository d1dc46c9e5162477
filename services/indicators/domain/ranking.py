"""Who stands where: a province's communes by one indicator, like with like only, exactly."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from services.indicators.domain.catalogue import Direction, ValueType
from services.indicators.domain.evaluation import Figure


class Method(StrEnum):
    """Which figure comes first."""

    HIGHEST_FIRST = "highest_first"
    LOWEST_FIRST = "lowest_first"
    EARLIEST_FIRST = "earliest_first"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A commune with one figure, and the regime that cut its period."""

    admin_unit: str
    regime: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Place:
    """A commune's place; 1 is best."""

    place: int
    entrant: Entrant


def method_of(value_type: ValueType, direction: Direction) -> Method:
    """How figures of an indicator are ordered: milestones by their day, others by the way that is better."""
    if value_type is ValueType.MILESTONE:
        return Method.EARLIEST_FIRST
    return Method.LOWEST_FIRST if direction is Direction.LOWER else Method.HIGHEST_FIRST


def like_with_like(entrants: Sequence[Entrant], method: Method) -> list[Entrant]:
    """Each commune's latest figure within the one regime and kind of period that most communes report.

    Figures that cannot be ordered take no part. Of two kinds reported by equally many, the first by name counts.
    """
    fit = [each for each in entrants if _score(each.figure, method) is not None]
    kinds = {(each.admin_unit, each.regime, each.figure.period_type) for each in fit}
    communes = Counter((regime, kind) for _, regime, kind in kinds)
    if not communes:
        return []
    most = min(communes, key=lambda kind: (-communes[kind], kind))
    latest: dict[str, Entrant] = {}
    for each in fit:
        known = latest.get(each.admin_unit)
        is_later = known is None or known.figure.window.ends_on < each.figure.window.ends_on
        if (each.regime, each.figure.period_type) == most and is_later:
            latest[each.admin_unit] = each
    return list(latest.values())


def placed(entrants: Sequence[Entrant], method: Method) -> list[Place]:
    """Communes with their places, best first; equal figures share a place, and the next place counts them."""
    scores = [(_score(each.figure, method) or Fraction(0), each) for each in entrants]
    ordered = sorted(scores, key=lambda pair: (-pair[0], pair[1].admin_unit))
    places: list[Place] = []
    for at, (score, each) in enumerate(ordered, 1):
        is_tied = at > 1 and ordered[at - 2][0] == score
        places.append(Place(places[-1].place if is_tied else at, each))
    return places


def _score(figure: Figure, method: Method) -> Fraction | None:
    """The figure unrounded, turned so that more is better."""
    if method is Method.EARLIEST_FIRST:
        return Fraction(-figure.done_on.toordinal()) if figure.done_on else None
    exact = figure.exact
    return -exact if exact is not None and method is Method.LOWEST_FIRST else exact
