"""Whose files they are, and where they lie: the account, the places, the superuser's password."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.postgres.abandoned import remove_abandoned

SHARED_FOLDER = Path("/var/lib/chitieu")


class PostgresTrouble(Exception):
    """The embedded server cannot serve; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system account the server runs as; None means: as ourselves."""

    uid: int | None = None
    gid: int | None = None

    @staticmethod
    def ours() -> Account:
        """Ourselves, or `nobody` when we are root."""
        if os.geteuid() != 0:
            return Account()
        nobody = pwd.getpwnam("nobody")
        return Account(nobody.pw_uid, nobody.pw_gid)

    def own(self, path: Path) -> None:
        """Give a file or folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def process_arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to start a process as the account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def state_file(data_dir: Path) -> Path:
    """The pointer of a data folder: where its database lies, and the superuser's password."""
    return data_dir / "postgres.json"


def read_or_make_state(data_dir: Path, account: Account) -> dict[str, Any]:
    """Read the pointer, making it on the first start.

    Raises:
        PostgresTrouble: the folder belongs to another account.
    """
    path = state_file(data_dir)
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = data_dir / f"postgres-{secrets.token_hex(4)}.json"
        write_private(draft, json.dumps({"home": str(_new_home(data_dir, account)), **_new_password()}))
        with contextlib.suppress(FileExistsError):  # another first start was quicker: its state counts
            os.link(draft, path)
        draft.unlink()
    try:
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except PermissionError as error:
        owner = pwd.getpwuid(path.stat().st_uid).pw_name
        raise PostgresTrouble(f"The data folder {data_dir} belongs to {owner}: start chitieu as {owner}.") from error
    if account.uid is None or Path(state["home"]).is_relative_to(SHARED_FOLDER):
        return state
    raise PostgresTrouble(f"The database in {data_dir} was not made by root: start chitieu as its owner.")


def _new_password() -> dict[str, str]:
    return {"password": secrets.token_urlsafe(24)}


def _new_home(data_dir: Path, account: Account) -> Path:
    if account.uid is None:
        return data_dir / "postgres"
    databases = SHARED_FOLDER / "data"
    databases.mkdir(mode=0o755, parents=True, exist_ok=True)
    remove_abandoned(databases)
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return databases / f"{name}-{secrets.token_hex(4)}"


def make_private(folder: Path, account: Account) -> None:
    """Make a folder that only the account may enter.

    Raises:
        PostgresTrouble: it is there and belongs to somebody else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), account.uid):
        raise PostgresTrouble(f"The folder {folder} belongs to somebody else.")
    folder.chmod(0o700)
    account.own(folder)


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole; nobody but its owner may read it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    draft.rename(path)
