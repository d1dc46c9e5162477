"""Where a reader of the merged changes stands: a cursor of each service, under one opaque cursor."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from chassis.errors import Refused, rule
from chassis.event_log.positions import Position
from chassis.feed import FEED_CURSOR_INVALID
from chassis.replies import encode
from chassis.settings import SERVICES

SERVICE_UNKNOWN = rule(
    "service_unknown",
    vi="Không có dịch vụ {service}; có: {known}.",
    en="There is no service {service}; there are: {known}.",
)
SERVICES_DIFFER = rule(
    "services_differ",
    vi="Con trỏ này theo dõi {followed}; muốn theo dõi dịch vụ khác thì bắt đầu không có con trỏ.",
    en="This cursor follows {followed}; to follow other services begin without a cursor.",
)

# Where a service is read up to: a position; its beginning (none); or its head, wherever that will be when the service
# is first reached.
NOW: Literal["now"] = "now"
Place = Position | Literal["now"] | None
Places = Mapping[str, Place]
LAST = 10**18


def encode_places(places: Places) -> str:
    """The opaque cursor of the whole: `{service: [epoch, pos]}`."""
    return base64.urlsafe_b64encode(encode(places)).decode().rstrip("=")


def decode_places(cursor: str) -> Places:
    """Where each service that is followed is read up to.

    Raises:
        Refused: not one of our cursors ("feed_cursor_invalid").
    """
    try:
        packed = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise Refused(FEED_CURSOR_INVALID) from error
    if not isinstance(packed, dict) or not packed or not packed.keys() <= set(SERVICES):
        raise Refused(FEED_CURSOR_INVALID)
    return {name: _place(place) for name, place in packed.items()}


def _place(place: Any) -> Place:
    if place is None or place == NOW:
        return place  # type: ignore[no-any-return]  # one of the two
    is_pair = isinstance(place, list) and [type(part) for part in place] == [int, int]
    if not is_pair or not all(0 <= part < LAST for part in place):
        raise Refused(FEED_CURSOR_INVALID)
    return Position(*place)


def places_from(cursor: str | None, services: Sequence[str], start: Place) -> Places:
    """Where to go on: what the cursor follows, else the services asked for (none named: all) from a common start.

    Raises:
        Refused: an unknown service ("service_unknown"), other services than the cursor's ("services_differ"), not
            one of our cursors ("feed_cursor_invalid").
    """
    for name in services:
        if name not in SERVICES:
            raise Refused(SERVICE_UNKNOWN, service=name, known=", ".join(SERVICES))
    if cursor is None:
        return {name: start for name in SERVICES if not services or name in services}
    places = decode_places(cursor)
    if services and set(services) != places.keys():
        raise Refused(SERVICES_DIFFER, followed=", ".join(places))
    return places
