"""Old events leave the log for archives: all of them, once, whoever dies in the middle and whoever reads meanwhile."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from sqlalchemy import make_url

from chassis import retention
from chassis.event_log import Envelope
from chassis.feed import encode_position
from chassis.outbox import Event
from chassis.retention import Sweeper
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.test_feed import URL, write

ARCHIVES = f"{URL}/archives"
Row = dict[str, Any]


@pytest.fixture
async def owner(desk: Desk, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Who may change the past, for tests that need one."""
    place = make_url(admin_url).set(database=desk.database.url.database)
    connection = await asyncpg.connect(place.render_as_string(hide_password=False))
    await connection.execute("SET ROLE plans_owner; SET search_path = plans")
    yield connection
    await connection.close()


@pytest.fixture
def sweeper(desk: Desk, tmp_path: Path) -> Sweeper:
    desk.house.settings = desk.house.settings.model_copy(update={"archive_dir": tmp_path / "archives"})
    return retention.sweeper(desk.database, desk.house.settings)


async def fill(desk: Desk, count: int, **place: Any) -> None:
    await write(desk, *(Event(NOTE_TYPE, str(n), {"n": n}, **place) for n in range(count)))
    await desk.sequence()


async def grow_old(owner: asyncpg.Connection, upto: int, days: int = 92) -> None:
    age = "UPDATE event_log SET logged_at = logged_at - make_interval(days => $2) WHERE pos <= $1"
    await owner.execute(age, upto, days)


async def positions(owner: asyncpg.Connection) -> list[int]:
    return [row[0] for row in await owner.fetch("SELECT pos FROM event_log ORDER BY pos")]


async def archives(desk: Desk, headers: dict[str, str] | None = None) -> list[Row]:
    items: list[Row] = (await desk.client.get(ARCHIVES, headers=headers or desk.whole.admin)).json()["items"]
    return items


