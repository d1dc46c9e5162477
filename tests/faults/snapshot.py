"""Everything the system kept, read behind its back once it is at rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from benchmarks.stage import Stage
from tests.faults.journal import Key

REST_SECONDS = 30.0
PAUSE_SECONDS = 0.05
MOST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a figure, superseded or (superseded_at null) in force."""

    key: Key
    version: int
    value: int
    source: str
    measured_on: date
    import_id: str
    recorded_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A post that wrote something."""

    import_id: str
    received: int
    counts: Mapping[str, int]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """An event of the log."""

    position: int
    subject: str
    version: int
    import_id: str
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Resource:
    """An import as its client is shown it."""

    import_id: str
    state: str
    is_dry_run: bool
    counts: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state at rest; `last_day` tells the last day of every period."""

    versions: Sequence[Version]
    postings: Sequence[Kept]
    events: Sequence[Said]
    positions: Sequence[int]
    head: int
    last_day: Mapping[str, date]
    resources: Sequence[Resource] = ()
    at_once: Sequence[Resource] = ()  # some of the posts that were no imports, as imports


_VERSIONS = """
SELECT u.code AS admin_unit, i.key AS indicator, p.code AS period, a.version, a.value, a.source, a.measured_on,
  o.import_id::text AS import_id, a.recorded_at, a.superseded_at
FROM (SELECT admin_unit_id, indicator_id, period_id, version, value, source, measured_on, posting_id, recorded_at,
        NULL::timestamptz AS superseded_at FROM actual
      UNION ALL
      SELECT admin_unit_id, indicator_id, period_id, version, value, source, measured_on, posting_id, recorded_at,
        superseded_at FROM actual_revision) a
JOIN admin_unit u ON u.id = a.admin_unit_id
JOIN indicator i ON i.indicator_id = a.indicator_id AND i.known_to IS NULL
JOIN period p ON p.id = a.period_id
LEFT JOIN posting o ON o.id = a.posting_id
ORDER BY 1, 2, 3, 4, a.superseded_at NULLS LAST
"""
_COUNTS = ("created", "updated", "unchanged", "stale", "duplicates", "refused")


async def take(stage: Stage, clients: Sequence[str] = ()) -> Snapshot:
    """Wait until every event has its position, then read everything in one transaction."""
    connection = await stage.connect("postgres")
    try:
        await _rest(connection)
        log = await _log(stage)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            postings = await _postings(connection)
            imported, at_once = await _resources(stage, clients, [each.import_id for each in postings])
            return Snapshot(
                versions=await _versions(connection),
                postings=postings,
                events=[event for event in map(_said, log) if event is not None],
                positions=[int(event["sequence"]) for event in log],
                head=await connection.fetchval("SELECT pos FROM feed_head WHERE feed = 'main'"),
                last_day=dict(await connection.fetch("SELECT code, ends_on FROM period WHERE regime = 'calendar'")),
                resources=imported,
                at_once=at_once,
            )
    finally:
        await connection.close()


async def _rest(connection: asyncpg.Connection) -> None:
    for _ in range(int(REST_SECONDS / PAUSE_SECONDS)):
        if await connection.fetchval("SELECT count(*) FROM outbox") == 0:
            return
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError("events stay in the outbox")


async def _versions(connection: asyncpg.Connection) -> list[Version]:
    return [
        Version(
            (row["admin_unit"], row["indicator"], row["period"]),
            row["version"],
            int(row["value"]),
            row["source"],
            row["measured_on"],
            row["import_id"],
            row["recorded_at"],
            row["superseded_at"],
        )
        for row in await connection.fetch(_VERSIONS)
    ]


async def _postings(connection: asyncpg.Connection) -> list[Kept]:
    rows = [dict(row) for row in await connection.fetch("SELECT * FROM posting ORDER BY recorded_at, id")]
    return [
        Kept(
            str(row["import_id"]),
            row["received"],
            {name: row[name] for name in _COUNTS if name in row},
            row["recorded_at"],
        )
        for row in rows
    ]


async def _resources(
    stage: Stage, clients: Sequence[str], import_ids: Sequence[str]
) -> tuple[list[Resource], list[Resource]]:
    """The imports of every client, and some of the posts made at once."""
    imported: list[Resource] = []
    async with stage.client() as client:
        for name in clients:
            url: str | None = "/v1/indicators/imports?limit=1000"
            while url:
                page = (await client.get(url, headers=stage.headers(client_id=name))).json()
                imported += [_resource(item, item["counts"]) for item in page["items"]]
                url = page["next"]
        known = {one.import_id for one in imported}
        chosen = [one for one in import_ids if one not in known][-MOST_LOOKED_AT:]
        shown = [(await client.get(f"/v1/indicators/imports/{one}")).json() for one in chosen]
    return imported, [_resource(item, item["result"]) for item in shown]


def _resource(item: Mapping[str, Any], counts: Mapping[str, int] | None) -> Resource:
    kept = None if counts is None else {name: counts[name] for name in _COUNTS}
    return Resource(item["import_id"], item["state"], item["dry_run"], kept)


async def _log(stage: Stage) -> list[dict[str, Any]]:
    """Every event of the feed, as a follower hears it."""
    heard: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    async with stage.client() as client:
        while True:
            answer = await client.get("/v1/indicators/changes", params={"limit": "200", **after})
            page = json.loads(answer.content, parse_float=Decimal)
            heard += page["items"]
            if page["next"] == page["head"]:
                return heard
            after = {"after": page["next"]}


def _said(event: dict[str, Any]) -> Said | None:
    if event["type"] != "vn.chitieu.indicators.actuals.posted.v1":
        return None
    data = event["data"]
    return Said(int(event["sequence"]), event["subject"], data["version"], data["import_id"], data["changes"])
