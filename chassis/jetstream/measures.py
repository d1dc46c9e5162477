"""What the relay tells of itself at `/metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

BEHIND = Gauge("chitieu_jetstream_behind_events", "Events of the log that its stream does not have yet", ["service"])
PUBLISHED = Counter("chitieu_jetstream_published_events", "Events put into the stream", ["service"])
MISSING = Counter("chitieu_jetstream_missing_events", "Events the log dropped before the stream had them", ["service"])
ERRORS = Counter(
    "chitieu_jetstream_errors", "Publishes refused or unanswered, connections lost or refused", ["service"]
)
