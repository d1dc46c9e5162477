"""The command: everything it can do, each a few lines here and the work beside it.

Exit codes: 0 done, 1 refused or impossible (one sentence on standard error), 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand
from typer.exceptions import TyperException

from chassis.keys import ensure_key, ensure_webhook_key, key_path, public_keys
from chassis.postgres import PostgresTrouble
from chitieu import event_verbs, jetstream_verbs, operating, webhook_verbs
from chitieu.client import AsyncClient, NumberStyle, Patience, Terms
from chitieu.demo import demo_settings
from chitieu.options import LOCAL_DOOR, DataDir, Host, Port, Token, Url, part, run, settings_with
from chitieu.tokens import local_signer
from chitieu.troubles import Trouble

app = typer.Typer(
    name="chitieu",
    help="Plans, indicators and budgets of communes as data: one GraphQL door over three services.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
units_app = typer.Typer(help="Administrative units.", no_args_is_help=True)
demo_app = typer.Typer(help="The demo data.", no_args_is_help=True)
app.add_typer(units_app, name="units")
app.add_typer(demo_app, name="demo")
app.add_typer(event_verbs.app, name="events")
app.add_typer(webhook_verbs.app, name="webhooks")
app.add_typer(jetstream_verbs.app, name="jetstream")
console = Console(soft_wrap=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE", help="CSV, TSV, XLSX, XLS, NDJSON, JSON, Parquet (.gz, .zst); -: stdin."),
]
VerifyReceipts = Annotated[
    Path | None,
    typer.Option("--verify-receipts", help="Compare the receipts of this folder; send again what is lost."),
]
StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar="XDG_STATE_HOME", hidden=True, help="Where unfinished pushes are.")
]


class FileType(StrEnum):
    """The forms of files; the same as `chitieu.client.TYPES`."""

    csv = "csv"
    tsv = "tsv"
    xlsx = "xlsx"
    xls = "xls"
    ndjson = "ndjson"
    jsonl = "jsonl"
    json = "json"
    parquet = "parquet"


class NumberStyles(StrEnum):
    """How a file writes numbers."""

    vi = "vi"
    en = "en"
    plain = "plain"


class Stale(StrEnum):
    """What happens to a row older than what is stored, or to a blank one."""

    refuse = "refuse"
    skip = "skip"


@app.command()
def up(
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    empty: Annotated[bool, typer.Option("--empty", help="Start without the demo data.")] = False,
) -> None:
    """Run everything in one process: database, migrations, demo data, services and gateway."""
    settings = demo_settings(settings_with(data_dir=data_dir, host=host, port=port))
    part("up").up(settings, console, is_empty=empty)


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help="plans, indicators, budget or gateway.")],
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
) -> None:
    """Run one service, or the gateway, on a database that is already migrated."""
    part("serve").serve(settings_with(data_dir=data_dir, host=host, port=port), name)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Make roles and schemas where they are missing, and bring every service's tables to this version."""
    part("places").migrate_all(settings_with(data_dir=data_dir))
    console.print("Every database is migrated.")


