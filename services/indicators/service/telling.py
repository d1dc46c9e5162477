"""What a post announces: one event per unit, long ones in parts, samples (public in the demo) apart."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import polars as pl

from chassis.auth import Caller
from chassis.outbox import MAX_EVENT_BYTES, Event, pack
from chassis.replies import encode
from services.indicators.domain.actuals.announcing import Part, parts
from services.indicators.domain.actuals.columns import SAMPLE
from services.indicators.schemas.events import ACTUALS_POSTED
from services.indicators.service.applying import place_of

_ENVELOPE_BYTES = 1024
_ROWS_AT_ONCE = 10_000


def events_of(changed: pl.DataFrame, import_id: UUID, caller: Caller) -> list[Event]:
    """The events of changed figures, written and packed; for a thread, beside the statements of the post."""
    room = MAX_EVENT_BYTES - _ENVELOPE_BYTES
    return [_event(part, import_id, caller) for some in _by_units(changed) for part in parts(some, room)]


def _by_units(changed: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Changes of whole units, few at a time: written out, they are ten times their size."""
    if changed.height <= _ROWS_AT_ONCE:
        yield changed
        return
    ends = changed["admin_unit_id"].rle().struct.field("len").cum_sum().to_list()
    start = 0
    for end in ends:
        if end - start >= _ROWS_AT_ONCE or end == changed.height:
            yield changed.slice(start, end - start)
            start = end


def _event(part: Part, import_id: UUID, caller: Caller) -> Event:
    about = {
        "admin_unit": part.admin_unit,
        "import_id": import_id,
        "client_id": caller.announced_as,
        "source": SAMPLE if part.is_sample else None,
    }
    data = b"".join((encode(about)[:-1], b',"changes":[', part.changes, b"]}"))
    place = place_of(part.admin_unit, part.province)
    return Event(ACTUALS_POSTED, part.admin_unit, pack(data), *place, is_public=part.is_sample)
