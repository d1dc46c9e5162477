"""The demo data: loaded once per version of `reference/`, taken out on request, never loaded in production."""

from __future__ import annotations

import hashlib
import json
from ipaddress import ip_network
from pathlib import Path

from chassis.postgres.folder import write_private
from chassis.settings import Environment, Settings
from chitieu.troubles import Trouble

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
REMOVED = "removed"


def demo_settings(settings: Settings) -> Settings:
    """What `up` means where nothing else is said: a demo that anybody on this machine may read."""
    said = settings.model_fields_set
    changes: dict[str, object] = {}
    if "environment" not in said:
        changes["environment"] = Environment.DEMO
    if changes.get("environment", settings.environment) is Environment.DEMO:
        on_this_machine = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
        of_a_demo = {"public_read": True, "webhook_allowed_networks": on_this_machine}
        changes |= {name: value for name, value in of_a_demo.items() if name not in said}
    of_one_process = {"log_format": "text", "log_level": "WARNING"}
    changes |= {name: value for name, value in of_one_process.items() if name not in said}
    return settings.model_copy(update=changes)


def is_wanted(settings: Settings, *, is_empty: bool, data_version: int) -> bool:
    """Whether this start has to load the demo data: not in production, not loaded yet, not taken out.

    A database at version 0 has never been written to, whatever the data folder remembers of another one.
    """
    if is_empty or not settings.is_demo or _note(settings) == REMOVED:
        return False
    return data_version == 0 or _note(settings) != fingerprint()


def was_loaded(settings: Settings) -> bool:
    """Whether demo data, of this version or another, were loaded to their end."""
    return _note(settings) not in ("", REMOVED)


def remember_loaded(settings: Settings) -> None:
    """Note that this version of the demo data is in, so that the next start is quick."""
    _write(settings, fingerprint())


def remember_removed(settings: Settings) -> None:
    """Note that the demo data were taken out, so that no start loads them again."""
    _write(settings, REMOVED)


def fingerprint() -> str:
    """What changes when any file of `reference/` changes."""
    if not REFERENCE.is_dir():
        raise Trouble(f"The demo data are missing at {REFERENCE}; `chitieu up --empty` starts without them.")
    digest = hashlib.sha256()
    for file in sorted(path for path in REFERENCE.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(REFERENCE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _file(settings: Settings) -> Path:
    return settings.data_dir / "demo.json"


def _note(settings: Settings) -> str:
    path = _file(settings)
    return str(json.loads(path.read_text(encoding="utf-8"))["demo"]) if path.exists() else ""


def _write(settings: Settings, note: str) -> None:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(_file(settings), json.dumps({"demo": note}))
