"""The shared log: whoever walks along it, at whatever pace, hears all that is theirs, in order and once."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url

from chassis.auth import Caller
from chassis.errors import Gone
from chassis.event_log.positions import Position
from chassis.feed import Filter, decode_position, encode_position
from chassis.outbox import Event
from chassis.streams import blocks, listening
from chassis.streams.listening import Listener, Shared
from chassis.streams.reading import EVERYBODY, Page, Reader
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.streaming import URL, write

COMMUNES = ["26491", "25378", "14161"]
TOTAL = 300


async def never() -> None:
    """A check that always holds."""


class Counting(Reader):
    """Counts the pages read for one listener alone."""

    own = 0

    async def page(self, caller: Caller, wanted: Filter, after: Position, *, limit: int, wait: float = 0) -> Page:
        self.own += caller is not EVERYBODY
        return await super().page(caller, wanted, after, limit=limit, wait=wait)


@pytest.fixture
def shared(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """Short blocks, few of them kept, and a head that is soon far away."""
    for name, value in {"BLOCK": 16, "PAGE": 7, "KEPT_BYTES": 20_000, "BATCH_SECONDS": 0.001}.items():
        monkeypatch.setattr(blocks, name, value)
    for name, value in {"OWN_CHANGES": 5, "FAR": 20, "SPARSE": 2}.items():
        monkeypatch.setattr(listening, name, value)
    assert desk.house.feed
    return Shared(Counting(desk.house.feed))


async def listener_at(shared: Shared, pos: int, wanted: Filter | None = None) -> Listener:
    caller = Caller("walker", "walker", frozenset(), frozenset({"*"}))
    start = await shared.reader.start(encode_position(f"1.{pos}"))
    return Listener(shared, caller, wanted or Filter(), start, never)


def positions(written: bytes) -> list[int]:
    """Where the changes of a stream stand in the log."""
    return [decode_position(cursor.decode())[1] for cursor in re.findall(rb"^id: (.*)$", written, re.MULTILINE)]


async def all_of(listener: Listener, end: int) -> list[int]:
    """What is heard up to a position."""
    found: list[int] = []
    while listener.at.pos < end:
        found += positions(b"".join(await listener.next()))
    return found


async def walk(shared: Shared, start: int, wanted: Filter, chance: random.Random) -> list[int]:
    """Listen up to the last change, sometimes slowly, sometimes interrupted."""
    listener = await listener_at(shared, start, wanted)
    found: list[int] = []
    with shared.blocks.listening():
        while listener.at.pos < TOTAL:
            try:
                async with asyncio.timeout(chance.choice([0.001, 0.01, 1])):
                    found += positions(b"".join(await listener.next()))
            except TimeoutError:
                continue
            await asyncio.sleep(chance.choice([0, 0, 0, 0.05]))
    return found


async def test_walkers_of_every_pace_hear_all_that_is_theirs(desk: Desk, shared: Shared) -> None:
    chance = random.Random(11)
    written: list[str] = []
    walkers: list[tuple[int, Filter, asyncio.Task[list[int]]]] = []

    def set_out(number: int) -> None:
        start = chance.choice([0, len(written), chance.randint(0, len(written))])
        wanted = Filter(communes=tuple(chance.sample(COMMUNES, 2))) if number % 2 else Filter()
        task = asyncio.create_task(walk(shared, start, wanted, random.Random(number)))
        walkers.append((start, wanted, task))

    async with asyncio.timeout(60):
        while len(written) < TOTAL:
            lot = [chance.choice(COMMUNES) for _ in range(min(chance.randint(1, 12), TOTAL - len(written)))]
            await write(desk, *(Event(NOTE_TYPE, commune, {}, "75", commune) for commune in lot))
            await desk.sequence()
            written += lot
            if len(walkers) < 15:
                set_out(len(walkers))
        for start, wanted, task in walkers:
            heard = wanted.communes or COMMUNES
            assert await task == [n for n, commune in enumerate(written, 1) if n > start and commune in heard]
    assert shared.reader.own  # type: ignore[attr-defined]  # some began far behind, and heard little


async def test_nothing_is_read_while_nobody_listens(desk: Desk, shared: Shared) -> None:
    listener = await listener_at(shared, 0)
    with shared.blocks.listening():
        waiting = asyncio.create_task(listener.next())
        await write(desk, Event(NOTE_TYPE, "a", {}))
        await desk.sequence()
        assert positions(b"".join(await asyncio.wait_for(waiting, 5))) == [1]
    statements: list[str] = []
    stop = desk.database.listen(statements)
    await asyncio.sleep(0.6)  # twice as long as a waiting feed looks again
    stop()
    assert statements == []


async def test_a_crowd_shares_what_it_missed(desk: Desk, shared: Shared) -> None:
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(80)))
    await desk.sequence()
    listeners = [await listener_at(shared, pos) for pos in range(40)]
    statements: list[str] = []
    stop = desk.database.listen(statements)
    with shared.blocks.listening():
        heard = await asyncio.gather(*(all_of(listener, 80) for listener in listeners))
    stop()
    assert heard == [list(range(pos + 1, 81)) for pos in range(40)]
    # Alone they would read some 300 times; how many share one reading depends on who comes first.
    assert 15 <= len([each for each in statements if "ORDER BY pos" in each]) < len(listeners)


async def test_listeners_far_apart_go_on_however_little_is_kept(
    desk: Desk, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stands in the middle of a block of its own, and whatever one of them reads leaves no room for the others."""
    monkeypatch.setattr(blocks, "KEPT_BYTES", 1)
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(80)))
    await desk.sequence()
    starts = [14, 30, 46, 62]
    listeners = [await listener_at(shared, pos) for pos in starts]
    statements: list[str] = []
    stop = desk.database.listen(statements)
    with shared.blocks.listening():
        heard = await asyncio.gather(*(all_of(listener, 80) for listener in listeners))
    stop()
    assert heard == [list(range(pos + 1, 81)) for pos in starts]
    # A block is three pages, and who finds it gone after each reads six: alone each would read 5, 4, 3 and 2 blocks so.
    assert len([each for each in statements if "ORDER BY pos" in each]) <= 6 * (5 + 4 + 3 + 2)


