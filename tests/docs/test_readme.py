"""Every command of the README runs against a running house, and answers what the README shows.

The blocks run in one shell, in their order, on a fresh house: what one block makes (a token, a figure) the next one
may use. `make up` is started as `make` itself would start it.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.postgres import EmbeddedPostgres
from tests.chitieu.processes import free_port
from tests.docs.blocks import ROOT, Shown, differences, shell_blocks
from tests.nats import nats

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = shell_blocks(README)
DOOR = "http://127.0.0.1:8000"
RECEIVER_PORT = "9099"  # where the README listens for webhooks; here at a free port
NATS = "nats://127.0.0.1:4222"  # the same of the NATS server
# What the test runs by itself: a NATS server, `make up` as the house under test; `make test` is what runs this test.
STARTS_NATS = re.compile(r"^\S*nats-server\b.*$", re.MULTILINE)
SERVES = re.compile(r"^(make up|\S*chitieu up\b.*)$", re.MULTILINE)
PATIENCE_SECONDS = 120
MARK = "----8<----"


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """As on a machine where `make up` was run: no setting but where to listen and where to keep data."""
    place = {"CHITIEU_DATA_DIR": str(data_dir), "CHITIEU_PORT": str(port), "CHITIEU_URL": f"http://127.0.0.1:{port}"}
    return {"PATH": os.environ["PATH"], "HOME": str(data_dir), "LANG": "C.UTF-8", **place}


def command_of_make(target: str) -> list[str]:
    """What `make` would run last for a target, on this interpreter's environment."""
    planned = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = planned.stdout.strip().splitlines()[-1].split()
    return [str(Path(sys.executable).with_name(Path(words[0]).name)), *words[1:]]


@contextlib.contextmanager
def serving(command: list[str], env: dict[str, str], log: Path, says: str = "is ready at") -> Iterator[None]:
    """A server while the block lasts: waited for, then stopped by Ctrl-C, which must end it well."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while says not in log.read_text(encoding="utf-8"):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 0, log.read_text(encoding="utf-8")


def answers(blocks: list[Shown], env: dict[str, str]) -> list[str]:
    """Run blocks in one shell; the standard output of each."""
    door, port = env["CHITIEU_URL"], str(free_port())
    script = "".join(f"{block.script.replace(DOOR, door)}\nprintf '%s\\n' '{MARK}'\n" for block in blocks)
    script = script.replace(RECEIVER_PORT, port).replace(NATS, env["CHITIEU_NATS_URL"])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    outputs = done.stdout.replace(f":{port}/", f":{RECEIVER_PORT}/").split(f"{MARK}\n")
    last = blocks[min(len(outputs), len(blocks)) - 1]
    assert done.returncode == 0, f"README.md:{last.line}:\n{last.script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return outputs[:-1]


def test_the_first_two_commands_are_make_up_and_make_test() -> None:
    assert [block.script.strip() for block in BLOCKS[:2]] == ["make up", "make test"]
    assert command_of_make("up")[1:] == ["up"]
    assert "pytest" in command_of_make("test")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder, empty at first."""
    folder = tmp_path_factory.mktemp("readme") / "data"
    yield folder
    EmbeddedPostgres(folder).discard()


@pytest.mark.slow
@pytest.mark.long
def test_every_command_runs_and_answers_what_is_shown(data_dir: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the README's commands need curl")
    blocks = [b for b in BLOCKS[2:] if not SERVES.search(b.script) and not STARTS_NATS.search(b.script)]
    with nats() as server:
        env = {**environment(data_dir, free_port()), "CHITIEU_NATS_URL": server.url}
        with serving(command_of_make("up"), env, tmp_path / "up.log"):
            real = answers(blocks, env)
    wrong = {f"README.md:{block.line}": differences(block, text) for block, text in zip(blocks, real, strict=True)}
    assert {place: found for place, found in wrong.items() if found} == {}


def test_what_serves_is_what_is_started_elsewhere() -> None:
    """`make up` above, `up --empty` in tests/chitieu/test_up.py: as processes, to their ends."""
    served = [block.script.strip() for block in BLOCKS if SERVES.search(block.script)]
    assert served == ["make up", ".venv/bin/chitieu up --empty"]


def test_the_nats_server_to_try_with_starts_and_stops(tmp_path: Path) -> None:
    [block] = [block for block in BLOCKS if STARTS_NATS.search(block.script)]
    place = block.script.strip().replace(".chitieu/nats", str(tmp_path / "nats"))
    command = ["bash", "-euc", f"exec {place} --port {free_port()}"]
    with serving(command, dict(os.environ), tmp_path / "nats.log", says="Server is ready"):
        pass
