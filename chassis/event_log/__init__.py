"""The event log as it is read: rows, what they say as CloudEvents, and the newest ones for everybody who waits."""

from __future__ import annotations

from chassis.event_log.positions import Position, encode_position
from chassis.event_log.reading import MOST_EVENTS, Basket, Expired, Filter, LogReader, Rewound, Span, Wish
from chassis.event_log.rows import Envelope, Logged
from chassis.event_log.watch import Watch

__all__ = [
    "MOST_EVENTS",
    "Basket",
    "Envelope",
    "Expired",
    "Filter",
    "LogReader",
    "Logged",
    "Position",
    "Rewound",
    "Span",
    "Watch",
    "Wish",
    "encode_position",
]
