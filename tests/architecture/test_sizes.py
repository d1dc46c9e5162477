"""Nothing grows past what fits in a head, and no name attracts everything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("chassis", "services", "gateway", "chitieu")
OTHERS = ("benchmarks", "docs", "migrations", "tests")  # what stands around the house
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS = 400, 60, 6
NAMELESS = {"utils", "helpers", "common", "misc"}
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_route(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) for d in node.decorator_list)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_file_fits_in_a_head(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_FILE_LINES
    assert path.stem not in NAMELESS
    for node in functions(ast.parse(source)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"
        if not is_route(node):
            given = [a.arg for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")]
            assert len(given) <= MAX_PARAMETERS, f"{node.name} takes {len(given)} positional parameters"


@pytest.mark.parametrize("room", OTHERS)
def test_what_stands_around_the_house_fits_in_a_head_too(room: str) -> None:
    long = {}
    for path in (ROOT / room).rglob("*.py"):
        assert path.stem not in NAMELESS
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            long[str(path.relative_to(ROOT))] = lines
    assert long == {}


def test_settings_and_one_other_file_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in FILES
        if "os.environ" in path.read_text(encoding="utf-8") or "os.getenv" in path.read_text(encoding="utf-8")
    }
    assert readers == {"chassis/settings.py", "chassis/environment.py"}


def test_only_the_database_commits() -> None:
    committers = {str(path.relative_to(ROOT)) for path in FILES if ".commit()" in path.read_text(encoding="utf-8")}
    assert committers <= {"chassis/database.py", "chitieu/migrate.py"}
