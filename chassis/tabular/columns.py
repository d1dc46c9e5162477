"""What a column holds, as declared by the service that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.tabular.numbers import MARK_PERCENT, MARK_VND

__all__ = ["MARK_PERCENT", "MARK_VND", "Choice", "Column", "Day", "Flag", "Number", "Text", "Whole"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words or a code: NFC, trimmed, of at most `longest` characters; in a file a whole number may be a code."""

    name: str
    required: bool = False
    longest: int = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; `words` maps each folded spelling to its value."""

    name: str
    words: Mapping[str, str]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """An exact decimal with at most so many whole digits and places; becomes Decimal(38, places).

    With `marks` ("percent", "vnd") those may follow the number, and a column `<name>_mark` says which did.
    """

    name: str
    required: bool = False
    digits: int = 14
    places: int = 6
    marks: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of at most so many digits; becomes a 64-bit integer. `marks` as for `Number`."""

    name: str
    required: bool = False
    digits: int = 16
    marks: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day: 2026-06-14, in files also 14/06/2026."""

    name: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false; in files also có, không, đúng, sai, x."""

    name: str
    required: bool = False


Column = Text | Choice | Number | Whole | Day | Flag
