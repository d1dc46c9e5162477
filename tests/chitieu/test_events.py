"""What an operator asks of the log: is it whole, what is it saying, and a new epoch; one house for the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from chassis.keys import ensure_key
from chassis.settings import SERVICES, Settings
from tests.chitieu.commands import run_here
from tests.house import Standing, standing

pytestmark = pytest.mark.slow
Command = Callable[..., tuple[int, str, str]]
HEAD = "  head: position 2, epoch 1"
SOUND = {"dense", "head", "beginning", "event ids", "versions", "subjects", "outbox", "archives"}
FIGURE = [{"admin_unit": "26491", "indicator": "PUBLIC_WIFI_POINTS", "period": "2026-Q3", "value": 30}]


@pytest.fixture(scope="module")
def served(admin_url: str, shared_dir: Path, reference_template: str) -> Iterator[Standing]:
    key = ensure_key(Settings(data_dir=shared_dir))
    with standing(admin_url, key, reference_template, data_dir=shared_dir) as house:
        yield house


@pytest.fixture(scope="module")
def command(served: Standing, shared_dir: Path) -> Command:
    """`chitieu events …` beside a loaded house."""
    urls = {
        f"CHITIEU_{name.upper()}_DATABASE_URL": served.house.database(name).url.render_as_string(hide_password=False)
        for name in SERVICES
    }
    settings = {**urls, "CHITIEU_DATA_DIR": str(shared_dir), "CHITIEU_URL": served.url}

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        done = run_here("events", *arguments, settings=settings, stdin=stdin)
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_sound_log_is_called_sound(command: Command) -> None:
    code, out, _ = command("check", "--json")
    found = json.loads(out)
    assert (code, found["is_sound"]) == (0, True)
    assert {
        name: {each["name"] for each in one["findings"]} for name, one in found["services"].items()
    } == dict.fromkeys(SERVICES, SOUND)
    plans = found["services"]["plans"]
    assert plans["head"] == plans["events"] > 100
    code, out, _ = command("check", "budget")
    assert (code, out.splitlines()[:3]) == (0, ["budget: sound", "  dense: 2 events, none missing", HEAD])


def test_what_was_said_can_be_read_again(command: Command) -> None:
    code, out, err = command("tail", "plans", "--from-beginning", "--count", "3", "--json")
    assert (code, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["sequence"][-1] for event in events] == ["1", "2", "3"]
    code, out, _ = command("tail", "budget", "--from-beginning", "--count", "1", "--commune", "26491")
    line = out.splitlines()[0]
    assert code == 0
    assert " budget lines.applied.v1 26491-2026-digital-transformation-state-agencies v1 {" in line
    assert line.endswith("…")


def test_a_tail_goes_on_from_a_cursor(served: Standing, command: Command) -> None:
    before = httpx2.get(f"{served.url}/v1/indicators/changes", params={"limit": 1}).json()["head"]
    headers = {**served.house.admin, "Idempotency-Key": "tail-1"}
    posted = httpx2.post(f"{served.url}/v1/indicators/actuals", json=FIGURE, headers=headers)
    assert posted.json()["updated"] == 1
    code, out, _ = command("tail", "indicators", "--after", before, "--count", "1", "--json")
    event = json.loads(out)
    assert (code, event["subject"], event["data"]["changes"][0]["new"]["value"]) == (0, "26491", 30)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "plan"], "There is no service plan: choose plans, indicators, budget."),
        (["tail", "--after", "MS4x"], "A cursor is a place in one service's log: name that service, and no other"),
        (["tail", "plans", "--token", "x"], "GET /v1/plans/changes was refused (401 token_invalid)"),
    ],
)
def test_refusals_are_one_sentence(command: Command, arguments: list[str], sentence: str) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert sentence in err


def test_a_new_epoch_ends_every_cursor_of_before(served: Standing, command: Command) -> None:
    page = httpx2.get(f"{served.url}/v1/budget/changes", params={"limit": 1}).json()
    assert command("new-epoch", "budget", stdin="n\n")[0] == 1
    assert httpx2.get(f"{served.url}/v1/budget/changes", params={"after": page["next"]}).status_code == 200
    code, out, _ = command("new-epoch", "budget", "--yes")
    assert (code, out) == (0, "budget: epoch 2\n")
    gone = httpx2.get(f"{served.url}/v1/budget/changes", params={"after": page["next"]})
    assert (gone.status_code, gone.json()["code"]) == (410, "feed_rewound")
    assert gone.json()["lists"] == ["/v1/budget/lines", "/v1/budget/groups"]