async def fetched(desk: Desk, name: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    return await desk.client.get(f"{ARCHIVES}/{name}", headers=headers or desk.whole.admin)


def told(content: bytes) -> list[Row]:
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


async def feed(desk: Desk, **params: Any) -> Row:
    page: Row = (await desk.client.get(URL, params=params, headers=desk.whole.admin)).json()
    return page


async def test_what_is_older_than_its_days_is_archived_as_the_feed_told_it(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper
) -> None:
    await fill(desk, 5)
    before = (await feed(desk))["items"]
    await grow_old(owner, 3)
    assert await sweeper.sweep()
    assert await positions(owner) == [4, 5]
    (entry,) = await archives(desk)
    assert entry | {"archived_at": None, "bytes": None, "sha256": None} == {
        "name": "plans-1-00000000000000000001-00000000000000000003-public.ndjson.gz",
        "audience": "public",
        "first_sequence": "00000000000000000001",
        "last_sequence": "00000000000000000003",
        "events": 3,
        "next": encode_position("1.3"),
        "archived_at": None,
        "bytes": None,
        "sha256": None,
    }
    answer = await fetched(desk, entry["name"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/gzip")
    assert told(answer.content) == before[:3]
    digest = hashlib.sha256(answer.content)
    assert (entry["bytes"], entry["sha256"]) == (len(answer.content), digest.hexdigest())
    assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    part = await fetched(desk, entry["name"], {**desk.whole.admin, "Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, answer.content[:10])
    assert (await feed(desk, after=entry["next"]))["items"] == before[3:]


async def test_young_events_stay(desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper) -> None:
    await fill(desk, 3)
    await grow_old(owner, 3, days=89)
    assert await sweeper.sweep()
    assert await positions(owner) == [1, 2, 3]
    assert await archives(desk) == []


async def test_an_expired_cursor_says_where_to_go_on(desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper) -> None:
    await fill(desk, 5)
    desk.house.feed.lists = ("/v1/plans/notes",)  # type: ignore[union-attr]
    await grow_old(owner, 3)
    await sweeper.sweep()
    for position in (0, 2):
        answer = await desk.client.get(URL, params={"after": encode_position(f"1.{position}")})
        assert answer.status_code == 410
        assert {name: answer.json()[name] for name in ("code", "oldest", "archives", "lists")} == {
            "code": "cursor_expired",
            "oldest": encode_position("1.3"),
            "archives": "/v1/plans/changes/archives",
            "lists": ["/v1/plans/notes"],
        }
    assert [event["sequence"][-1] for event in (await feed(desk, after=encode_position("1.3")))["items"]] == ["4", "5"]
    assert [event["sequence"][-1] for event in (await feed(desk))["items"]] == ["4", "5"]  # the oldest ones kept


async def test_a_log_that_is_empty_can_still_be_followed(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper
) -> None:
    await fill(desk, 2)
    await grow_old(owner, 2)
    await sweeper.sweep()
    assert await positions(owner) == []
    assert (await feed(desk))["next"] == encode_position("1.2")
    await fill(desk, 1)
    assert [event["sequence"][-1] for event in (await feed(desk, after=encode_position("1.2")))["items"]] == ["3"]
    assert await sweeper.sweep()
    assert [entry["last_sequence"][-1] for entry in await archives(desk)] == ["2"]


async def test_archives_are_for_those_who_heard_their_events(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper
) -> None:
    await write(
        desk,
        Event(NOTE_TYPE, "a", {}, province="75", commune="26491", is_public=False),
        Event(NOTE_TYPE, "b", {}, province="37", commune="14161", is_public=False),
        Event(NOTE_TYPE, "c", {}, is_public=False),
        Event(NOTE_TYPE, "d", {}, province="75", commune="25378"),
    )
    await desk.sequence()
    await grow_old(owner, 4)
    await sweeper.sweep()
    everything = {entry["audience"]: entry["name"] for entry in await archives(desk)}

    async def readable(headers: dict[str, str]) -> dict[str, list[str]]:
        statuses = {name: await fetched(desk, name, headers) for name in everything.values()}
        assert {answer.status_code for answer in statuses.values()} <= {200, 404}
        files = {name: told(answer.content) for name, answer in statuses.items() if answer.status_code == 200}
        listed = (await desk.client.get(ARCHIVES, headers=headers)).json()["items"]
        assert {entry["name"] for entry in listed} == set(files)
        return {entry["audience"]: [event["subject"] for event in files[entry["name"]]] for entry in listed}

    def of(*units: str) -> dict[str, str]:
        return desk.whole.headers("changes:read", units)

    whole = {"75": ["a"], "37": ["b"], "everywhere": ["c"], "public": ["d"]}
    assert await readable(of("*")) == whole
    assert await readable(of("75")) == {"75": ["a"], "public": ["d"]}
    assert await readable(of("26491")) == {"public": ["d"]}
    assert await readable(of("everywhere")) == {"public": ["d"]}
    assert await readable({"Authorization": ""}) == {"public": ["d"]}
    assert (await fetched(desk, everything["75"], desk.whole.headers("plans:read"))).status_code == 403
    unknown = await fetched(desk, "plans-1-x-public.ndjson.gz")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "archive_unknown")


async def test_public_files_follow_each_other_without_a_gap(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper
) -> None:
    await fill(desk, 2, province="75", commune="26491", is_public=False)
    await grow_old(owner, 2)
    await sweeper.sweep()
    await fill(desk, 2)
    await grow_old(owner, 4)
    await sweeper.sweep()
    public = [entry for entry in await archives(desk) if entry["audience"] == "public"]
    assert [(int(e["first_sequence"]), int(e["last_sequence"]), e["events"]) for e in public] == [(1, 2, 0), (3, 4, 2)]


async def test_nothing_leaves_that_is_not_archived(desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper) -> None:
    await fill(desk, 4)
    await grow_old(owner, 2)
    await sweeper.sweep()
    service = await desk.database.connect_aside()
    for statement in ("SELECT drop_archived_events(4, 10)", "SELECT drop_archived_events(3, 10)"):
        with pytest.raises(asyncpg.RestrictViolationError, match="events 3 to"):
            await service.fetchval(statement)
    for statement in ("DELETE FROM event_log", "UPDATE event_log SET version = 9", "DELETE FROM event_archive"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(statement)
    assert await positions(owner) == [3, 4]


async def test_a_broken_archive_keeps_its_events_in_the_log(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(desk, 2)
    await grow_old(owner, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Sweeper, "_drop_archived", lambda *_: asyncio.sleep(0))  # killed before anything was dropped
        await sweeper.sweep()
    (entry,) = await archives(desk)
    path = desk.house.settings.archives / entry["name"]
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    await sweeper.sweep()
    assert await positions(owner) == [1, 2]
    path.write_bytes(sound)
    await sweeper.sweep()
    assert await positions(owner) == []


@pytest.mark.parametrize("moment", ["writing", "registering"])
async def test_a_sweep_that_was_cut_off_is_done_again(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await fill(desk, 3)
    await grow_old(owner, 3)
    breaks = {
        "writing": ("chassis.retention.files._Part.finish", OSError("No space left on device")),
        "registering": ("chassis.retention.sweep._REGISTER", "SELECT 1 / 0, $1, $2, $3, $4, $5, $6, $7, $8"),
    }
    place, fault = breaks[moment]

    def fail(*_: object) -> None:
        raise fault  # type: ignore[misc]

    with monkeypatch.context() as patch:
        patch.setattr(place, fail if isinstance(fault, Exception) else fault)
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await sweeper.sweep()
    folder = desk.house.settings.archives
    assert await positions(owner) == [1, 2, 3]
    assert await archives(desk) == []
    (folder / ".plans-1-old-public.ndjson.gz.part").touch()  # of a process that was killed
    assert await sweeper.sweep()
    (entry,) = await archives(desk)
    assert [path.name for path in folder.iterdir()] == [entry["name"]]
    assert await positions(owner) == []


async def test_several_may_sweep_at_once(desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper) -> None:
    await fill(desk, 300)
    await grow_old(owner, 300)
    other = Sweeper(desk.database, Envelope("plans", None), desk.house.settings.archives, 90)
    results = await asyncio.gather(*(one.sweep() for one in (sweeper, other, sweeper, other)))
    assert True in results
    assert await positions(owner) == []
    assert [entry["events"] for entry in await archives(desk)] == [300]


async def test_a_whole_partition_leaves_at_once_and_its_readers_never_see_a_gap(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper
) -> None:
    """Positions on both sides of a partition's end; a reader that holds the partition is waited for."""
    await owner.execute("UPDATE feed_head SET pos = 999990")
    await fill(desk, 30)
    assert await positions(owner) == list(range(999_991, 1_000_021))
    await grow_old(owner, 1_000_005)
    reader = await desk.database.connect_aside()
    holding = reader.transaction(isolation="repeatable_read")
    await holding.start()
    assert await reader.fetchval("SELECT count(*) FROM event_log") == 30
    sweeping = asyncio.create_task(sweeper.sweep())
    while not await archives(desk):  # noqa: ASYNC110 - the sweep tells nobody
        await asyncio.sleep(0.01)
    assert (await feed(desk, after=encode_position("1.999990"), limit=1))["items"][0]["data"]["n"] == 0
    assert await reader.fetchval("SELECT count(*) FROM event_log") == 30
    await holding.rollback()
    assert await sweeping
    assert await positions(owner) == list(range(1_000_006, 1_000_021))
    assert await owner.fetchval("SELECT to_regclass('event_log_p0')") is None
    gone = await desk.client.get(URL, params={"after": encode_position("1.999990")})
    assert (gone.status_code, gone.json()["code"]) == (410, "cursor_expired")


async def test_who_reads_while_events_leave_gets_the_page_or_410(
    desk: Desk, owner: asyncpg.Connection, sweeper: Sweeper
) -> None:
    await fill(desk, 600)
    await grow_old(owner, 500)

    async def read(after: int) -> Sequence[int] | str:
        answer = await desk.client.get(URL, params={"after": encode_position(f"1.{after}"), "limit": 120})
        body = answer.json()
        return body["code"] if answer.status_code == 410 else [int(event["sequence"]) for event in body["items"]]

    sweeping = asyncio.create_task(sweeper.sweep())
    seen: set[bool] = set()
    while not sweeping.done() or len(seen) < 2:
        for after in (0, 300, 499):
            found = await read(after)
            assert found in ("cursor_expired", list(range(after + 1, min(after + 121, 601))))
            seen.add(found == "cursor_expired")
    assert await sweeping
    assert await read(500) == list(range(501, 601))
