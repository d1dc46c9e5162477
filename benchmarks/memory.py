"""The most memory a process took, above what it holds at rest; its children included."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

SAMPLE_SECONDS = 0.02


class Peak:
    """What a process and its children held at one time while a block lasted, in bytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._idle = _status(pid, "VmRSS")
        self._most = 0

    @property
    def above_idle(self) -> int:
        """The most that process and children held together, above the process's own rest."""
        return max(0, self._most - self._idle)

    def look(self) -> None:
        """Take in what the kernel noted since the last look, and let its note begin anew; children live for long."""
        own = _status(self._pid, "VmHWM")
        _begin_anew(self._pid)
        self._most = max(self._most, own + sum(_share(child) for child in _descendants(self._pid)))

    async def keep_looking(self) -> None:
        """Look again and again."""
        while True:
            self.look()
            await asyncio.sleep(SAMPLE_SECONDS)


@contextlib.asynccontextmanager
async def watched(pid: int) -> AsyncIterator[Peak]:
    """Watch a process while the block lasts. The kernel itself keeps the peak, so nothing is missed."""
    _begin_anew(pid)
    peak = Peak(pid)
    looking = asyncio.create_task(peak.keep_looking())
    try:
        yield peak
    finally:
        looking.cancel()
        peak.look()


def _begin_anew(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _status(pid: int, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _share(pid: int) -> int:
    """What a process holds, of shared pages its part only: parent and children have the same libraries."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                found += [int(child), *_descendants(int(child))]
    return found