@app.command()
def apply(
    folder: Annotated[Path, typer.Argument(help="Folder of declarations, like reference/.")],
    dry_run: DryRun = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also remove what the files no longer name.")] = False,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Apply a folder of declarations through the public door; the same again changes nothing."""
    mode = operating.Mode(is_dry_run=dry_run, prunes=prune)
    run(operating.apply(console, operating.door_at(url, token, settings_with(data_dir=data_dir)), folder, mode))


@units_app.command("load")
def units_load(
    file: Annotated[Path, typer.Argument(help="CSV: code,name_vi,name_en,type,province_code,valid_from,valid_to.")],
    dry_run: DryRun = False,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Load administrative units with their validity from a CSV file."""
    mode = operating.Mode(is_dry_run=dry_run)
    run(operating.load_units(console, operating.door_at(url, token, settings_with(data_dir=data_dir)), file, mode))


class PushCommand(TyperCommand):
    """Wrong usage ends with 1, since 2 says that some rows were refused."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the arguments."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except TyperException as error:
            error.exit_code = 1
            raise


@app.command(cls=PushCommand)
def push(
    files: Files = None,
    type_name: Annotated[
        FileType | None, typer.Option("--type", help="Type of the files; else by their names.")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of the workbook.")] = None,
    number_style: Annotated[
        NumberStyles | None, typer.Option("--number-style", help="1.670,5 (vi), 1,670.5 (en) or 1670.5 (plain).")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Record the good rows when others are refused.")] = False,
    on_stale: Annotated[
        Stale, typer.Option("--on-stale", help="A row older than what is stored: refuse it, or skip it.")
    ] = Stale.refuse,
    on_blank: Annotated[
        Stale | None,
        typer.Option("--on-blank", help="A row that was not filled in: refuse or skip it [workbooks: skip]."),
    ] = None,
    dry_run: DryRun = False,
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors",
            help="Write the refused rows, with reasons, to this CSV or XLSX file; of several files, to one for each.",
        ),
    ] = None,
    receipts: Annotated[Path | None, typer.Option("--receipts", help="Keep receipts in this folder.")] = None,
    verify_receipts: VerifyReceipts = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer one JSON object on standard output.")] = False,
    patience: Annotated[
        float, typer.Option("--patience", min=0, help="Seconds to wait in all while the server is away.")
    ] = 120,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
    state_dir: StateDir = Path("~/.local/state"),
) -> None:
    """Post figures from files; the same file again is harmless, and finishes what was broken off.

    Exit codes: 0 every row is in, 2 some rows were refused, 3 none is in, 4 the server was not reached, 1 wrong usage,
    130 broken off by Ctrl-C.
    """
    if bool(files) == bool(verify_receipts):
        raise Trouble("Name files to push, or a folder of receipts with --verify-receipts; not both.")
    shown = operating.token_at(url, token, settings_with(data_dir=data_dir))
    style: NumberStyle | None = number_style.value if number_style else None
    terms = Terms("partial" if partial else "atomic", dry_run, on_stale.value, style, sheet)
    pushing = part("push")
    blank = on_blank.value if on_blank else None
    options = pushing.Options(terms, state_dir.expanduser() / "chitieu/push", type_name, receipts, errors, blank)

    async def work() -> int:
        async with AsyncClient(url, shown, patience=Patience(seconds=patience)) as client:
            if verify_receipts:
                return int(await pushing.verify(client, verify_receipts, sends_again=not dry_run, for_machines=as_json))
            return int(await pushing.push(client, url, files, options, for_machines=as_json))

    raise typer.Exit(asyncio.run(work()))


@app.command()
def template(
    unit: Annotated[str, typer.Option("--unit", help="Code of the unit.")],
    period: Annotated[str, typer.Option("--period", help="2026, 2026-S1, 2026-N, 2026-Q3, 2026-04 …")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The XLSX file to write.")],
    regime: Annotated[str | None, typer.Option("--regime", help="Reporting regime [the unit's own].")] = None,
    url: Url = LOCAL_DOOR,
    token: Token = None,
    data_dir: DataDir = None,
) -> None:
    """Write the form of a unit and period: its indicators, targets, and the figures recorded so far."""
    shown = operating.token_at(url, token, settings_with(data_dir=data_dir))
    forms = part("template")

    async def work() -> None:
        async with AsyncClient(url, shown) as client:
            await forms.template(client, forms.Wanted(unit, period, regime), output)

    run(work())


@demo_app.command("remove")
def demo_remove(url: Url = LOCAL_DOOR, token: Token = None, data_dir: DataDir = None) -> None:
    """Take the sample figures out; no later start loads demo data again."""
    settings = settings_with(data_dir=data_dir)
    run(operating.remove_demo(console, operating.door_at(url, token, settings), settings))


@app.command()
def token(
    scope: Annotated[list[str], typer.Option("--scope", help="Scope, or several separated by spaces; repeatable.")],
    admin_unit: Annotated[list[str], typer.Option("--admin-unit", help="Unit code, or *; repeatable.")],
    ttl: Annotated[str, typer.Option("--ttl", help="Lifetime: 90s, 15m, 8h or 30d.")] = "1h",
    subject: Annotated[str, typer.Option("--subject", help="Who the token speaks for.")] = "operator",
    data_dir: DataDir = None,
) -> None:
    """Issue a token with the local key."""
    scopes = [word for words in scope for word in words.split()]
    seconds = operating.read_ttl(ttl)
    operating.check_scopes(scopes)
    print(local_signer(settings_with(data_dir=data_dir)).mint(subject, scopes, admin_unit, seconds=seconds))


@app.command()
def keys(data_dir: DataDir = None) -> None:
    """Print the public half of the local key as a key set (CHITIEU_JWKS_FILE of other machines)."""
    settings = settings_with(data_dir=data_dir)
    ensure_webhook_key(settings)
    print(operating.as_json(public_keys(ensure_key(settings)).as_dict()))
    Console(stderr=True, soft_wrap=True).print(f"The private key is at {key_path(settings)}.", highlight=False)


def main() -> None:
    """The command; what it cannot do is one sentence, never a traceback."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app()
    except (Trouble, PostgresTrouble) as trouble:
        sys.exit(f"chitieu: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        sys.exit(1)
