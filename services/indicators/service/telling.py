"""What a post announces: one event per unit, long ones in parts, samples (public in the demo) apart."""

from __future__ import annotations

from uuid import UUID

import msgspec
import polars as pl

from chassis.auth import Caller
from chassis.outbox import MAX_EVENT_BYTES, Event, pack
from services.indicators.domain.actuals.announcing import Part, parts
from services.indicators.domain.actuals.columns import SAMPLE
from services.indicators.schemas.events import ACTUALS_POSTED
from services.indicators.service.applying import place_of

_ENVELOPE_BYTES = 1024


def events_of(changed: pl.DataFrame, import_id: UUID, caller: Caller) -> list[Event]:
    """The events of changed figures, written and packed; for a thread, beside the statements of the post."""
    return [_event(part, import_id, caller) for part in parts(changed, MAX_EVENT_BYTES - _ENVELOPE_BYTES)]


def _event(part: Part, import_id: UUID, caller: Caller) -> Event:
    about = {
        "admin_unit": part.admin_unit,
        "import_id": import_id,
        "client_id": None if part.is_sample else caller.client_id,
        "source": SAMPLE if part.is_sample else None,
        "changes": msgspec.Raw(b"[" + part.changes.encode() + b"]"),
    }
    place = place_of(part.admin_unit, part.province)
    return Event(ACTUALS_POSTED, part.admin_unit, pack(msgspec.json.encode(about)), *place, is_public=part.is_sample)
