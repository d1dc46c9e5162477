"""A row of the log, and the CloudEvent it is told as.

One page may be ten thousand of them, so the payload stays the text the database gives: nothing is decoded in between.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from chassis.database import exact_json
from chassis.outbox import unpack
from chassis.replies import encode

# In the order of `Logged`. JSON of a moment and of a payload is made by the database.
COLUMNS = """pos, event_id::text, type, subject, version, province, commune, is_public, to_json(at)::text, trace,
  data::text, packed"""
_FULL_MOMENT = len('"2026-11-22T07:23:22.123456+00:00"')


class Logged(NamedTuple):
    """One event as the log keeps it: `at` and `data` are JSON, `packed` is `data` when it is long."""

    pos: int
    event_id: str
    type: str
    subject: str
    version: int
    province: str | None
    commune: str | None
    is_public: bool
    at: str
    trace: str | None
    data: str | None
    packed: bytes | None

    @property
    def payload(self) -> str:
        """The data as JSON, without the version."""
        return self.data if self.data is not None else unpack(self.packed or b"").decode()

    def as_dict(self) -> dict[str, Any]:
        """The row with its payload as an object, numbers as the decimals they were."""
        row = self._asdict()
        del row["packed"]
        return {**row, "at": datetime.fromisoformat(self.at.strip('"')), "data": exact_json.decode(self.payload)}


class Envelope:
    """Tells rows of one service as CloudEvents 1.0, as JSON; addresses are absolute under a public URL."""

    def __init__(self, service: str, public_url: str | None) -> None:
        base = public_url or ""
        self._source = f"{base}/{service}"
        self._schemas = f"{base}/v1/{service}/event-schemas/"
        self._kinds: dict[str, tuple[str, str]] = {}

    def text(self, row: Logged) -> str:
        """One event as JSON."""
        pos, event_id, kind, subject, version, province, _, _, at, trace, data, packed = row
        known = self._kinds.get(kind) or self._kind(kind)
        if data is None:
            data = unpack(packed or b"").decode()
        name = _quoted(subject)
        return (
            f'{{"specversion":"1.0","id":"{event_id}",{known[0]}{name},"time":{_moment(at)},{known[1]}'
            f'"sequence":"{pos:020d}","partitionkey":{name}'
            f"{_member('province', province)}{_member('traceparent', trace)}"
            f',"data":{data[:-1]}{"" if data == "{}" else ","}"version":{version}}}}}'
        )

    def _kind(self, kind: str) -> tuple[str, str]:
        """What is the same in every event of a type, before and after the subject."""
        before = f'"source":{_quoted(self._source)},"type":{_quoted(kind)},"subject":'
        after = f'"datacontenttype":"application/json","dataschema":{_quoted(self._schemas + kind)},'
        self._kinds[kind] = before, after
        return before, after


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return encode(text).decode()


def _member(name: str, value: str | None) -> str:
    return f',"{name}":{_quoted(value)}' if value is not None else ""


def _moment(at: str) -> str:
    """A moment in UTC with Z, six digits of a second or none: as everywhere in the house."""
    if len(at) == _FULL_MOMENT:
        return f'{at[:-7]}Z"'
    day, dot, rest = at.partition(".")
    if not dot:
        return f'{at[:-7]}Z"'
    return f'{day}.{rest[:-7].ljust(6, "0")}Z"'
