"""Databases that root's temporary data folders left behind under /var/lib/chitieu when they were deleted.

Only those go: a lasting folder may be missing because its disk is not mounted, or because it was moved.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

OWNER_FILE = "data-folder"
LOCK_FILE = "lock"


def remove_abandoned(databases: Path) -> None:
    """Remove the databases of temporary folders that are gone; tests make them by the hundred."""
    for home in list(_abandoned(databases)):
        with _locked(home) as is_free:
            if is_free:
                shutil.rmtree(home, ignore_errors=True)


def _abandoned(databases: Path) -> Iterator[Path]:
    for home in databases.iterdir():
        with contextlib.suppress(OSError):
            folder = Path((home / OWNER_FILE).read_text(encoding="utf-8"))
            if folder.is_relative_to(tempfile.gettempdir()) and _home_of(folder) != home:
                yield home


def _home_of(data_dir: Path) -> Path | None:
    try:
        return Path(json.loads((data_dir / "postgres.json").read_text(encoding="utf-8"))["home"])
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[bool]:
    lock = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)
