"""What an operator does with the streams: make them, look at them, make them anew; one house, started once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats as client_library
import pytest
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from chassis.jetstream.streams import wanted
from chassis.keys import ensure_key
from chassis.settings import SERVICES, Settings
from tests.chitieu.commands import run_here
from tests.house import standing
from tests.nats import Nats, free_ports, nats, read_stream

pytestmark = pytest.mark.slow

SYNC = "sync_always: yes."
Command = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def server() -> Iterator[Nats]:
    with nats() as started:
        yield started


@pytest.fixture(scope="module")
def command(admin_url: str, shared_dir: Path, reference_template: str, server: Nats) -> Iterator[Command]:
    """`chitieu jetstream …` beside a loaded house that relays to the server."""
    key = ensure_key(Settings(data_dir=shared_dir))
    told = {"nats_url": server.url, "nats_monitor_url": server.monitor_url}
    with standing(admin_url, key, reference_template, data_dir=shared_dir, **told) as house:
        settings = {f"CHITIEU_{name.upper()}": value for name, value in told.items()}
        settings |= {"CHITIEU_DATA_DIR": str(shared_dir), "CHITIEU_URL": house.url}

        def run(*arguments: str, stdin: str = "") -> tuple[int, list[str], str]:
            done = run_here("jetstream", *arguments, settings=settings, stdin=stdin)
            return done.returncode, done.stdout.splitlines(), done.stderr

        yield run


@pytest.fixture(scope="module")
def heads(command: Command) -> dict[str, int]:
    """Where the logs end."""
    found = json.loads("\n".join(command("status", "--json")[1]))["services"]
    return {one["service"]: one["log"]["position"] for one in found}


def equal(heads: dict[str, int]) -> list[str]:
    """What the status says when every stream has all of its log."""
    told = [f"{name}: log at 1:{n}, stream at 1:{n}, 0 behind; 1 of 1 replicas." for name, n in heads.items()]
    return [*told, SYNC]


def at_the_server(server: Nats, work: Callable[[JetStreamContext], Any]) -> Any:
    """Do something at the server, as another client would."""

    async def run() -> Any:
        client = await client_library.connect(server.url)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(run())


@pytest.fixture
def filled(command: Command, heads: dict[str, int]) -> None:
    """Streams that are equal to the logs."""
    assert command("init", "--update")[0] == 0
    assert command("status", "--wait", "30") == (0, equal(heads), "")


async def delete_all(js: JetStreamContext) -> None:
    for info in await js.streams_info():
        await js.delete_stream(str(info.config.name))


def test_streams_are_missing_until_they_are_made(command: Command, server: Nats, heads: dict[str, int]) -> None:
    at_the_server(server, delete_all)
    code, said, _ = command("status")
    assert code == 3
    assert said == [
        *(f"{service}: log at 1:{head}, no stream." for service, head in heads.items()),
        SYNC,
        *(f"! chitieu-{service} is missing: `chitieu jetstream init` makes it" for service in SERVICES),
    ]
    made = [f"chitieu-{service}: made, 1 replica." for service in SERVICES]
    assert command("init") == (0, [*made, SYNC], "")
    assert command("init") == (0, [line.replace("made", "unchanged") for line in made] + [SYNC], "")
    assert command("status", "--wait", "30") == (0, equal(heads), "")
    assert command("status") == (0, equal(heads), "")


@pytest.mark.usefixtures("filled")
def test_the_status_for_machines(command: Command, heads: dict[str, int]) -> None:
    code, said, _ = command("status", "--json", "--max-behind", "0")
    told = json.loads("\n".join(said))
    assert (code, told["sync_always"], told["troubles"]) == (0, True, [])
    del told["services"][2]["stream"]["consumers"]  # those that looked on are only just leaving
    assert told["services"][2] == {
        "service": "budget",
        "log": {"epoch": 1, "position": heads["budget"]},
        "stream": {
            "name": "chitieu-budget",
            "first": {"epoch": 1, "position": 1},
            "last": {"epoch": 1, "position": heads["budget"]},
            "messages": heads["budget"],
            "last_sequence": heads["budget"],
            "replicas": 1,
            "replicas_current": 1,
            "differences": [],
        },
        "behind": 0,
    }


@pytest.mark.usefixtures("filled")
def test_a_stream_that_differs_is_told_and_mended_only_when_asked(
    command: Command, server: Nats, heads: dict[str, int]
) -> None:
    at_the_server(server, lambda js: js.update_stream(replace(wanted("budget", 1), max_age=3600)))
    difference = "max_age is 3600, should be 2592000"
    assert command("status")[:2] == (3, [*equal(heads), f"! chitieu-budget: {difference}"])
    code, said, _ = command("init", "--json")
    assert (code, json.loads("\n".join(said))["streams"][2]) == (
        3,
        {"stream": "chitieu-budget", "outcome": "different", "replicas": 1, "differences": [difference]},
    )
    code, said, _ = command("init", "--update")
    assert (code, said[2:4]) == (0, ["chitieu-budget: updated, 1 replica.", f"  {difference}"])
    assert command("status")[:2] == (0, equal(heads))


@pytest.mark.usefixtures("filled")
def test_a_stream_made_anew_is_filled_from_the_log_and_its_consumers_begin_again(
    command: Command, server: Nats, heads: dict[str, int]
) -> None:
    before = asyncio.run(read_stream(server.url, "chitieu-plans"))
    listener = ConsumerConfig(
        durable_name="ioc", filter_subject="ev.75.>", opt_start_seq=100, deliver_policy="by_start_sequence"
    )  # type: ignore[arg-type]
    at_the_server(server, lambda js: js.add_consumer("chitieu-plans", listener))
    assert command("rebuild", "--service", "plans", stdin="n\n")[0] == 1
    assert command("rebuild", "--service", "plans", "--yes") == (
        0,
        [f"chitieu-plans: {heads['plans']} events, equal to the log. Consumers that begin again: ioc."],
        "",
    )
    assert asyncio.run(read_stream(server.url, "chitieu-plans")) == before
    found = at_the_server(server, lambda js: js.consumer_info("chitieu-plans", "ioc"))
    public = sum(one.subject.startswith("ev.75.") for one in before)
    assert (found.config.filter_subject, found.num_pending) == ("ev.75.>", public)


def test_what_cannot_be_is_one_sentence(command: Command) -> None:
    nobody = f"nats://127.0.0.1:{free_ports(1)[0]}"
    code, said, trouble = command("init", "--nats-url", nobody)
    assert (code, said) == (1, [])
    assert trouble.startswith("chitieu: NATS does not let us in: ")
    assert trouble.count("\n") == 1
    assert command("rebuild", "--service", "gateway", "--yes") == (
        1,
        [],
        "chitieu: There is no service gateway: choose plans, indicators, budget.\n",
    )
    assert run_here("jetstream", "init").stderr == "chitieu: Where is NATS? Set CHITIEU_NATS_URL, or give --nats-url.\n"
