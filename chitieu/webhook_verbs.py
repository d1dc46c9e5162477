"""`chitieu webhooks listen|add|list|remove|test`: the options; the work is in `chitieu.webhooks`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

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

app = typer.Typer(help="Webhooks: changes posted to a URL, and a receiver to try them with.", no_args_is_help=True)
console = Console(soft_wrap=True)

LISTEN_PORT = 9099
Service = Annotated[str, typer.Argument(help="plans, indicators or budget.")]
WebhookId = Annotated[str, typer.Argument(metavar="ID", help="From `list`.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line on standard output.")]


class Ordering(StrEnum):
    """Whether an event waits for an earlier one of its subject that failed."""

    key = "key"
    none = "none"


@app.command()
def listen(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = LISTEN_PORT,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", envvar="CHITIEU_WEBHOOK_SECRET", help="whsec_…; repeatable [made, and shown]."),
    ] = None,
    forward: Annotated[str | None, typer.Option("--forward", help="Post what is heard on to this URL.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many events.")] = None,
    subscribe: Annotated[
        str | None, typer.Option("--subscribe", help="Subscribe to this service for as long as this runs.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", help="URL by which the house reaches this receiver [where it listens]."),
    ] = None,
    event_type: Types = None,
    province: Provinces = None,
    commune: Communes = None,
    as_json: AsJson = False,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Receive webhooks: answer challenges, verify signatures, hear each event once, print it."""
    work, secrets = part("webhooks"), secret or [_new_secret()]
    ears = work.Ears(host, port, secrets, forward, count, as_json)
    opening, wish = None, None
    if subscribe is not None:
        opening = operating.door_at(url, token, settings_with(data_dir=data_dir))
        wish = work.Wish(subscribe, _filters(event_type, province, commune))
    elif not secret:
        Console(stderr=True, soft_wrap=True).print(f"Khóa: {secrets[0]}", highlight=False)
    run(work.listen(console, ears, opening, wish, address))


@app.command()
def add(
    service: Service,
    receiver: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted to.")],
    event_type: Types = None,
    province: Provinces = None,
    commune: Communes = None,
    ordering: Annotated[Ordering, typer.Option("--ordering", help="key: in order within a subject.")] = Ordering.key,
    secret: Annotated[
        str | None,
        typer.Option("--secret", envvar="CHITIEU_WEBHOOK_SECRET", help="whsec_… [made, and shown once]."),
    ] = None,
    after: Annotated[str | None, typer.Option("--after", help="Change cursor to begin after [from now on].")] = None,
    as_json: AsJson = False,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Have the changes of a service posted to a URL, which is first sent a challenge."""
    given = {"url": receiver, "ordering": ordering.value, "secret": secret, "after": after}
    body = {**{name: value for name, value in given.items() if value}, **_filters(event_type, province, commune)}
    opening = operating.door_at(url, token, settings_with(data_dir=data_dir))
    run(part("webhooks").add(console, opening, part("webhooks").Wish(service, body), for_machines=as_json))


@app.command("list")
def show(
    service: Annotated[str | None, typer.Argument(help="plans, indicators or budget [all].")] = None,
    as_json: AsJson = False,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """List webhooks: state, how far behind, where they lead."""
    services = services_of([service] if service else None)
    opening = operating.door_at(url, token, settings_with(data_dir=data_dir))
    run(part("webhooks").show(console, opening, services, for_machines=as_json))


@app.command()
def remove(
    service: Service, webhook_id: WebhookId, url: Url = LOCAL_DOOR, token: Token = None, data_dir: DataDir = None
) -> None:
    """Remove a webhook."""
    opening = operating.door_at(url, token, settings_with(data_dir=data_dir))
    run(part("webhooks").remove(console, opening, service, webhook_id))


@app.command("test")
def ping(
    service: Service, webhook_id: WebhookId, url: Url = LOCAL_DOOR, token: Token = None, data_dir: DataDir = None
) -> None:
    """Have a ping sent, and say what the receiver answered."""
    opening = operating.door_at(url, token, settings_with(data_dir=data_dir))
    run(part("webhooks").ping(console, opening, service, webhook_id))


def _filters(types: list[str] | None, provinces: list[str] | None, communes: list[str] | None) -> dict[str, Any]:
    given = {"types": types, "province": provinces, "commune": communes}
    return {name: value for name, value in given.items() if value}


def _new_secret() -> str:
    made: str = part("webhooks").make_secret()
    return made
