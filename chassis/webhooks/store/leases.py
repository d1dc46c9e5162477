"""Who delivers a webhook: one process at a time, by the database's clock.

A lease has a number that goes up with each taking. Whatever a holder writes names its number and is written only while
the lease lasts: a process that was stopped for longer than that changes nothing when it wakes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

_LOOK = """
SELECT id, lease_number, version, state, ping_id,
  (lease_until IS NULL OR lease_until < clock_timestamp()) AND (state <> 'paused' OR ping_id IS NOT NULL) AS is_free
FROM webhook
"""
_CLAIM = """
UPDATE webhook w SET lease_number = w.lease_number + 1, lease_until = clock_timestamp() + $2::interval
FROM (SELECT id FROM webhook
      WHERE id = ANY($1::uuid[]) AND (lease_until IS NULL OR lease_until < clock_timestamp())
        AND (state <> 'paused' OR ping_id IS NOT NULL)
      ORDER BY id FOR UPDATE SKIP LOCKED) free
WHERE w.id = free.id
RETURNING w.id, w.url, w.ordering, w.secret, w.old_secret, w.state, w.version, w.lease_number, w.failures, w.ping_id,
  w.challenges,
  extract(epoch FROM w.old_secret_until - clock_timestamp())::float8 AS old_secret_seconds,
  extract(epoch FROM w.quiet_until - clock_timestamp())::float8 AS quiet_seconds,
  extract(epoch FROM w.challenge_due_at - clock_timestamp())::float8 AS challenge_seconds
"""
_COURSES = "SELECT webhook_id, number, pos, upto FROM webhook_course WHERE webhook_id = ANY($1::uuid[]) ORDER BY number"
_HELD = """
SELECT webhook_id, course, key, pos, attempts, extract(epoch FROM due_at - clock_timestamp())::float8 AS seconds
FROM webhook_held WHERE webhook_id = ANY($1::uuid[])
"""
_HAND_BACK = """
UPDATE webhook w SET lease_until = NULL
FROM unnest($1::uuid[], $2::bigint[]) AS mine(id, lease_number)
WHERE w.id = mine.id AND w.lease_number = mine.lease_number
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A webhook as it was when its lease was taken: its row, its courses, and the keys each holds."""

    row: Any
    courses: Sequence[Any]
    held: Sequence[Any]


async def look(connection: Any) -> list[Any]:
    """Every webhook of the service in short: whose lease, which version, and whether it is free to take."""
    found: list[Any] = await connection.fetch(_LOOK)
    return found


async def claim(connection: Any, ids: Iterable[UUID], lease: timedelta) -> list[Claimed]:
    """Take the leases of those webhooks that are still free."""
    async with connection.transaction():
        rows = await connection.fetch(_CLAIM, list(ids), lease)
        taken = [row["id"] for row in rows]
        courses = _by_webhook(await connection.fetch(_COURSES, taken))
        held = _by_webhook(await connection.fetch(_HELD, taken))
    return [Claimed(row, courses[row["id"]], held[row["id"]]) for row in rows]


async def hand_back(connection: Any, leases: Iterable[tuple[UUID, int]]) -> None:
    """Give leases up, each by its number: others may take them at once."""
    pairs = list(leases)
    await connection.execute(_HAND_BACK, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _by_webhook(rows: Iterable[Any]) -> defaultdict[UUID, list[Any]]:
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row["webhook_id"]].append(row)
    return found
