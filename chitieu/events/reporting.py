"""`chitieu events check`: every log against what must hold of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from chassis.database import Database
from chassis.settings import Settings
from chitieu.events.checking import Report, check_log
from chitieu.migrate import refuse_unmigrated
from chitieu.operating import as_json
from chitieu.places import Places, reach_places

SOUND, TO_BE_MENDED = 0, 3
# Reading a whole log takes as long as it takes.
_PATIENCE_SECONDS = 3600


def check(settings: Settings, console: Console, services: Sequence[str], *, for_machines: bool) -> int:
    """Check the logs of services and say what was found; answers the exit code.

    Raises:
        Trouble: a database that cannot be reached, or is not migrated.
    """
    with reach_places(settings) as places:
        reports = asyncio.run(_reports(settings, places, services))
    is_sound = all(report.is_sound for report in reports)
    if for_machines:
        found = {report.service: {**asdict(report), "is_sound": report.is_sound} for report in reports}
        print(as_json({"is_sound": is_sound, "services": found}))
    else:
        for line in (line for report in reports for line in _lines(report)):
            console.print(line, markup=False, highlight=False)
    return SOUND if is_sound else TO_BE_MENDED


async def _reports(settings: Settings, places: Places, services: Sequence[str]) -> list[Report]:
    targets = [target for target in places.targets if target.service in services]
    await refuse_unmigrated(targets)
    patient = settings.model_copy(
        update={"statement_timeout_seconds": _PATIENCE_SECONDS, "request_timeout_seconds": _PATIENCE_SECONDS}
    )
    reports = []
    for target in targets:
        database = Database(target.login_url, target.service, patient)
        try:
            reports.append(await check_log(database, settings.archives))
        finally:
            await database.close()
    return reports


def _lines(report: Report) -> list[str]:
    """A report in words: a line for the log, and one for everything that must hold."""
    title = f"{report.service}: {'sound' if report.is_sound else 'TO BE MENDED'}"
    found = [f"  {each.name}: {'' if each.holds else 'FAULT: '}{each.detail}" for each in report.findings]
    return [title, *found]
