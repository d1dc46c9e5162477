"""Options that several commands share, and how a command gets at its settings and its work."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from chassis.settings import SERVICES, Settings, read_settings
from chitieu.troubles import Trouble

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Data folder [CHITIEU_DATA_DIR, .chitieu].")]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on [CHITIEU_HOST, 127.0.0.1].")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on [CHITIEU_PORT, 8000].")]
Url = Annotated[str, typer.Option("--url", envvar="CHITIEU_URL", help="Address of the public door.")]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="CHITIEU_TOKEN", help="Bearer token [made with the local key, when there is one]."),
]
Types = Annotated[list[str] | None, typer.Option("--type", help="Event type; repeatable [all].")]
Provinces = Annotated[list[str] | None, typer.Option("--province", help="Province code; repeatable [any].")]
Communes = Annotated[list[str] | None, typer.Option("--commune", help="Commune code; repeatable [any].")]
LOCAL_DOOR = "http://127.0.0.1:8000"


def part(name: str) -> Any:
    """A part that needs the web and database machinery; commands that only speak HTTP start without it, sooner."""
    return importlib.import_module(f"chitieu.{name}")


def services_of(named: list[str] | None) -> list[str]:
    """The services that were named; none named: all."""
    for name in named or []:
        if name not in SERVICES:
            raise Trouble(f"There is no service {name}: choose {', '.join(SERVICES)}.")
    return named or list(SERVICES)


def settings_with(**chosen: Any) -> Settings:
    """The settings of the environment, with what the command line says on top."""
    try:
        return read_settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise Trouble(f"The setting CHITIEU_{name} is wrong: {first['msg']} (it is {first['input']!r}).") from error
    except OSError as error:
        raise Trouble(f"A setting's file cannot be read: {error}.") from error


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run one piece of work to its end."""
    asyncio.run(work)
