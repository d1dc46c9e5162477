"""A small disk: a file system in memory of a size that can be changed while it is in use. Only root can have one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from chassis.postgres import folder as postgres_folder

MIB = 2**20


class Disk:
    """A mounted folder that can be filled and can grow."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size

    def fill(self) -> None:
        """Take all the room there is left."""
        free = os.statvfs(self.folder)
        with (self.folder / "filler").open("ab") as filler, contextlib.suppress(OSError):
            for _ in range(free.f_bavail * free.f_frsize // MIB + 1):
                filler.write(bytes(MIB))

    def grow(self, more: int) -> None:
        """Be so many bytes larger from now on."""
        self.size += more
        _mount("-o", f"remount,size={self.size}", str(self.folder))

    def empty(self) -> None:
        """Give the room back that was taken."""
        (self.folder / "filler").unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[Disk | str]:
    """A disk of our own; or, in words, why there is none."""
    if os.geteuid() != 0:
        yield "only root can mount a small file system"
        return
    folder = Path(tempfile.mkdtemp(prefix="chitieu-disk-"))
    if said := _mount("-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)):
        folder.rmdir()
        yield f"no file system can be mounted here: {said}"
        return
    try:
        # Root's databases go onto it as well: PostgreSQL runs as nobody, who finds its way in.
        with patch.object(postgres_folder, "SHARED_FOLDER", folder):
            yield Disk(folder, size)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def _mount(*options: str) -> str:
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""
