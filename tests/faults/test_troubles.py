"""What goes wrong around a post without anybody dying: cut connections, a full disk, locks that do not come free."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from benchmarks.forms import CONTENT_TYPES, body_of
from benchmarks.stage import Stage, staged
from benchmarks.world import World, months, settle
from tests.faults.bulk import SETTINGS, Plan, Verdict, perform
from tests.faults.clients import ACTUALS
from tests.faults.importing import IMPORTS, UNDER_WAY

pytestmark = [pytest.mark.slow, pytest.mark.long]

WORLD = World.of(30, 48)
DISK_BYTES = 8 * 1024 * 1024
TABLES = ("actual", "actual_revision", "posting", "event_log", "outbox", "idempotency_key", "audit")


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """One application for the whole file; a statement of it ends after two seconds."""
    async with staged(**SETTINGS, CHITIEU_STATEMENT_TIMEOUT_SECONDS="2") as made:
        await settle(made, WORLD)
        yield made


@pytest.fixture(scope="module")
async def hammered(stage: Stage) -> Verdict:
    """Sixteen writers of the same few keys, three posts each; `make faults-bulk` does it at length."""
    plan = Plan(kills=0, seed=5, clients=16, most_rows=96, shared=1.0, imports=0, forms=("json", "csv"), calm=48)
    return await perform(stage, WORLD, plan)


@pytest.fixture
async def tables(stage: Stage, hammered: Verdict) -> AsyncIterator[asyncpg.Connection]:
    """A look at the tables, once the sixteen are through."""
    assert hammered.journal.postings
    connection = await stage.connect("postgres")
    yield connection
    await connection.close()


def rows(year: int) -> list[dict[str, Any]]:
    """A row for every commune and month of a year."""
    return [
        {"admin_unit": unit, "indicator": WORLD.indicators[1], "period": month, "value": 7, "source": f"trouble-{year}"}
        for unit in WORLD.communes
        for month in months(year)
    ]


async def kept(tables: asyncpg.Connection) -> dict[str, int]:
    """How many rows every table has, events with and without position together."""
    counts = {name: await tables.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES}
    counts["event_log"] += counts.pop("outbox")
    return counts


def test_sixteen_writers_of_the_same_keys_end_as_if_one_after_the_other(hammered: Verdict) -> None:
    assert hammered.broken == []
    assert max(one.version for one in hammered.kept.versions) >= 5


async def cut(stage: Stage, request: str, headers: dict[str, str], body: bytes, sent: int) -> None:
    """Send so many bytes of a body, and hang up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.indicators.port)
    head = {**stage.headers(), "Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"{request} HTTP/1.1\r\n{lines}\r\n".encode() + body[:sent])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert reader.at_eof() or not await reader.read(1)


def headers_of(key: str, form: str = "json") -> dict[str, str]:
    return {"Content-Type": CONTENT_TYPES[form], "Idempotency-Key": key}


async def post(stage: Stage, body: bytes, key: str, form: str = "json") -> Any:
    async with stage.client() as client:
        return await client.post(ACTUALS, content=body, headers=headers_of(key, form))


@pytest.mark.parametrize(("form", "year"), [("json", 2016), ("csv", 2020)])
async def test_an_upload_cut_in_the_middle_leaves_nothing(
    stage: Stage, tables: asyncpg.Connection, form: str, year: int
) -> None:
    body, before, key = body_of(form, rows(year)), await kept(tables), f"cut {form}"
    for sent in (0, 1, len(body) // 2, len(body) - 1):
        await cut(stage, f"POST {ACTUALS}", headers_of(key, form), body, sent)
    answer = await post(stage, b"[]", f"after the cuts of {form}")
    assert answer.status_code == 200
    assert await kept(tables) == {**before, "idempotency_key": before["idempotency_key"] + 1}
    answer = await post(stage, body, key, form)
    assert (answer.status_code, answer.json()["created"]) == (200, 360)
    assert "Idempotency-Replayed" not in answer.headers


async def opened(client: httpx2.AsyncClient, body: bytes, key: str) -> str:
    """The place of an import of a CSV body."""
    told = {"content_type": CONTENT_TYPES["csv"], "size_bytes": len(body)}
    made = await client.post(IMPORTS, json=told, headers={"Idempotency-Key": key})
    assert made.status_code == 201
    return str(made.headers["Location"])


async def ended(client: httpx2.AsyncClient, place: str) -> dict[str, Any]:
    """The import once it is over."""
    for _ in range(600):
        found = (await client.get(place)).json()
        if found["state"] not in UNDER_WAY:
            break
        await asyncio.sleep(0.05)
    return dict(found)


async def test_a_piece_cut_in_the_middle_is_gone_on_with(stage: Stage, tables: asyncpg.Connection) -> None:
    body, before = body_of("csv", rows(2015)), await kept(tables)
    headers = {"Content-Type": "application/partial-upload", "Upload-Complete": "?1"}
    async with stage.client() as client:
        place = await opened(client, body, "cut piece")
        await cut(stage, f"PATCH {place}", {**headers, "Upload-Offset": "0"}, body, len(body) // 2)
        for _ in range(100):
            held = int((await client.head(place)).headers["Upload-Offset"])
            if held:
                break
            await asyncio.sleep(0.05)
        assert 0 < held <= len(body) // 2
        assert (await client.get(place)).json()["state"] == "receiving"
        noted = {name: before[name] + 1 for name in ("idempotency_key", "audit")}  # that it was opened
        assert await kept(tables) == {**before, **noted}
        sent = await client.patch(place, content=body[held:], headers={**headers, "Upload-Offset": str(held)})
        assert sent.status_code == 204
        done = await ended(client, place)
    assert (done["state"], done["result"]["created"]) == ("done", 360)
    assert (await kept(tables))["actual"] == before["actual"] + 360


async def test_who_hangs_up_before_the_answer_learns_it_from_a_retry(stage: Stage, tables: asyncpg.Connection) -> None:
    body, before = body_of("json", rows(2017)), await kept(tables)
    await cut(stage, f"POST {ACTUALS}", headers_of("hung up"), body, len(body))
    answer = await post(stage, body, "hung up")
    for _ in range(100):
        if answer.status_code != 409:  # the first try is still at it
            break
        await asyncio.sleep(0.05)
        answer = await post(stage, body, "hung up")
    assert (answer.status_code, answer.json()["created"]) == (200, 360)
    after = await kept(tables)
    assert (after["actual"], after["posting"]) == (before["actual"] + 360, before["posting"] + 1)


async def test_a_statement_that_takes_too_long_is_given_up_as_a_whole(stage: Stage, tables: asyncpg.Connection) -> None:
    body, before = body_of("json", rows(2018)), await kept(tables)
    async with tables.transaction():
        await tables.execute("SELECT FROM aggregate_head FOR UPDATE")
        answer = await post(stage, body, "locked")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"] == "1"
    assert await kept(tables) == before
    answer = await post(stage, body, "locked")
    assert (answer.status_code, answer.json()["created"]) == (200, 360)


@pytest.fixture
async def small_disk(tables: asyncpg.Connection) -> AsyncIterator[Path]:
    """The figures on a small disk of their own."""
    with mounted() as folder:
        await tables.execute(f"CREATE TABLESPACE small_disk LOCATION '{folder}'")
        await tables.execute("ALTER TABLE actual SET TABLESPACE small_disk")
        yield folder
        await tables.execute("ALTER TABLE actual SET TABLESPACE pg_default")
        await tables.execute("DROP TABLESPACE small_disk")


@contextlib.contextmanager
def mounted() -> Iterator[Path]:
    """A small file system in memory, of the account that PostgreSQL runs as."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder, nobody = Path(tempfile.mkdtemp(prefix="chitieu-disk-")), pwd.getpwnam("nobody")
    options = f"size={DISK_BYTES},mode=0700,uid={nobody.pw_uid},gid={nobody.pw_gid}"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def fill(disk: Path) -> Path:
    """A file that takes all the room there is left."""
    free = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))
    return disk / "filler"


async def test_a_full_disk_refuses_the_whole_post(stage: Stage, tables: asyncpg.Connection, small_disk: Path) -> None:
    body, before = body_of("json", rows(2019)), await kept(tables)
    filler = fill(small_disk)
    answer = await post(stage, body, "full")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert await kept(tables) == before
    filler.unlink()
    answer = await post(stage, body, "full")
    assert (answer.status_code, answer.json()["created"]) == (200, 360)


async def test_an_import_waits_for_room_on_the_disk(stage: Stage, tables: asyncpg.Connection, small_disk: Path) -> None:
    body, before = body_of("csv", rows(2022)), await kept(tables)
    filler = fill(small_disk)
    async with stage.client() as client:
        place = await opened(client, body, "import without room")
        headers = {"Content-Type": "application/partial-upload", "Upload-Offset": "0", "Upload-Complete": "?1"}
        assert (await client.patch(place, content=body, headers=headers)).status_code == 204
        await asyncio.sleep(1.5)
        assert (await client.get(place)).json()["state"] in ("queued", "running")
        assert (await kept(tables))["actual"] == before["actual"]
        filler.unlink()
        done = await ended(client, place)
    assert (done["state"], done["result"]["created"]) == ("done", 360)
    after = await kept(tables)
    assert (after["actual"], after["posting"]) == (before["actual"] + 360, before["posting"] + 1)
