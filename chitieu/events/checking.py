"""What must hold of one log, asked of its own tables and files in one snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from chassis.database import Database, ReadSession
from chassis.retention import Written, fault_of

# With a sequencer at work an event waits for milliseconds.
LONGEST_WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must hold: whether it does, and what was seen."""

    name: str
    holds: bool
    detail: str


@dataclass(slots=True)
class Report:
    """What was found of one service's log."""

    service: str
    epoch: int = 0
    head: int = 0
    oldest: int = 0
    events: int = 0
    archived: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, name: str, fault: str, sound: str) -> None:
        """Add a finding: the fault in words, or what is as it should be."""
        self.findings.append(Finding(name, not fault, fault or sound))

    @property
    def is_sound(self) -> bool:
        """Whether everything holds."""
        return all(finding.holds for finding in self.findings)


_LOG = text("""
SELECT h.epoch, h.pos AS head, l.events, l.first, l.last,
  (SELECT coalesce(max(last_pos), 0) FROM event_archive) AS archived,
  (SELECT count(*) FROM (SELECT FROM event_log GROUP BY event_id HAVING count(*) > 1) twice) AS repeated
FROM (SELECT epoch, pos FROM feed_head WHERE feed = 'main') h,
  (SELECT count(*) AS events, min(pos) AS first, max(pos) AS last FROM event_log) l
""")
# The first event of a subject in the log has no predecessor there when earlier ones were archived.
_VERSIONS = text("""
SELECT count(*) AS faults, min(pos) AS first, min(subject) AS subject FROM (
  SELECT pos, subject, version, lag(version) OVER (PARTITION BY subject ORDER BY pos) AS before FROM event_log) each
WHERE version <> before + 1 OR (before IS NULL AND version <> 1 AND CAST(:from_the_first AS boolean))
""")
_HEADS = text("""
WITH told AS (
  SELECT subject, max(version) AS version FROM (
    SELECT subject, version FROM event_log UNION ALL SELECT subject, version FROM outbox) each GROUP BY subject)
SELECT count(*) AS faults, min(subject) AS subject
FROM told LEFT JOIN aggregate_head h USING (subject) WHERE h.version IS DISTINCT FROM told.version
""")
_OUTBOX = text("""
SELECT count(*) AS events, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::integer AS seconds FROM outbox
""")
_ARCHIVES = text("""
SELECT first_pos, last_pos, file, audience, events, bytes, sha256 FROM event_archive ORDER BY first_pos, audience
""")


async def check_log(database: Database, archives: Path) -> Report:
    """Look at everything a log must hold to; reads all of it."""
    report = Report(database.service)
    async with database.read() as db:
        log = (await db.execute(_LOG)).one()
        report.epoch, report.head, report.events, report.archived = log.epoch, log.head, log.events, log.archived
        report.oldest = log.first or 0
        _check_positions(report, log)
        await _check_versions(db, report)
        await _check_outbox(db, report)
        files = (await db.execute(_ARCHIVES)).all()
    await _check_archives(report, files, archives)
    return report


def _check_positions(report: Report, log: Any) -> None:
    span = log.last - log.first + 1 if log.events else 0
    gap = "" if span == log.events else f"{span - log.events} positions are missing between {log.first} and {log.last}"
    report.note("dense", gap, f"{log.events} events, none missing")
    last = log.last if log.events else log.archived
    off = "" if last == log.head else f"the head says {log.head}, the last event is {last}"
    report.note("head", off, f"position {log.head}, epoch {log.epoch}")
    hole = log.events and log.first > log.archived + 1
    lost = f"positions {log.archived + 1} to {log.first - 1} are neither in the log nor in archives" if hole else ""
    report.note("beginning", lost, f"from position {log.first}" if log.events else "the log is empty")
    twice = f"{log.repeated} events have several positions" if log.repeated else ""
    report.note("event ids", twice, "each once")


async def _check_versions(db: ReadSession, report: Report) -> None:
    found = (await db.execute(_VERSIONS, {"from_the_first": not report.archived})).one()
    fault = f"{found.faults} jumps, the first at position {found.first} ({found.subject})" if found.faults else ""
    report.note("versions", fault, "consecutive in every subject")
    heads = (await db.execute(_HEADS)).one()
    fault = f"{heads.faults} subjects count otherwise than their events ({heads.subject})" if heads.faults else ""
    report.note("subjects", fault, "each counts as its events do")


async def _check_outbox(db: ReadSession, report: Report) -> None:
    found = (await db.execute(_OUTBOX)).one()
    is_late = found.seconds > LONGEST_WAIT_SECONDS
    fault = f"{found.events} events wait for a position, the oldest for {found.seconds} s: is the service running?"
    report.note("outbox", fault if is_late else "", f"{found.events} events wait")


async def _check_archives(report: Report, files: Sequence[Any], folder: Path) -> None:
    faults = []
    for row in files:
        written = Written(row.file, row.audience, row.events, row.bytes, row.sha256)
        fault = await asyncio.to_thread(fault_of, folder / row.file, written)
        if fault:
            faults.append(f"{row.file}: {fault}")
    faults += _uncovered(files)
    report.note("archives", "; ".join(faults), f"{len(files)} files, as they were written")


def _uncovered(files: Sequence[Any]) -> list[str]:
    """Where segments do not follow each other, or their files do not have all their events."""
    events: dict[tuple[int, int], int] = {}
    for row in files:
        span = row.first_pos, row.last_pos
        events[span] = events.get(span, 0) + row.events
    faults, reached = [], None
    for (first, last), count in sorted(events.items()):
        if reached is not None and first != reached + 1:
            faults.append(f"no archive of positions {reached + 1} to {first - 1}")
        if count != last - first + 1:
            faults.append(f"{count} events in the archives of positions {first} to {last}")
        reached = last
    return faults
