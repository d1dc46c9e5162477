"""A client that follows a stream ends with exactly the log, wherever its line is cut, however its service ends."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from chassis import outbox
from chassis.database import Database
from chassis.feed import encode_position
from chassis.outbox import Event
from tests.chitieu.processes import Running, free_port, running
from tests.house import House
from tests.lines import line_to
from tests.sse import Heard, follow

pytestmark = [pytest.mark.slow, pytest.mark.long]

TYPE = "vn.chitieu.plans.note.written.v1"
COMMUNES = ["26491", "25378"]
LOTS, PATIENCE = 40, 120
END = "the end"


async def write(database: Database, *communes: str, text: str = "") -> None:
    async with database.write() as db:
        heads = await outbox.lock(db, communes)
        events = [Event(TYPE, commune, {"text": text}, "75", commune) for commune in communes]
        await outbox.append(db, heads, events)


async def write_lots(database: Database, lots: int, chance: random.Random) -> list[str]:
    """Write lots of a few events; their communes in the order of the log."""
    written: list[str] = []
    for _ in range(lots):
        communes = [chance.choice(COMMUNES) for _ in range(chance.randint(1, 5))]
        await write(database, *communes, text=chance.randbytes(chance.choice([10, 1000])).hex())
        written += communes
    return written


def is_whole(found: list[Heard]) -> bool:
    """Whether the last event of all was heard."""
    return bool(found) and found[-1].data["data"]["text"] == END


async def test_a_client_ends_with_exactly_the_log(house: House, signing_key: OKPKey, tmp_path: Path) -> None:
    chance = random.Random(3)
    key_file = tmp_path / "key.json"
    key_file.write_text(json.dumps(signing_key.as_dict(private=True)), encoding="utf-8")
    database, port = house.database("plans"), free_port()
    settings = {
        "CHITIEU_ENVIRONMENT": "demo",
        "CHITIEU_PUBLIC_READ": "true",
        "CHITIEU_LOG_LEVEL": "ERROR",
        "CHITIEU_UNSAFE_DATABASE": "true",
        "CHITIEU_STREAM_SECONDS": "1",  # it ends by itself now and then, too
        "CHITIEU_SIGNING_KEY_FILE": str(key_file),
        "CHITIEU_PLANS_DATABASE_URL": database.url.render_as_string(hide_password=False),
    }
    written: list[str] = []
    with ExitStack() as processes:

        def start() -> Running:
            process = processes.enter_context(running("serve", "plans", "--port", str(port), settings=settings))
            process.wait_ready()
            return process

        async with line_to(f"http://127.0.0.1:{port}") as line, asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            line.lasts = lambda: chance.randint(0, 60_000)
            url, beginning = f"{line.address}/v1/plans/changes/stream", encode_position("1.0")
            whole = group.create_task(follow(url, beginning, is_whole))
            part = group.create_task(follow(url, beginning, is_whole, commune=COMMUNES[0]))
            process = await asyncio.to_thread(start)
            written += await write_lots(database, LOTS, chance)
            await asyncio.to_thread(process.end, signal.SIGKILL)
            written += await write_lots(database, LOTS, chance)
            await asyncio.to_thread(start)
            written += await write_lots(database, LOTS, chance)
            await write(database, COMMUNES[0], text=END)
    assert [one.data["subject"] for one in whole.result()] == [*written, COMMUNES[0]]
    assert part.result() == [one for one in whole.result() if one.data["subject"] == COMMUNES[0]]
    assert line.connections > 10
