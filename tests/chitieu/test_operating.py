"""What an operator does to a running house, by the command alone: one house, started once."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest

from chassis.keys import ensure_key
from chassis.settings import Settings
from chitieu.demo import REFERENCE
from tests.chitieu.commands import run_here
from tests.chitieu.processes import ROOT, run
from tests.house import standing

pytestmark = pytest.mark.slow

ALL_UNITS = ROOT.parent / "shared" / "reference" / "units.csv"
UNITS = REFERENCE / "units.csv"
FIGURE = {"admin_unit": "26491", "indicator": "AGENCIES_IT_EQUIPPED_RATE", "period": "2026-Q3"}


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def url(admin_url: str, shared_dir: Path, reference_template: str) -> Iterator[str]:
    """A loaded house, whose key lies in the folder."""
    key = ensure_key(Settings(data_dir=shared_dir))
    with standing(admin_url, key, reference_template, data_dir=shared_dir) as made:
        yield made.url


@pytest.fixture(scope="module")
def admin(url: str, shared_dir: Path) -> Iterator[httpx2.Client]:
    """The house as its administrator sees it."""
    scopes = "indicators:read actuals:write"
    made = run_here("token", "--scope", scopes, "--admin-unit", "*", "--data-dir", str(shared_dir))
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {made.stdout.strip()}"}) as client:
        yield client


@pytest.fixture
def command(url: str, shared_dir: Path, tmp_path: Path) -> Command:
    """Run a command against the house, as the holder of its key."""
    return partial(_command, run_here, url, shared_dir, tmp_path)


@pytest.fixture
def command_by_process(url: str, shared_dir: Path, tmp_path: Path) -> Command:
    """The same, as a process of its own."""
    return partial(_command, run, url, shared_dir, tmp_path)


def _command(
    runs: Callable[..., subprocess.CompletedProcess[str]],
    url: str,
    data_dir: Path,
    state: Path,
    *arguments: str,
    stdin: str = "",
) -> tuple[int, str, str]:
    place = ("--url", url, "--data-dir", str(data_dir))
    done = runs(*arguments, *place, stdin=stdin, settings={"XDG_STATE_HOME": str(state)})
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def sample_folder(tmp_path: Path) -> Path:
    """The sample figures of the demo alone."""
    shutil.copytree(REFERENCE / "actuals", tmp_path / "samples" / "actuals")
    return tmp_path / "samples"


def samples(admin: httpx2.Client) -> int:
    return len(admin.get("/v1/indicators/actuals?source=sample&limit=1000").json()["items"])


def test_applying_the_same_again_changes_nothing(command_by_process: Command) -> None:
    code, said, _ = command_by_process("apply", str(REFERENCE))
    assert code == 0
    assert said.splitlines()[-1] == "Files: 24. Rows that changed: 0."
    assert "plans/26491-2026-digital-transformation-state-agencies.yaml: 143 unchanged (issued)" in said


def test_a_dry_run_shows_the_difference_and_changes_nothing(command: Command, tmp_path: Path) -> None:
    offices = tmp_path / "offices"
    offices.mkdir()
    (offices / "26491.yaml").write_text("offices:\n- slug: phong-vhxh\n  aliases: [Phòng VHXH mới]\n", encoding="utf-8")
    for _ in range(2):
        code, said, _ = command("apply", str(tmp_path), "--dry-run")
        assert code == 0
        assert said.splitlines() == ["offices/26491.yaml: 1 updated, 28 kept", "Files: 1. Rows that would change: 1."]


def test_a_folder_without_anything_to_apply_is_refused(command: Command, tmp_path: Path) -> None:
    assert command("apply", str(tmp_path)) == (
        1,
        "",
        f"chitieu: There is nothing to apply in {tmp_path} (units.csv, offices.yaml, plans/*.yaml …).\n",
    )


def test_a_file_that_is_no_yaml_is_named_with_its_place(command: Command, tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text("indicators:\n  - code: [\n", encoding="utf-8")
    code, _, trouble = command("apply", str(tmp_path))
    assert code == 1
    assert trouble.startswith(f"chitieu: {tmp_path / 'catalogue.yaml'} cannot be read: ")
    assert "line 3" in trouble
    assert trouble.count("\n") == 1


@pytest.mark.skipif(not ALL_UNITS.exists(), reason="the list of all units is not in this checkout")
def test_all_units_of_the_country_load_in_seconds(
    command: Command, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    code, said, _ = command("units", "load", str(ALL_UNITS))
    seconds = time.monotonic() - started
    record_property("units_load_seconds", round(seconds, 1))
    assert (code, said) == (0, "3348 created, 7 unchanged.\n")
    assert seconds < 20
    assert command("units", "load", str(ALL_UNITS)) == (0, "3355 unchanged.\n", "")


def test_a_posted_figure_is_there_and_a_sample_never_takes_its_place(
    command: Command, admin: httpx2.Client, sample_folder: Path
) -> None:
    rows = json.dumps([{**FIGURE, "numerator": 19, "denominator": 20}])
    code, said, _ = command("push", "-", "--type", "json", stdin=rows)
    assert code == 0
    assert said.startswith("-: đã ghi nhận 1 số liệu (1 ")
    again = command("push", "-", "--type", "json", stdin=rows)[1]
    assert again.startswith("-: không có gì mới để ghi (1 số liệu đã có và không đổi).\n")

    assert command("apply", str(sample_folder))[0] == 0
    query = "/v1/indicators/actuals?admin_unit=26491&indicator=AGENCIES_IT_EQUIPPED_RATE&period=2026-Q3"
    [figure] = admin.get(query).json()["items"]
    assert (figure["value"], figure["numerator"], figure["source"]) == (95, 19, None)


def test_a_bad_token_is_one_sentence(command: Command) -> None:
    code, _, trouble = command("apply", str(REFERENCE), "--token", "nonsense")
    assert code == 1
    assert trouble.startswith("chitieu: PUT /v1/plans/admin-units was refused (401 token_invalid): ")
    assert trouble.count("\n") == 1


def test_nobody_at_the_address_is_one_sentence(shared_dir: Path) -> None:
    done = run_here("units", "load", str(UNITS), "--url", "http://127.0.0.1:1", "--data-dir", str(shared_dir))
    assert done.returncode == 1
    assert done.stderr.startswith("chitieu: Nobody answers at http://127.0.0.1:1: ")
    assert done.stderr.count("\n") == 1


def test_the_demo_is_taken_out_and_stays_out(
    command: Command, admin: httpx2.Client, shared_dir: Path, sample_folder: Path
) -> None:
    there = samples(admin)
    assert there > 200
    assert command("demo", "remove") == (0, f"{there} sample figures withdrawn.\n", "")
    assert samples(admin) == 0
    assert command("demo", "remove") == (0, "0 sample figures withdrawn.\n", "")

    assert command("apply", str(sample_folder))[0] == 0
    assert samples(admin) == 0
    assert json.loads((shared_dir / "demo.json").read_text()) == {"demo": "removed"}


def test_production_takes_no_samples(
    admin_url: str, reference_template: str, sample_folder: Path, tmp_path: Path
) -> None:
    key = ensure_key(Settings(data_dir=tmp_path))
    earnest = {"environment": "production", "public_url": "https://chitieu.example.vn"}
    with standing(admin_url, key, reference_template, **earnest) as made:
        done = run_here("apply", str(sample_folder), "--url", made.url, "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "422 actuals_refused" in done.stderr
