"""What clients sent and what they were told, kept outside the system: the witness that the checker believes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Key = tuple[str, str, str]  # unit, indicator, period
FINAL = (200, 207, 422)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was sent; a bad one names an indicator that does not exist."""

    admin_unit: str
    indicator: str
    period: str
    value: int
    measured_on: date | None = None
    is_bad: bool = False

    @property
    def key(self) -> Key:
        """What the row is about."""
        return self.admin_unit, self.indicator, self.period


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that ends a request: the rows are in, or refused."""

    status: int
    body: Mapping[str, Any]
    raw: bytes
    is_replayed: bool
    at: float


GIVEN_UP = 0  # in place of a status: the service died so often under an import that it tries no more, and says so


@dataclass(slots=True)
class Posting:
    """One request, sent until it is answered, and every final answer to it. None: it was given up, nobody knows.

    Without a key it is sent again all the same: rows that are in already are unchanged then.
    """

    number: int
    client: str
    rows: Sequence[Row]
    form: str = "json"
    mode: str = "atomic"
    is_dry_run: bool = False
    has_key: bool = True
    is_import: bool = False
    body: bytes = b""
    place: str | None = None  # of its import, once that is opened
    held: int = 0  # bytes that its import was told to hold
    sent_at: float = 0.0
    replies: list[Reply] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What the rows carry as their source, so that a stored row tells whose it is."""
        return f"{self.client}-{self.number}"

    @property
    def reply(self) -> Reply | None:
        """The first final answer."""
        return self.replies[0] if self.replies else None

    @property
    def was_given_up(self) -> bool:
        """Whether the service said that it tries no more, and that nothing was written."""
        return self.reply is not None and self.reply.status == GIVEN_UP

    @property
    def import_id(self) -> str | None:
        """The import it was told to be."""
        return self.reply.body.get("import_id") if self.reply else None

    @property
    def sound_rows(self) -> list[Row]:
        """The rows that are to be kept, once each, if any are."""
        return list(dict.fromkeys(row for row in self.rows if not row.is_bad))

    @property
    def may_write(self) -> bool:
        """Whether it can leave anything: a dry run cannot, nor an atomic post with a bad row, nor one given up."""
        has_bad = any(row.is_bad for row in self.rows)
        return not (self.is_dry_run or self.was_given_up or (self.mode == "atomic" and has_bad))


@dataclass(slots=True)
class Journal:
    """Every posting of one run."""

    postings: list[Posting] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # promises that a client itself saw broken

    def send(self, posting: Posting) -> None:
        """Note a posting before its first byte leaves."""
        posting.sent_at = time.monotonic()
        self.postings.append(posting)

    def count(self, what: str) -> None:
        """Note what an attempt came to."""
        self.statuses[what] = self.statuses.get(what, 0) + 1

    @property
    def acknowledged(self) -> list[Posting]:
        """The postings with an answer."""
        return [posting for posting in self.postings if posting.replies]
