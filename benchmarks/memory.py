"""The most memory a process took, above what it holds at rest; its children included."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

SAMPLE_SECONDS = 0.02


class Peak:
    """What was seen while a block lasted, in bytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.idle = _status(pid, "VmRSS")
        self.own = 0
        self.children = 0

    @property
    def above_idle(self) -> int:
        """The process's own peak above its rest, and the most its children held at one time."""
        return max(0, self.own - self.idle) + self.children

    async def sample(self) -> None:
        """Look at the children again and again; they may live for a moment only."""
        while True:
            self.children = max(self.children, sum(_share(child) for child in _descendants(self._pid)))
            await asyncio.sleep(SAMPLE_SECONDS)


def reset(pid: int) -> Peak:
    """Let the kernel's own note of the peak begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return Peak(pid)


@contextlib.asynccontextmanager
async def watched(pid: int) -> AsyncIterator[Peak]:
    """Watch a process while the block lasts. The kernel itself keeps the peak, so nothing is missed."""
    peak = reset(pid)
    sampling = asyncio.create_task(peak.sample())
    try:
        yield peak
    finally:
        sampling.cancel()
        peak.own = _status(pid, "VmHWM")


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
