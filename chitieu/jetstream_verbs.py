"""`chitieu jetstream …`: the options; the work is in `chitieu.jetstream`, loaded when it is asked for.

Exit codes: 0 as it should be, 1 refused or impossible, 2 wrong usage, 3 something is to be mended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
from rich.console import Console

from chassis.settings import Settings
from chitieu import operating
from chitieu.options import LOCAL_DOOR, DataDir, Token, Url, part, services_of, settings_with
from chitieu.troubles import Trouble

app = typer.Typer(help="NATS JetStream: the log copied for fan-out.", no_args_is_help=True)
console = Console(soft_wrap=True)

NatsUrl = Annotated[str | None, typer.Option("--nats-url", help="NATS servers [CHITIEU_NATS_URL].")]
Replicas = Annotated[
    int | None, typer.Option("--replicas", min=1, max=5, help="Copies of a stream [3 in a cluster, else 1].")
]
Services = Annotated[list[str] | None, typer.Option("--service", help="plans, indicators or budget; repeatable [all].")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer one JSON object on standard output.")]


@app.command()
def init(
    replicas: Replicas = None,
    update: Annotated[bool, typer.Option("--update", help="Bring streams that differ to their form.")] = False,
    as_json: AsJson = False,
    nats_url: NatsUrl = None,
) -> None:
    """Make the streams where they are missing; say where others are not as they should be."""
    work = part("jetstream")
    _end(work.init(_settings(nats_url), work.Telling(console, as_json), replicas, updates=update))


@app.command()
def status(
    max_behind: Annotated[
        int | None, typer.Option("--max-behind", min=0, help="More events behind than this are to be mended.")
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option("--wait", min=1, help="Wait for all of the log; so many seconds without news at most."),
    ] = None,
    as_json: AsJson = False,
    nats_url: NatsUrl = None,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Say how every stream stands against its log."""
    work, settings = part("jetstream"), _settings(nats_url, data_dir=data_dir)
    door = operating.door_at(url, token, settings)
    _end(work.status(settings, work.Telling(console, as_json), door, work.Look(max_behind, wait)))


@app.command()
def rebuild(
    service: Services = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    replicas: Replicas = None,
    patience: Annotated[float, typer.Option("--patience", min=1, help="Seconds without a new event, at most.")] = 60,
    as_json: AsJson = False,
    nats_url: NatsUrl = None,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Delete streams and make them anew; the running services fill them from their logs.

    Durable consumers are made anew, too, and hear everything from the beginning: they know by epoch and position.
    """
    services = services_of(service)
    if not yes:
        typer.confirm(f"Delete the streams of {', '.join(services)} and make them anew?", abort=True)
    work, settings = part("jetstream"), _settings(nats_url, data_dir=data_dir)
    door, wanted = operating.door_at(url, token, settings), work.Rebuild(services, replicas, patience)
    _end(work.rebuild(settings, work.Telling(console, as_json), door, wanted))


@app.command()
def listener(
    name: Annotated[str, typer.Argument(help="Name of the listener, as its user in NATS.")],
    unit: Annotated[
        list[str] | None, typer.Option("--unit", help="What it hears beside public events: 75, 26491 or *; repeatable.")
    ] = None,
    service: Services = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take its consumers away.")] = False,
    as_json: AsJson = False,
    nats_url: NatsUrl = None,
) -> None:
    """Make the consumers that a listener fetches from, and print what its user in NATS may do."""
    work = part("jetstream")
    wanted = work.listener_of(name, unit or [], services_of(service))
    verb = work.remove if remove else work.listener
    _end(verb(_settings(nats_url), work.Telling(console, as_json), wanted))


def _settings(nats_url: str | None, **more: Any) -> Settings:
    settings = settings_with(nats_url=nats_url, **more)
    if settings.nats_url is None:
        raise Trouble("Where is NATS? Set CHITIEU_NATS_URL, or give --nats-url.")
    return settings


def _end(work: Coroutine[Any, Any, int]) -> None:
    raise typer.Exit(asyncio.run(work))
