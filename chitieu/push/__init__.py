"""`chitieu push`: figures from files to the service, and receipts against it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from chitieu.client import AsyncClient, ClientError, FileTrouble, NotReached, type_of
from chitieu.push.outcomes import Ending, ending_of
from chitieu.push.sending import STDIN, Options, Pusher
from chitieu.push.telling import PLAIN, tell, tell_ending
from chitieu.push.verifying import GOOD, verify_folder
from chitieu.troubles import Trouble

__all__ = ["Options", "push", "verify"]

BROKEN_OFF = (
    "Đã ngắt. Những gì máy chủ đã nhận đủ vẫn được ghi; chạy lại đúng lệnh này để gửi nốt và xem kết quả, "
    "không có gì bị ghi hai lần."
)


async def push(client: AsyncClient, url: str, files: Sequence[Path], options: Options, *, for_machines: bool) -> Ending:
    """Push files; says what became of each on standard output, in Vietnamese or as one JSON object.

    Raises:
        Trouble: a file cannot be read, or its type is not known; then nothing was sent.
    """
    _refuse_unreadable(files, options)
    eyes = Console(stderr=True, soft_wrap=True)
    try:
        outcomes = await Pusher(client, url, options, eyes).push(files)
    except asyncio.CancelledError:
        eyes.print(BROKEN_OFF, **PLAIN)
        raise
    ending = ending_of(outcomes)
    if for_machines:
        _say({"files": [outcome.as_dict() for outcome in outcomes], "exit_code": int(ending)})
        return ending
    console = Console(soft_wrap=False)
    for outcome in outcomes:
        tell(console, outcome)
    for file in files[len(outcomes) :]:
        console.print(f"{file}: chưa gửi.", **PLAIN)
    tell_ending(console, outcomes)
    return ending


def _refuse_unreadable(files: Sequence[Path], options: Options) -> None:
    """Say before the first is sent that another cannot be."""
    for file in files:
        if file == STDIN and options.type_name is None:
            raise Trouble("Standard input has no name to tell its type by: say --type csv, xlsx, ndjson, json …")
        if file != STDIN and not file.is_file():
            raise Trouble(f"There is no file {file}.")
        try:
            if options.type_name is None:
                type_of(file)
        except FileTrouble as error:
            raise Trouble(str(error)) from error


async def verify(client: AsyncClient, folder: Path, *, sends_again: bool, for_machines: bool) -> Ending:
    """Compare the receipts of a folder with the service; what it lost is sent again unless only looking."""
    _refuse_missing(folder)
    console = Console(soft_wrap=True)
    try:
        found = await verify_folder(client, folder, sends_again=sends_again)
    except ClientError as error:
        if for_machines:
            _say({"receipts": [], "problem": str(error)})
        else:
            console.print(f"Không đối chiếu được: {error}", **PLAIN)
        return Ending.NOT_REACHED if isinstance(error, NotReached) else Ending.NONE_IN
    bad = [one for one in found if one.standing not in GOOD]
    ending = Ending.ALL_IN if not bad else Ending.NONE_IN if len(bad) == len(found) else Ending.SOME_REFUSED
    if for_machines:
        _say({"receipts": [one.as_dict() for one in found], "exit_code": int(ending)})
        return ending
    for one in found:
        console.print(one.words(), **PLAIN)
    console.print(f"{len(found)} biên nhận, {len(found) - len(bad)} ổn.", **PLAIN)
    return ending


def _refuse_missing(folder: Path) -> None:
    if not folder.is_dir():
        raise Trouble(f"There is no folder {folder}.")


def _say(body: dict[str, Any]) -> None:
    print(json.dumps(body, ensure_ascii=False, default=str))
