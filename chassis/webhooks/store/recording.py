"""What became of deliveries, written down for many webhooks at once: all of it for a webhook, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.replies import encode

_ATTEMPT = (
    "webhook_id", "event_id", "type", "subject", "pos", "attempt", "at", "outcome", "status", "milliseconds",
    "excerpt", "detail",
)  # fmt: skip
# A webhook that was changed meanwhile keeps the state it was given: what was seen was seen of the one before.
_WEBHOOKS = """
WITH told AS (
  SELECT g.*,
    CASE
      WHEN w.version <> g.version THEN NULL
      WHEN w.state = 'active' AND g.is_gone THEN 'gone'
      WHEN w.state = 'active' AND g.has_failed AND NOT g.has_delivered
        AND w.failing_since < clock_timestamp() - $3::interval THEN 'failing'
      WHEN w.state = 'pending' AND g.was_challenged AND g.has_answered THEN 'answered'
      WHEN w.state = 'pending' AND g.was_challenged AND w.challenges >= $4 THEN 'unanswered'
    END AS turn
  FROM jsonb_to_recordset($1::jsonb) AS g(
    id uuid, lease_number bigint, version bigint, has_delivered boolean, has_failed boolean, is_gone boolean,
    failures int, quiet_seconds float8, was_challenged boolean, has_answered boolean, challenge_wait float8,
    pinged uuid)
  JOIN webhook w ON w.id = g.id AND w.lease_number = g.lease_number AND w.lease_until > clock_timestamp()
  ORDER BY w.id FOR UPDATE OF w
)
UPDATE webhook w SET
  lease_until = clock_timestamp() + $2::interval,
  failures = told.failures,
  quiet_until = clock_timestamp() + make_interval(secs => told.quiet_seconds),
  failing_since = CASE
    WHEN told.has_delivered THEN NULL
    WHEN told.has_failed THEN coalesce(w.failing_since, clock_timestamp())
    ELSE w.failing_since END,
  challenges = w.challenges + told.was_challenged::int,
  challenge_due_at = CASE
    WHEN told.was_challenged THEN clock_timestamp() + make_interval(secs => told.challenge_wait)
    ELSE w.challenge_due_at END,
  ping_id = CASE WHEN w.ping_id = told.pinged THEN NULL ELSE w.ping_id END,
  state = CASE
    WHEN told.turn = 'answered' THEN 'active'
    WHEN told.turn IS NOT NULL THEN 'paused'
    ELSE w.state END,
  paused_because = CASE
    WHEN told.turn = 'answered' THEN NULL
    WHEN told.turn IS NOT NULL THEN told.turn
    ELSE w.paused_because END,
  activated_at = CASE WHEN told.turn = 'answered' THEN clock_timestamp() ELSE w.activated_at END,
  changed_at = CASE WHEN told.turn IS NOT NULL THEN clock_timestamp() ELSE w.changed_at END,
  version = w.version + (told.turn IS NOT NULL)::int
FROM told WHERE w.id = told.id
RETURNING w.id, w.version, told.turn
"""
_COURSES = """
UPDATE webhook_course c SET pos = g.pos
FROM unnest($1::uuid[], $2::smallint[], $3::bigint[]) AS g(id, number, pos)
WHERE c.webhook_id = g.id AND c.number = g.number AND c.pos <> g.pos
"""
_OVER = """
DELETE FROM webhook_course c USING unnest($1::uuid[], $2::smallint[]) AS g(id, number)
WHERE c.webhook_id = g.id AND c.number = g.number
"""
_HOLD = """
INSERT INTO webhook_held AS h (webhook_id, course, key, pos, attempts, due_at)
SELECT g.id, g.course, g.key, g.pos, g.attempts, clock_timestamp() + make_interval(secs => g.wait)
FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::bigint[], $5::int[], $6::float8[])
  AS g(id, course, key, pos, attempts, wait)
ON CONFLICT (webhook_id, course, key) DO UPDATE
SET pos = excluded.pos, attempts = excluded.attempts, due_at = excluded.due_at
"""
_RELEASE = """
DELETE FROM webhook_held h USING unnest($1::uuid[], $2::smallint[], $3::text[]) AS g(id, course, key)
WHERE h.webhook_id = g.id AND h.course = g.course AND h.key = g.key
"""
_FORGET = """
DELETE FROM webhook_attempt
WHERE number > (SELECT max(number) - 5000 FROM webhook_attempt) AND at < clock_timestamp() - $1::interval
"""
_FORGET_SECRETS = """
UPDATE webhook SET old_secret = NULL, old_secret_until = NULL WHERE old_secret_until < clock_timestamp()
"""


@dataclass(slots=True)
class Report:
    """What happened to one webhook since the last report.

    `held` and `released` are rows of webhook_held without the webhook, `attempts` of webhook_attempt likewise.
    """

    id: UUID
    lease_number: int
    version: int
    failures: int
    quiet_seconds: float | None
    has_delivered: bool = False
    has_failed: bool = False
    is_gone: bool = False
    was_challenged: bool = False
    has_answered: bool = False
    challenge_wait: float | None = None
    pinged: UUID | None = None
    courses: list[tuple[int, int]] = field(default_factory=list)
    over: list[int] = field(default_factory=list)
    held: list[tuple[int, str, int, int, float]] = field(default_factory=list)
    released: list[tuple[int, str]] = field(default_factory=list)
    attempts: list[tuple[Any, ...]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """What the webhook's own row is told."""
        told = (
            "id", "lease_number", "version", "has_delivered", "has_failed", "is_gone", "failures", "quiet_seconds",
            "was_challenged", "has_answered", "challenge_wait", "pinged",
        )  # fmt: skip
        return {name: getattr(self, name) for name in told}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a lease lasts, how long only failures are borne, and how many challenges are tried."""

    lease: timedelta
    failing: timedelta
    challenges: int


async def record(connection: Any, reports: Sequence[Report], limits: Limits) -> dict[UUID, Any]:
    """Write reports down and renew their leases; answers the rows of those whose lease still held, by webhook.

    Of any other nothing is written.
    """
    async with connection.transaction():
        told = encode([report.summary() for report in reports]).decode()
        rows = await connection.fetch(_WEBHOOKS, told, limits.lease, limits.failing, limits.challenges)
        kept = {row["id"]: row for row in rows}
        ours = [report for report in reports if report.id in kept]
        await _record_courses(connection, ours)
        attempts = [(each.id, *attempt) for each in ours for attempt in each.attempts]
        if attempts:
            await connection.copy_records_to_table("webhook_attempt", records=attempts, columns=_ATTEMPT)
    return kept


async def _record_courses(connection: Any, reports: Sequence[Report]) -> None:
    rows: Sequence[tuple[str, list[tuple[Any, ...]]]] = (
        (_COURSES, [(each.id, *course) for each in reports for course in each.courses]),
        (_HOLD, [(each.id, *held) for each in reports for held in each.held]),
        (_RELEASE, [(each.id, *released) for each in reports for released in each.released]),
        (_OVER, [(each.id, number) for each in reports for number in each.over]),
    )
    for statement, found in rows:
        if found:
            await connection.execute(statement, *(list(column) for column in zip(*found, strict=True)))


async def forget(connection: Any, kept: timedelta) -> None:
    """Delete attempts older than that, in pieces, and secrets that sign no more."""
    while await connection.execute(_FORGET, kept) != "DELETE 0":
        pass
    await connection.execute(_FORGET_SECRETS)
