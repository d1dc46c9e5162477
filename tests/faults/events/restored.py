"""A dump is restored into a fresh server: what came after it is lost, and nobody may take the new log for the old."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import make_url

from chassis.postgres import EmbeddedPostgres
from chassis.postgres.binaries import find_binaries
from chassis.postgres.folder import Account
from chassis.settings import Settings
from chitieu.places import ensure_database
from tests.faults.events.arena import SERVER, SERVICE, Arena
from tests.faults.events.cuts import go_by, through
from tests.faults.events.cutter import Cutter, cutting
from tests.faults.events.journal import Told
from tests.faults.events.readers import Follower, look
from tests.faults.events.work import Work


async def restored(work: Work, times: int) -> str:
    """So often: dump while sixteen write, let them write on, lose the server, restore, and go on."""
    said = []
    for number in range(times):
        async with cutting(work.arena.socket_folder, work.seed) as cutter:
            go_by(work.arena, through(work.arena.login_url, cutter))
            said.append(await _restored(work, cutter, number))
            go_by(work.arena, "")
    return f"restored into a fresh server: {'; '.join(said)}"


async def _restored(work: Work, cutter: Cutter, number: int) -> str:
    arena, dump = work.arena, work.arena.folder / f"dump-{number}"
    async with work.going_on():
        await work.progress(10)
        started = time.monotonic()
        await asyncio.to_thread(_dump, arena.admin_url, dump)
        await work.progress(10)
    before = await look(arena)
    cursors = [reader.cursor for reader in work.readers if isinstance(reader, Follower) and reader.cursor]
    async with _moved(arena, number):
        await asyncio.to_thread(_restore, arena.server.admin_url, arena.admin_url, dump)
        await _passed(work)
        cutter.target = arena.socket_folder  # the sequencers live on, and find another server
    await _refuses(work, cursors)
    forgotten = _forget(work, started)
    epoch = (await look(arena)).epoch
    if epoch != before.epoch + 1:
        work.journal.broken.append(f"the restored log is of epoch {epoch}")
    for reader in (*work.readers, work.naive):
        reader.begin_anew(epoch)
    async with work.going_on():
        await work.progress(100)  # of ten the naive reader may lose none, and then nothing is proved
    after = await look(arena)
    same = next((n for n, (one, other) in enumerate(zip(before.events, after.events, strict=False)) if one != other), 0)
    return f"{before.head} positions, of which {same or 'all'} stayed; {forgotten} writes forgotten"


@contextlib.asynccontextmanager
async def _moved(arena: Arena, number: int) -> AsyncIterator[None]:
    """Lose the server, start an empty one, and serve from it what the block has put into it."""
    for process in arena.processes:
        process.stop()
    arena.server.discard()
    arena.server = EmbeddedPostgres(arena.folder / f"restored-{number}", settings=SERVER)
    await asyncio.to_thread(arena.server.start)
    await ensure_database(arena.server)
    arena.settings = Settings(**{**arena.settings.model_dump(), "database_url": arena.admin_url})
    yield
    for process in arena.processes:
        process.settings = arena.environment(arena.admin_url)
    await asyncio.gather(*(asyncio.to_thread(process.start) for process in arena.processes))


def _dump(url: str, place: Path) -> None:
    """Roles and data, as an operator's backup has them; the superuser is every server's own."""
    roles = _run("pg_dumpall", "--roles-only", f"--dbname={_plain(url)}").splitlines()
    ours = [line for line in roles if not line.startswith(("CREATE ROLE postgres", "ALTER ROLE postgres"))]
    place.with_suffix(".sql").write_text("\n".join(ours), encoding="utf-8")
    _run("pg_dump", "--format=custom", f"--dbname={_plain(url)}", f"--file={place}")


def _restore(server: str, database: str, place: Path) -> None:
    _run("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={place}.sql", _plain(server))
    _run("pg_restore", "--exit-on-error", f"--dbname={_plain(database)}", str(place))


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _run(program: str, *arguments: str) -> str:
    """What one of PostgreSQL's own programs has to say."""
    command = [find_binaries(Account.ours()) / program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, f"{program}: {done.stderr}"
    return done.stdout


async def _refuses(work: Work, cursors: list[str]) -> None:
    """Cursors and write tokens of the old log end, wherever they stood."""
    async with work.arena.client() as client:
        for url in work.arena.urls:
            for cursor in cursors:
                answer = await client.get(f"{url}/v1/{SERVICE}/changes", params={"after": cursor})
                if (answer.status_code, answer.json().get("code")) != (410, "feed_rewound"):
                    work.journal.broken.append(f"a cursor of the lost log was answered {answer.status_code}")
            answer = await client.get(
                f"{url}/v1/{SERVICE}/admin-units", headers={"X-Min-Version": work.load.write_token}
            )
            if (answer.status_code, answer.json().get("code")) != (410, "write_lost"):
                work.journal.broken.append(f"the token of a lost write was answered {answer.status_code}")


def _forget(work: Work, dumped_at: float) -> int:
    """What was told after the dump had begun may be lost."""
    late = [write for write in work.journal.done if write.told_at > dumped_at]
    for write in late:
        write.told, write.told_at = Told.NOTHING, float("inf")
    return len(late)


async def _passed(work: Work) -> None:
    """Webhooks go on where the dump says they were."""
    connection = await work.arena.connect()
    rows = await connection.fetch("SELECT webhook_id::text AS id, pos FROM webhook_course WHERE number = 0")
    await connection.close()
    since = {row["id"]: row["pos"] for row in rows}
    for one in work.receivers.all:
        one.hook.since = since[one.webhook]
    work.journal.delivered.clear()
