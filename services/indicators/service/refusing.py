"""Rows whose codes stand for nothing, or for what their sender may not write: refused with advice."""

from __future__ import annotations

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
    known = await posting.load_known(db, units)
    named = {words: meant for words in units if (meant := _units_named(words, known))}
    coded = {words: code for words in indicators if (code := known.indicators.get(fold(words)))}
    advice = Advice(
        named,
        _near([words for words in units if words not in named], known.unit_codes),
        coded,
        _near([words for words in indicators if words not in coded], known.codes),
        _near(sub_populations, known.sub_populations),
    )
    return resolving.refuse_strangers(found, advice)


def _units_named(words: str, known: Known) -> str:
    """The codes of the units whose name, perhaps after a type, these words are."""
    name = fold(words)
    meant = [code for one, codes in known.units.items() if name == one or name.endswith(f" {one}") for code in codes]
    return ", ".join(sorted(meant))


def _near(words: Sequence[str], known: Sequence[str]) -> Mapping[str, str]:
    # Seeking what is near is slow: of very many different strangers the first ones get advice.
    return {one: near for one in words[:_ADVISED] if (near := suggest(one, known))}


_ADVISED = 200
