"""`chitieu events check`: every log against what must hold of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

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
        for report in reports:
            console.print(_table(report))
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


def _table(report: Report) -> Table:
    table = Table(title=f"{report.service}: {'sound' if report.is_sound else 'TO BE MENDED'}", title_justify="left")
    for heading in ("what", "holds", "seen"):
        table.add_column(heading)
    for finding in report.findings:
        table.add_row(finding.name, "yes" if finding.holds else "NO", finding.detail)
    return table
