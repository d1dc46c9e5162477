"""Pushes under way: each has a key in a small file, so that one that was killed is finished and not begun anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from chassis.postgres.folder import write_private
from chitieu.client import Terms

# The service waits 48 hours for the next piece of an import; beginning anew later is harmless.
KEPT_SECONDS = 47 * 3600


@dataclass(frozen=True, slots=True)
class Pushing:
    """One push: where its note lies, and the key under which it is sent."""

    note: Path
    key: str
    is_resumed: bool

    def end(self) -> None:
        """The service has answered: the same file again is a new push."""
        with contextlib.suppress(OSError):
            self.note.unlink(missing_ok=True)


def begin(folder: Path, url: str, sha256: str, terms: Terms) -> Pushing:
    """The push of these bytes under these terms to this address: the one under way, else a new one."""
    name = hashlib.sha256(json.dumps([url, sha256, asdict(terms)]).encode()).hexdigest()
    note = folder / f"{name}.json"
    key = _key_in(note)
    if key is not None:
        return Pushing(note, key, is_resumed=True)
    made = Pushing(note, str(uuid.uuid4()), is_resumed=False)
    with contextlib.suppress(OSError):  # without a note a push that is killed begins anew, which is harmless as well
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(note, json.dumps({"key": made.key, "at": time.time(), "url": url, "sha256": sha256}))
    return made


def _key_in(note: Path) -> str | None:
    """The key of a push under way; none where there is no note, or one too old or cut short."""
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
        is_kept = time.time() - float(found["at"]) < KEPT_SECONDS
        return str(found["key"]) if is_kept else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
