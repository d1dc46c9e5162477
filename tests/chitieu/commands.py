"""The command in this process: as a real one sees it, without the second it takes to start."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from chitieu.cli import main
from tests.chitieu.processes import environment


def run_here(
    *arguments: str, settings: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself; see `processes.run` for the same as a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    place = environment(**(settings or {}))
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - place.keys():
            patch.delenv(name)
        for name, value in place.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["chitieu", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _run()
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def _run() -> int:
    """The exit code, and what the interpreter would say of a sentence instead of one."""
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201
            return 1
        return int(end.code or 0)
    return 0
