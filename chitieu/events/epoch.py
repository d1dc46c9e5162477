"""A new epoch by the operator's word: after a restore on the same server, or a failover nobody is sure of."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from chassis.database import Database
from chassis.sequencer import begin_epoch
from chassis.settings import Settings
from chitieu.migrate import refuse_unmigrated
from chitieu.places import reach_places


async def new_epoch(settings: Settings, console: Console, services: Sequence[str]) -> None:
    """Begin a new epoch of each log; every cursor and write token of before answers 410 from now on.

    Raises:
        Trouble: a database that cannot be reached, or is not migrated.
    """
    with reach_places(settings) as places:
        targets = [target for target in places.targets if target.service in services]
        await refuse_unmigrated(targets)
        for target in targets:
            database = Database(target.login_url, target.service, settings)
            try:
                epoch = await begin_epoch(database)
            finally:
                await database.close()
            console.print(f"{target.service}: epoch {epoch}", highlight=False)
