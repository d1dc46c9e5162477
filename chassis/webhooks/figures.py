"""What an operator sees of webhooks: counts, how far behind each is, and how old the oldest undelivered event is."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from chassis.webhooks.running import Run
from chassis.webhooks.sending import Outcome
from chassis.webhooks.store import reading

# Each webhook is a time series of its own; beyond so many, the ones least behind are counted together.
MOST_SHOWN = 50
OTHERS = "others"

DELIVERIES = Counter("chitieu_webhook_deliveries_total", "Tries to deliver, by how they ended", ["service", "result"])
SECONDS = Histogram("chitieu_webhook_delivery_seconds", "How long receivers took to answer, seconds", ["service"])
WEBHOOKS = Gauge("chitieu_webhooks", "Webhooks of the service, by state", ["service", "state"])
BEHIND = Gauge(
    "chitieu_webhook_behind_events",
    "Positions of the log that a webhook in this process's hands has not passed; webhook others: the sum of the rest",
    ["service", "webhook"],
)
HELD = Gauge("chitieu_webhook_held_keys", "Keys that wait after a failure, in this process's hands", ["service"])
OLDEST = Gauge(
    "chitieu_webhook_oldest_undelivered_seconds",
    "Age of the oldest event that a webhook in this process's hands has not delivered",
    ["service"],
)
_shown: dict[str, set[str]] = {}


def count(service: str, outcome: Outcome) -> None:
    """Count one try."""
    DELIVERIES.labels(service, str(outcome.result)).inc()
    SECONDS.labels(service).observe(outcome.seconds)


def count_states(service: str, states: Iterable[str]) -> None:
    """Say how many webhooks are in each state."""
    found = Tally(states)
    for state in ("pending", "active", "paused"):
        WEBHOOKS.labels(service, state).set(found[state])


async def measure(connection: Any, service: str, runs: Iterable[Run], head: int) -> None:
    """Say how far behind the webhooks in this process's hands are."""
    active = [run for run in runs if run.state == "active"]
    behind = {str(run.id): max(head - run.cursor, 0) for run in active}
    first = sorted(behind, key=behind.__getitem__, reverse=True)
    shown = {name: behind[name] for name in first[:MOST_SHOWN]}
    if len(first) > MOST_SHOWN:
        shown[OTHERS] = sum(behind[name] for name in first[MOST_SHOWN:])
    for name in _shown.get(service, set()) - shown.keys():
        BEHIND.remove(service, name)
    for name, number in shown.items():
        BEHIND.labels(service, name).set(number)
    _shown[service] = set(shown)
    HELD.labels(service).set(sum(run.held_keys for run in active))
    oldest = min((run.first_undelivered for run in active), default=head + 1)
    OLDEST.labels(service).set(await reading.age(connection, oldest) if oldest <= head else 0.0)
