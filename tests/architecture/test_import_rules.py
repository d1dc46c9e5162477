"""The import rules bite: a planted violation of each kind is caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = {
    "neighbours": ("services/plans/service/__init__.py", "import services.budget.domain"),
    "house": ("chassis/money.py", "import services.plans.domain"),
    "pure-domain": ("services/budget/domain/__init__.py", "import sqlalchemy"),
    "no-sql-at-the-door": ("services/plans/api/__init__.py", "import sqlalchemy"),
    "no-http-inside": ("services/plans/service/__init__.py", "import fastapi"),
    "sql-in-one-place": ("services/plans/service/__init__.py", "import sqlalchemy"),
    "gateway-no-sql": ("gateway/app.py", "import sqlalchemy"),
    "gateway-order": ("gateway/clients.py", "import gateway.types"),
    "chassis-order": ("chassis/errors.py", "import chassis.app"),
    "six-roles": ("services/plans/store/__init__.py", "import services.plans.service"),
}


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    return subprocess.run([*command, "--no-cache", "--contract", contract], cwd=folder, text=True, capture_output=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for room in ("chassis", "services", "gateway", "chitieu"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "web"))
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


@pytest.mark.parametrize("contract", PLANTED)
def test_planted_violation_is_caught(copy: Path, contract: str) -> None:
    name, statement = PLANTED[contract]
    path = copy / name
    if not path.exists():
        path = copy / name.replace("/__init__.py", ".py")
    sound = path.read_text(encoding="utf-8")
    assert lint(copy, contract).returncode == 0
    path.write_text(f"{sound}\n{statement}\n", encoding="utf-8")
    try:
        result = lint(copy, contract)
        assert result.returncode == 1, result.stdout
        assert "BROKEN" in result.stdout
    finally:
        path.write_text(sound, encoding="utf-8")
