"""What is sent: an event of the log, or a word of our own (challenge, ping), as one structured CloudEvent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.database import exact_json
from chassis.feed import cloud_event
from chassis.outbox import unpack
from chassis.replies import encode


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Letter:
    """One body, the same for every receiver and every try; `pos` is None where it is no event of the log."""

    event_id: UUID
    type: str
    subject: str
    body: str
    pos: int | None = None


@dataclass(frozen=True, slots=True)
class Office:
    """Who writes: the service, and the address it is known by."""

    service: str
    public_url: str | None

    def of_event(self, row: Mapping[str, Any]) -> Letter:
        """An event of the log."""
        packed = row["packed"]
        data = exact_json.decode(row["data"] if packed is None else unpack(packed))
        body = encode(cloud_event(self.service, {**row, "data": data}, self.public_url)).decode()
        return Letter(row["event_id"], row["type"], row["subject"], body, row["pos"])

    def challenge(self, webhook_id: UUID, event_id: UUID, word: str) -> Letter:
        """The question whether the receiver wants to hear from us: it answers with the same word."""
        return self._own("challenged", webhook_id, event_id, {"challenge": word})

    def ping(self, webhook_id: UUID, event_id: UUID) -> Letter:
        """A word to try the receiver with."""
        return self._own("pinged", webhook_id, event_id, {})

    def _own(self, verb: str, webhook_id: UUID, event_id: UUID, data: Mapping[str, str]) -> Letter:
        kind = f"vn.chitieu.{self.service}.webhook.{verb}.v1"
        event = {
            "specversion": "1.0",
            "id": str(event_id),
            "source": f"{self.public_url or ''}/{self.service}",
            "type": kind,
            "subject": str(webhook_id),
            "time": clock.now(),
            "datacontenttype": "application/json",
            "data": data,
        }
        return Letter(event_id, kind, str(webhook_id), encode(event).decode())
