"""deploy/nats: a real server takes it, and who logs in by it may do what they should and nothing else."""

from __future__ import annotations

import asyncio
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats as client_library
import pytest
from joserfc.jwk import OKPKey
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NoAnswer
from pydantic import SecretStr
from rich.console import Console

from chassis import outbox
from chassis.beside import beside
from chassis.jetstream.relay import Relay
from chassis.outbox import Event
from chassis.settings import SERVICES, Settings
from chitieu import jetstream
from chitieu.jetstream.listeners import listener_of
from tests.chitieu.commands import run_here
from tests.conftest import TEMPLATE
from tests.house import House, open_house
from tests.nats import SERVER, Nats, nats, reached

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "nats"
EXAMPLE = ROOT / "docs" / "examples" / "listen_jetstream.py"
USERS = ("RELAY", "OPERATOR", "IOC_75")
TYPE = "vn.chitieu.plans.note.written.v1"


def password(user: str) -> str:
    return f"{user.replace('-', '_').upper()}-of-the-test"


def as_user(servers: Nats, user: str) -> str:
    return servers.url.replace("nats://", f"nats://{user}:{password(user)}@")


def test_a_server_finds_the_example_well_written(tmp_path: Path) -> None:
    told = {f"NATS_{user}_PASSWORD": password(user) for user in USERS}
    env = {**os.environ, **told, "NATS_NAME": "nats-1", "NATS_STORE": str(tmp_path)}
    done = subprocess.run(
        [SERVER, "-t", "-c", FOLDER / "nats.conf"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[-1].split(" (")[0]) == (
        0,
        f"nats-server: configuration file {FOLDER / 'nats.conf'} is valid",
    )


@pytest.fixture(scope="module")
def guarded() -> Iterator[Nats]:
    """A server with the accounts of the example."""
    told = [f'NATS_{user}_PASSWORD: "{password(user)}"' for user in USERS]
    with nats(*told, (FOLDER / "accounts.conf").read_text(encoding="utf-8")) as started:
        yield started


def operator(guarded: Nats) -> Settings:
    return Settings(nats_url=SecretStr(as_user(guarded, "operator")))


async def listener(guarded: Nats, name: str, *units: str) -> str:
    """`chitieu jetstream listener NAME --unit …`: what it says."""
    said = io.StringIO()
    telling = jetstream.Telling(Console(file=said, soft_wrap=True), for_machines=False)
    assert await jetstream.listener(operator(guarded), telling, listener_of(name, units, SERVICES)) == 0
    return said.getvalue()


async def remove(guarded: Nats, name: str) -> None:
    """`chitieu jetstream listener NAME --remove`."""
    telling = jetstream.Telling(Console(file=io.StringIO()), for_machines=False)
    assert await jetstream.remove(operator(guarded), telling, listener_of(name, (), SERVICES)) == 0


@pytest.fixture(scope="module")
async def told(admin_url: str, signing_key: OKPKey, guarded: Nats) -> AsyncIterator[House]:
    """A house whose log of plans was relayed by the user that the example has for it."""
    telling = jetstream.Telling(Console(file=io.StringIO()), for_machines=False)
    assert await jetstream.init(operator(guarded), telling, None, updates=False) == 0
    async with open_house(admin_url, signing_key, template=TEMPLATE, nats_url=as_user(guarded, "relay")) as house:
        await write(house)
        async with beside(Relay(house.composition.services["plans"].state.house).run()):
            await reached(as_user(guarded, "operator"), "chitieu-plans", "1:6")
        yield house


async def write(house: House) -> None:
    """Public and restricted events of two provinces and three communes."""
    places = [("75", "26491"), ("75", "25378"), ("37", "14161")]
    events = [
        Event(TYPE, str(commune), {}, province=province, commune=commune, is_public=is_public)
        for province, commune in places
        for is_public in (True, False)
    ]
    async with house.database("plans").write() as db:
        await outbox.append(db, await outbox.lock(db, [event.subject for event in events]), events)
    await house.sequence()


async def heard_by_feed(house: House, *units: str) -> list[str]:
    """The ids of what a token of these units hears."""
    answer = await house.client.get("/v1/plans/changes", headers=house.headers("changes:read", units))
    return [event["id"] for event in answer.json()["items"]]


async def listening(guarded: Nats, name: str, folder: Path) -> tuple[list[str], list[str]]:
    """What the example says, and the ids of what it has kept, in its order."""
    env = {**os.environ, "CHITIEU_NATS_URL": as_user(guarded, name)}
    command = [sys.executable, str(EXAMPLE), name, str(folder / f"{name}.db")]
    done = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with sqlite3.connect(folder / f"{name}.db") as database:
        return done.stdout.splitlines(), [row[0] for row in database.execute("SELECT id FROM event ORDER BY rowid")]


async def test_the_example_hears_what_a_token_of_its_units_hears_and_each_once(
    told: House, guarded: Nats, tmp_path: Path
) -> None:
    permissions = await listener(guarded, "ioc-75", "75")
    expected = await heard_by_feed(told, "75")
    assert len(expected) == 5
    quiet = ["chitieu-indicators: 0 new, 0 heard before", "chitieu-budget: 0 new, 0 heard before"]
    assert await listening(guarded, "ioc-75", tmp_path) == (["chitieu-plans: 5 new, 0 heard before", *quiet], expected)
    await remove(guarded, "ioc-75")
    assert await listener(guarded, "ioc-75", "75") == permissions
    assert await listening(guarded, "ioc-75", tmp_path) == (["chitieu-plans: 0 new, 5 heard before", *quiet], expected)
    given = "".join((FOLDER / "accounts.conf").read_text(encoding="utf-8").split())
    assert "".join("".join(permissions.splitlines(keepends=True)[1:]).split()) in given


@pytest.mark.parametrize(
    ("units", "subjects"),
    [
        ([], ["ev.>"]),
        (["26491"], ["ev.>", "ev-restricted.*.*.*.26491.>"]),
        (["26491", "25378"], ["ev.>", "ev-restricted.*.*.*.26491.>", "ev-restricted.*.*.*.25378.>"]),
        (["75", "37"], ["ev.>", "ev-restricted.75.>", "ev-restricted.37.>"]),
        (["*", "75"], ["ev.>", "ev-restricted.>"]),
    ],
)
async def test_every_listener_hears_what_a_token_of_its_units_hears(
    told: House, guarded: Nats, units: list[str], subjects: list[str]
) -> None:
    said = await listener(guarded, "some", *units)
    assert said.startswith(f"some hears {', '.join(subjects)}. ")
    client = await client_library.connect(as_user(guarded, "operator"))
    consumer = await client.jetstream().consumer_info("chitieu-plans", "some")
    await client.close()
    assert consumer.num_pending == len(await heard_by_feed(told, *units))
    await remove(guarded, "some")


async def refused(client: Client, subject: str, body: bytes = b"{}") -> bool:
    """Whether a request is not even answered."""
    try:
        await client.request(subject, body, timeout=0.2)
    except (NoAnswer, NoRespondersError):
        return True
    return False


@pytest.mark.usefixtures("told")
async def test_a_listener_does_nothing_else(guarded: Nats) -> None:
    await listener(guarded, "ioc-75")
    await listener(guarded, "other", "*")
    said: list[str] = []

    async def note(error: Exception) -> None:
        said.append(str(error))

    url = as_user(guarded, "ioc-75")
    client = await client_library.connect(url, inbox_prefix="_INBOX_ioc-75", error_cb=note)
    js = client.jetstream()
    assert (await js.consumer_info("chitieu-plans", "ioc-75")).name == "ioc-75"
    for subject in (
        "$JS.API.STREAM.INFO.chitieu-plans",
        "$JS.API.STREAM.MSG.GET.chitieu-plans",
        "$JS.API.DIRECT.GET.chitieu-plans",
        "$JS.API.STREAM.DELETE.chitieu-plans",
        "$JS.API.CONSUMER.CREATE.chitieu-plans.ioc-75",
        "$JS.API.CONSUMER.CREATE.chitieu-plans.ioc-75.ev-restricted.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.chitieu-plans.ioc-75",
        "$JS.API.CONSUMER.DELETE.chitieu-plans.ioc-75",
        "$JS.API.CONSUMER.INFO.chitieu-plans.other",
        "$JS.API.CONSUMER.MSG.NEXT.chitieu-plans.other",
        "ev.75.plans.note.26491.written.v1",
    ):
        assert await refused(client, subject), subject
    for subject in ("ev.>", "ev-restricted.75.>", "_INBOX.>", "_INBOX_other.>", ">"):
        await client.subscribe(subject)
    async with asyncio.timeout(5):
        while len(said) < 16:
            await client.flush()
    await client.close()
    await remove(guarded, "other")
    assert [error.split(" for ")[0] for error in said] == ["nats: permissions violation"] * 16
    assert await messages(guarded) == 6


async def messages(guarded: Nats) -> int:
    client = await client_library.connect(as_user(guarded, "operator"))
    try:
        return (await client.jetstream().stream_info("chitieu-plans")).state.messages
    finally:
        await client.close()


@pytest.mark.usefixtures("told")
async def test_the_relay_does_not_touch_streams(guarded: Nats) -> None:
    client = await client_library.connect(as_user(guarded, "relay"), error_cb=quiet)
    for verb in ("CREATE", "UPDATE", "DELETE", "PURGE"):
        assert await refused(client, f"$JS.API.STREAM.{verb}.chitieu-plans")
    await client.close()


async def quiet(_error: Exception) -> None:
    pass


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.b"], "a.b is no name of a listener: letters, digits and hyphens, at most 40."),
        (["x", "--unit", "7"], "A unit is a province (75), a commune (26491), or * for all."),
        (
            ["x", "--unit", "75", "--unit", "26491"],
            "Name provinces or communes: NATS takes no filters of which one event could meet two.",
        ),
    ],
)
def test_what_can_be_no_listener_is_one_sentence(arguments: list[str], sentence: str) -> None:
    done = run_here("jetstream", "listener", *arguments, settings={"CHITIEU_NATS_URL": "nats://127.0.0.1:1"})
    assert (done.returncode, done.stderr) == (1, f"chitieu: {sentence}\n")
