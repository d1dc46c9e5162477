"""`chitieu events check|tail|new-epoch`: the options; the work is in `chitieu.events`, each part loaded when needed.

Exit codes: 0 as it should be, 1 refused or impossible, 2 wrong usage, 3 something is to be mended.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from chitieu import operating
from chitieu.options import (
    LOCAL_DOOR,
    Communes,
    DataDir,
    Provinces,
    Token,
    Types,
    Url,
    part,
    run,
    services_of,
    settings_with,
)
from chitieu.troubles import Trouble

app = typer.Typer(help="The change log: is it whole, and what is it saying.", no_args_is_help=True)
console = Console(soft_wrap=True)
notes = Console(stderr=True, soft_wrap=True)

Services = Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="plans, indicators, budget [all].")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines, on standard output.")]


@app.command()
def check(services: Services = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Check logs and archives: dense, consecutive, nothing left over; whether the house runs or not."""
    chosen = services_of(services)
    work = part("events.reporting").check
    raise typer.Exit(work(settings_with(data_dir=data_dir), console, chosen, for_machines=as_json))


@app.command()
def tail(
    services: Services = None,
    event_type: Types = None,
    province: Provinces = None,
    commune: Communes = None,
    after: Annotated[str | None, typer.Option("--after", help="Cursor of one service to go on from [now].")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="From the oldest change kept.")] = False,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many changes.")] = None,
    as_json: AsJson = False,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Print changes as they happen, until Ctrl-C; as CloudEvents, one in a line, with --json."""
    chosen = services_of(services)
    if after and (len(chosen) != 1 or from_beginning):
        raise Trouble("A cursor is a place in one service's log: name that service, and no other beginning.")
    given = {"types": event_type, "province": province, "commune": commune}
    filters = {name: ",".join(values) for name, values in given.items() if values}
    events = part("events.tailing")
    wish = events.Tailing(chosen, filters, "" if from_beginning else after, count)
    opening = operating.door_at(url, token, settings_with(data_dir=data_dir))
    run(events.tail(notes, opening, wish, for_machines=as_json))


@app.command("new-epoch")
def new_epoch(
    services: Services = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """After a restore on the same server, or an uncertain failover: let every follower read its lists again.

    A restore into another server, and a promoted standby, are noticed without it.
    """
    chosen = services_of(services)
    if not yes:
        typer.confirm(f"Begin a new epoch of {', '.join(chosen)}, so that all cursors of before end?", abort=True)
    run(part("events.epoch").new_epoch(settings_with(data_dir=data_dir), console, chosen))
