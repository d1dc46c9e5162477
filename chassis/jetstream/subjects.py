"""Names in NATS: a service's stream, an event's subject and id. Pure.

A subject is `ev.<province>.<service>.<entity>.<commune>.<event>.<version>`, for example
`ev.75.indicators.actuals.26491.posted.v1`. What only the unit itself, its province and tokens for everywhere may hear
has the first word `ev-restricted`: so an account that may listen to `ev.>` hears what is public and nothing else, and
one that may also listen to `ev-restricted.*.*.*.26491.>` hears what a token of that commune would.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.event_log.reading import Placed

PUBLIC, RESTRICTED = "ev", "ev-restricted"
NOWHERE = "_"  # stands for the province or the commune of an event that concerns none

_ODD = re.compile(r"[^A-Za-z0-9_-]")
_TYPE = re.compile(r"vn\.chitieu\.([a-z_]+)\.([a-z_]+)\.([a-z_]+)\.(v[1-9]\d*)")
_MESSAGE_ID = re.compile(r"([1-9]\d{0,8}):([1-9]\d{0,17})")


def stream_of(service: str) -> str:
    """The stream of a service."""
    return f"chitieu-{service}"


def subjects_of(service: str) -> list[str]:
    """Every subject that the stream of a service takes."""
    return [f"{root}.*.{service}.>" for root in (PUBLIC, RESTRICTED)]


def subject_of(event: Placed) -> str:
    """The subject of an event of the log.

    Raises:
        ValueError: its type is not `vn.chitieu.<service>.<entity>.<event>.v<number>`.
    """
    found = _TYPE.fullmatch(event.type)
    if found is None:
        raise ValueError(f"{event.type} is no event type")
    service, entity, happened, version = found.groups()
    root = PUBLIC if event.is_public else RESTRICTED
    return ".".join((root, _place(event.province), service, entity, _place(event.commune), happened, version))


def _place(code: str | None) -> str:
    return _ODD.sub("_", code) if code else NOWHERE


def message_id(epoch: int, pos: int) -> str:
    """The id of an event's message: the epoch of the log, and the position in it."""
    return f"{epoch}:{pos}"


def read_message_id(text: str | None) -> tuple[int, int] | None:
    """Epoch and position of a message's id; None where it is not one of ours."""
    found = _MESSAGE_ID.fullmatch(text or "")
    return (int(found[1]), int(found[2])) if found else None
