"""A row of the log, and the CloudEvent it is told as.

One page may be ten thousand of them, so the payload stays the text the database gives: nothing is decoded in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any

import asyncpg

from chassis.database import exact_json
from chassis.outbox import unpack, unpacked_size
from chassis.replies import encode

# In the order of `Logged`. JSON of a moment and of a payload is made by the database.
COLUMNS = """pos, event_id::text AS event_id, type, subject, version, province, commune, is_public,
  to_json(at)::text AS at, trace, data::text AS data, packed"""
MOST_QUOTED = 20_000
_FULL_MOMENT = len('"2026-11-22T07:23:22.123456+00:00"')


class Logged(asyncpg.Record):  # type: ignore[misc]  # the driver has no types
    """One event as the log keeps it: `at` and `data` are JSON, `packed` is `data` when it is long."""

    __slots__ = ()

    pos: int = property(itemgetter(0))  # type: ignore[assignment]  # read-only fields
    type: str = property(itemgetter(2))  # type: ignore[assignment]
    province: str | None = property(itemgetter(5))  # type: ignore[assignment]
    commune: str | None = property(itemgetter(6))  # type: ignore[assignment]
    is_public: bool = property(itemgetter(7))  # type: ignore[assignment]

    @property
    def size(self) -> int:
        """How long its payload is."""
        packed = self["packed"]
        return len(self["data"]) if packed is None else unpacked_size(packed)

    def as_dict(self) -> dict[str, Any]:
        """The row with its payload as an object, numbers as the decimals they were."""
        row = dict(self)
        packed = row.pop("packed")
        data = row["data"] if packed is None else unpack(packed)
        return {**row, "at": datetime.fromisoformat(row["at"].strip('"')), "data": exact_json.decode(data)}


class Envelope:
    """Tells rows of one service as CloudEvents 1.0, as JSON; addresses are absolute under a public URL."""

    def __init__(self, service: str, public_url: str | None) -> None:
        base = public_url or ""
        self._source = f"{base}/{service}"
        self._schemas = f"{base}/v1/{service}/event-schemas/"
        self._kinds: dict[str, tuple[str, str]] = {}
        self._quoted = _Quoted()

    def texts(self, rows: Iterable[Logged]) -> list[str]:
        """Every event as JSON."""
        told: list[str] = []
        add, kinds, quoted = told.append, self._kinds, self._quoted.not_too_many()
        for pos, event_id, kind, subject, version, province, _, _, at, trace, data, packed in rows:
            before, after = kinds.get(kind) or self._kind(kind)
            name = quoted[subject]
            place = "" if province is None else f',"province":{quoted[province]}'
            if trace is not None:
                place += f',"traceparent":{quoted[trace]}'
            moment = f'{at[:-7]}Z"' if len(at) == _FULL_MOMENT else _moment(at)
            payload = _open(data if packed is None else unpack(packed).decode())
            add(
                f'{{"specversion":"1.0","id":"{event_id}",{before}{name},"time":{moment},{after}{pos:020d}",'
                f'"partitionkey":{name}{place},"data":{payload}"version":{version}}}}}'
            )
        return told

    def _kind(self, kind: str) -> tuple[str, str]:
        """What is the same in every event of a type, around subject and time."""
        before = f'"source":{_json(self._source)},"type":{_json(kind)},"subject":'
        after = f'"datacontenttype":"application/json","dataschema":{_json(self._schemas + kind)},"sequence":"'
        self._kinds[kind] = before, after
        return before, after


class _Quoted(dict[str, str]):
    """Texts as JSON, each made once: the same subjects come again and again."""

    def not_too_many(self) -> _Quoted:
        """Forget them all when they have become many."""
        if len(self) > MOST_QUOTED:
            self.clear()
        return self

    def __missing__(self, text: str) -> str:
        self[text] = quoted = _json(text)
        return quoted


def _json(text: str) -> str:
    return encode(text).decode()


def _open(data: str) -> str:
    """An object's JSON up to where one more member can follow."""
    return data[:-1] if data == "{}" else f"{data[:-1]},"


def _moment(at: str) -> str:
    """A moment in UTC with Z, six digits of a second or none: as everywhere in the house."""
    whole, dot, rest = at.partition(".")
    return f'{whole}.{rest[:-7].ljust(6, "0")}Z"' if dot else f'{at[:-7]}Z"'
