"""What is sent: an event of the log, or a word of our own (challenge, ping), as one structured CloudEvent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import clock
from chassis.event_log import Envelope, Logged
from chassis.replies import encode


@dataclass(frozen=True, slots=True)
class Letter:
    """One body, the same for every receiver and every try; `pos` is None where it is no event of the log."""

    event_id: UUID
    type: str
    subject: str
    body: str
    pos: int | None = None


class Office:
    """Who writes: the service, and the address it is known by."""

    def __init__(self, service: str, public_url: str | None) -> None:
        self._service = service
        self._source = f"{public_url or ''}/{service}"
        self._envelope = Envelope(service, public_url)

    def of_events(self, rows: Sequence[Logged]) -> dict[int, Letter]:
        """Events of the log, by their positions."""
        told = zip(rows, self._envelope.texts(rows), strict=True)
        return {row.pos: Letter(UUID(row["event_id"]), row.type, row["subject"], text, row.pos) for row, text in told}

    def challenge(self, webhook_id: UUID, event_id: UUID, word: str) -> Letter:
        """The question whether the receiver wants to hear from us: it answers with the same word."""
        return self._own("challenged", webhook_id, event_id, {"challenge": word})

    def ping(self, webhook_id: UUID, event_id: UUID) -> Letter:
        """A word to try the receiver with."""
        return self._own("pinged", webhook_id, event_id, {})

    def _own(self, verb: str, webhook_id: UUID, event_id: UUID, data: Mapping[str, str]) -> Letter:
        kind = f"vn.chitieu.{self._service}.webhook.{verb}.v1"
        event = {
            "specversion": "1.0",
            "id": str(event_id),
            "source": self._source,
            "type": kind,
            "subject": str(webhook_id),
            "time": clock.now(),
            "datacontenttype": "application/json",
            "data": data,
        }
        return Letter(event_id, kind, str(webhook_id), encode(event).decode())
