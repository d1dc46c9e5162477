"""What is to be sent next: one statement for all webhooks of a process, another for the events themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.event_log.rows import COLUMNS, Logged
from chassis.replies import encode

# A narrow filter scans this far at once, and no further.
SCAN_WINDOW = 50_000
# The filters and the rights of the owner are those of the row at this moment, and the same as the change feed's.
_READ = """
SELECT r.n, h.pos AS head, least(h.pos, r.upto, r.after + $2) AS reach, e.pos, e.subject
FROM jsonb_to_recordset($1::jsonb)
  AS r(n int, webhook_id uuid, after bigint, upto bigint, most int, subjects text[], positions bigint[])
JOIN webhook w ON w.id = r.webhook_id AND w.state = 'active'
CROSS JOIN (SELECT pos FROM feed_head WHERE feed = 'main') h
LEFT JOIN LATERAL (
  SELECT l.pos, l.subject FROM event_log l
  WHERE l.pos > r.after AND l.pos <= least(h.pos, r.upto, r.after + $2)
    AND (r.subjects IS NULL OR l.subject = ANY(r.subjects))
    AND (r.positions IS NULL OR l.pos = ANY(r.positions))
    AND (w.types = '{}' OR l.type = ANY(w.types))
    AND (w.provinces = '{}' OR l.province = ANY(w.provinces))
    AND (w.communes = '{}' OR l.commune = ANY(w.communes))
    AND (l.is_public OR '*' = ANY(w.admin_units) OR l.province = ANY(w.admin_units) OR l.commune = ANY(w.admin_units))
  ORDER BY l.pos LIMIT r.most
) e ON true
ORDER BY r.n, e.pos
"""
_EVENTS = f"SELECT {COLUMNS} FROM event_log WHERE pos = ANY($1::bigint[])"  # noqa: S608 - our own names
_HEAD = "SELECT pos FROM feed_head WHERE feed = 'main'"
FIRST_KEPT = """
SELECT coalesce((SELECT pos FROM event_log ORDER BY pos LIMIT 1), pos + 1) FROM feed_head WHERE feed = 'main'
"""
_AGE = """
SELECT extract(epoch FROM clock_timestamp() - logged_at)::float8 FROM event_log WHERE pos >= $1 ORDER BY pos LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one course of a webhook is to hear next; of held keys alone where subjects or positions are given."""

    webhook_id: UUID
    after: int
    most: int
    upto: int | None = None
    subjects: Sequence[str] | None = None
    positions: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What was found, in order, and how far was looked."""

    found: Sequence[tuple[int, str]]
    reached: int


async def read(connection: Any, wanted: Sequence[Wanted]) -> tuple[list[Read | None], int | None]:
    """The events each is to hear, as (position, subject), and the log's head; None of a webhook that is not active."""
    asked = [
        {
            "n": number,
            "webhook_id": each.webhook_id,
            "after": each.after,
            "upto": each.upto,
            "most": each.most,
            "subjects": each.subjects,
            "positions": each.positions,
        }
        for number, each in enumerate(wanted)
    ]
    rows = await connection.fetch(_READ, encode(asked).decode(), SCAN_WINDOW)
    answers: list[Read | None] = [None] * len(wanted)
    for number, of_one in _grouped(rows).items():
        found = [(row["pos"], row["subject"]) for row in of_one if row["pos"] is not None]
        is_cut = len(found) == wanted[number].most
        answers[number] = Read(found, found[-1][0] if is_cut else max(of_one[0]["reach"], wanted[number].after))
    return answers, rows[0]["head"] if rows else None


def _grouped(rows: Iterable[Any]) -> Mapping[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(row["n"], []).append(row)
    return groups


async def events(connection: Any, positions: Iterable[int]) -> list[Logged]:
    """Events of the log by their positions; those it no longer holds are left out."""
    found: list[Logged] = await connection.fetch(_EVENTS, list(positions), record_class=Logged)
    return found


async def head(connection: Any) -> int:
    """The position of the last event."""
    return int(await connection.fetchval(_HEAD))


async def first_kept(connection: Any) -> int:
    """The position of the first event the log holds; one after its head where it holds none.

    Only the beginning of the log ever leaves it: asked after reading, it says what may have been missing there.
    """
    return int(await connection.fetchval(FIRST_KEPT))


async def age(connection: Any, pos: int) -> float:
    """How long ago the first event from a position on came into the log, seconds; 0 where there is none."""
    return float(await connection.fetchval(_AGE, pos) or 0)