async def test_who_hears_little_is_served_by_the_database_until_it_is_near(desk: Desk, shared: Shared) -> None:
    rare = {3, 50, 99, 100}
    await write(desk, *(Event(NOTE_TYPE, "a", {}, "75", "26491" if n in rare else "25378") for n in range(1, 101)))
    await desk.sequence()
    with shared.blocks.listening():
        assert await all_of(await listener_at(shared, 0, Filter(communes=("26491",))), 100) == sorted(rare)
        assert shared.reader.own == 1  # type: ignore[attr-defined]
        heard = await all_of(await listener_at(shared, 0, Filter(communes=("25378",))), 100)
        assert heard == [n for n in range(1, 101) if n not in rare]
        assert shared.reader.own == 2  # type: ignore[attr-defined]  # it hears much, and goes with the others


@pytest.fixture
async def owner(desk: Desk, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Who may take events out of the log, as keeping it does."""
    place = make_url(admin_url).set(database=desk.database.url.database)
    connection = await asyncpg.connect(place.render_as_string(hide_password=False))
    yield connection
    await connection.close()


async def test_the_beginning_of_the_log_may_leave_while_listeners_walk(
    desk: Desk, shared: Shared, owner: asyncpg.Connection
) -> None:
    """Positions 17 to 32 are one block: a listener in its middle goes on although its first events are gone."""
    await write(desk, *(Event(NOTE_TYPE, "a", {}) for _ in range(60)))
    await desk.sequence()
    late, in_time = await listener_at(shared, 5), await listener_at(shared, 25)
    await owner.execute("DELETE FROM plans.event_log WHERE pos <= 20")
    with shared.blocks.listening():
        assert await all_of(in_time, 60) == list(range(26, 61))
        with pytest.raises(Gone) as gone:
            await all_of(late, 60)
    assert gone.value.rule.code == "cursor_expired"
    assert (await desk.client.get(URL, params={"after": encode_position("1.5")})).json()["code"] == "cursor_expired"
    assert (await listener_at(shared, 20)).bookmark()
