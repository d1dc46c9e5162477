"""The shared tail: whoever walks along it, at whatever pace, hears all that is theirs, in order and once."""

from __future__ import annotations

import asyncio
import random
import re

import pytest

from chassis.auth import Caller
from chassis.feed import Filter, decode_position
from chassis.outbox import Event
from chassis.streams import listening, tail
from chassis.streams.listening import Listener, Shared
from chassis.streams.reading import EVERYBODY, Page, Position, Reader
from tests.chassis.conftest import NOTE_TYPE, Desk
from tests.chassis.streaming import write

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
    """Windows of few changes, few of them kept: slow listeners fall off again and again."""
    for name, value in {"KEPT_WINDOWS": 3, "SHARED_WINDOWS": 1, "MOST_CHANGES": 7, "FEWEST_CHANGES": 3}.items():
        monkeypatch.setattr(tail, name, value)
    monkeypatch.setattr(tail, "BATCH_SECONDS", 0.001)
    monkeypatch.setattr(listening, "OWN_CHANGES", 5)
    assert desk.house.feed
    return Shared(Counting(desk.house.feed, None))


def positions(written: bytes) -> list[int]:
    """Where the changes of a stream stand in the log."""
    return [decode_position(cursor.decode())[1] for cursor in re.findall(rb"^id: (.*)$", written, re.MULTILINE)]


async def walk(shared: Shared, start: int, wanted: Filter, chance: random.Random) -> list[int]:
    """Listen up to the last change, sometimes slowly, sometimes interrupted."""
    caller = Caller("walker", "walker", frozenset(), frozenset({"*"}))
    listener = Listener(shared, caller, wanted, Position(1, start), never)
    found: list[int] = []
    with shared.tail.listening():
        while listener._at.pos < TOTAL:
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
    assert shared.reader.own > len(walkers)  # type: ignore[attr-defined]  # some fell off after they had met the tail


async def test_nothing_is_read_while_nobody_listens(desk: Desk, shared: Shared) -> None:
    await asyncio.wait_for(walk(shared, TOTAL, Filter(), random.Random(1)), 5)
    listener = Listener(shared, EVERYBODY, Filter(), Position(1, 0), never)
    with shared.tail.listening():
        assert await listener.next() == []
        waiting = asyncio.create_task(listener.next())
        await write(desk, Event(NOTE_TYPE, "a", {}))
        await desk.sequence()
        assert await asyncio.wait_for(waiting, 5) == ()
        assert positions(b"".join(await listener.next())) == [1]
    statements: list[str] = []
    stop = desk.database.listen(statements)
    await asyncio.sleep(0.6)  # twice as long as a waiting feed looks again
    stop()
    assert statements == []


async def test_a_page_of_long_changes_makes_the_next_one_short(desk: Desk, shared: Shared) -> None:
    listener = Listener(shared, EVERYBODY, Filter(), Position(1, 0), never)
    with shared.tail.listening():
        await listener.next()
        await write(desk, *(Event(NOTE_TYPE, "a", {"text": "x" * 400_000}) for _ in range(12)))
        await desk.sequence()
        sizes = []
        while sum(sizes) < 12:
            sizes.append(len(positions(b"".join(await listener.next()))))
    assert [size for size in sizes if size] == [7, 3, 2]
