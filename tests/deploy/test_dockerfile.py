"""The image: linted, unprivileged, built from the hashed lock, and with everything the processes need."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
TEXT = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
COPIED = [source for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE) for source in line.split()[:-1]]


def lint(text: str) -> subprocess.CompletedProcess[str]:
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [str(hadolint), "--failure-threshold", "info", "--no-color", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def test_the_linter_finds_nothing() -> None:
    found = lint(DOCKERFILE.read_text(encoding="utf-8"))
    assert (found.returncode, found.stdout) == (0, "")


def test_the_linter_finds_a_planted_fault() -> None:
    found = lint("FROM python:latest\nRUN cd /tmp && pip install fastapi\n")
    assert found.returncode == 1
    assert {"DL3003", "DL3007", "DL3042"} <= set(re.findall(r"DL\d{4}", found.stdout))


def test_it_runs_as_a_numbered_user_who_is_not_root() -> None:
    final = TEXT.rsplit("\nFROM ", 1)[1]
    users = re.findall(r"^USER (.+)$", final, re.MULTILINE)
    assert users == ["10001:10001"]
    assert final.index("\nUSER ") < final.index("\nENTRYPOINT ")


def test_packages_come_by_hash_from_a_lock_that_names_no_host() -> None:
    assert "--require-hashes" in TEXT
    assert "requirements.lock" in COPIED
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    packages = re.findall(r"^([a-z0-9][a-z0-9._\[\],-]*)==", lock, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(packages) == len(blocks) > 30
    assert all("--hash=sha256:" in block for block in blocks)


def test_every_source_is_there_and_let_through_to_the_builder() -> None:
    assert all((ROOT / source).exists() for source in COPIED)
    assert IGNORE[1] == "*"
    assert {line[1:] for line in IGNORE if line.startswith("!")} == set(COPIED)


def test_every_package_of_the_project_is_in_the_image() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages <= set(COPIED)
    assert {"migrations", "reference"} <= set(COPIED)


def test_it_says_when_it_is_ready() -> None:
    assert re.search(r"^HEALTHCHECK .*/readyz", TEXT, re.MULTILINE)
