"""Rows whose codes stand for nothing, or for what their sender may not write: refused with advice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import polars as pl

from chassis.database import ReadSession
from chassis.tabular import Findings
from chassis.text import fold, suggest
from services.indicators.domain.actuals import resolving
from services.indicators.domain.actuals.resolving import Advice
from services.indicators.store import posting
from services.indicators.store.posting import Known


async def refuse_strangers(db: ReadSession, found: pl.DataFrame) -> Findings:
    """Every row that names what is not there, with what may have been meant; costs nothing when there is none."""
    units, indicators, sub_populations = resolving.strangers(found)
    if not units and not indicators and not sub_populations:
        return Findings.none()
    named, near = units[:_NAMED], units[:_ADVISED]
    names = {name for words in named for name in names_meant(words)}
    known = await posting.load_known(db, sorted(names), near)
    return await asyncio.to_thread(_worded, found, known, (named, indicators[:_NAMED], sub_populations))


# Of very many different strangers the first ones get advice: seeking what is near takes 40 ms among all units.
_NAMED, _ADVISED = 2000, 20
_KINDS = ("xa ", "phuong ", "dac khu ", "tinh ", "thanh pho ")


def _worded(
    found: pl.DataFrame, known: Known, strangers: tuple[Sequence[str], Sequence[str], Sequence[str]]
) -> Findings:
    units, indicators, sub_populations = strangers
    named = {words: meant for words in units if (meant := _units_named(words, known))}
    coded = {words: code for words in indicators if (code := known.indicators.get(fold(words)))}
    advice = Advice(
        named,
        _near([words for words in units[:_ADVISED] if words not in named], known.unit_codes),
        coded,
        _near([words for words in indicators if words not in coded], known.codes),
        _near(sub_populations, known.sub_populations),
    )
    return resolving.refuse_strangers(found, advice)


def names_meant(words: str) -> set[str]:
    """The folded names that words may be: as they stand, or after a type ("xã Đại Phước" means Đại Phước)."""
    name = fold(words)
    return {name, *(name.removeprefix(kind) for kind in _KINDS)}


def _units_named(words: str, known: Known) -> str:
    """The codes of the units whose name, perhaps after a type, these words are."""
    return ", ".join(sorted(code for name in names_meant(words) for code in known.units.get(name, ())))


def _near(words: Sequence[str], known: Sequence[str]) -> Mapping[str, str]:
    return {one: near for one in words[:_ADVISED] if (near := suggest(one, known))}
