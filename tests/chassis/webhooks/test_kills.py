"""Senders are killed and stopped at any moment, and the receiver is as bad as receivers are: nothing is lost.

A few kills in an ordinary run; `make faults-webhooks` does as many as one likes (KILLS=200 SEED=1).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import defaultdict

import pytest
from aiohttp import web

from chassis.webhooks.signing import make_secret
from tests.chassis.webhooks.conftest import Desk
from tests.chassis.webhooks.receiver import Heard
from tests.chassis.webhooks.victims import Victims

LEASE_SECONDS = 0.8
SUBJECTS = [f"k{number}" for number in range(40)]


class Journal:
    """What a receiver took in, kept outside of the house, and the moods in which it did."""

    def __init__(self, seed: int, secret: str) -> None:
        self._random = random.Random(seed)
        self._secret = secret
        self.taken: dict[str, list[int]] = defaultdict(list)  # subject → versions, in the order they came
        self.ids: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.refused = 0

    async def answer(self, heard: Heard) -> web.Response:
        mood = self._random.random()
        if mood < 0.08:
            self.refused += 1
            return web.Response(status=500)
        if mood < 0.10:
            await asyncio.sleep(5)  # longer than it is waited for
            return web.Response()
        event = heard.verified(self._secret)
        subject, version = event["subject"], event["data"]["version"]
        self.taken[subject].append(version)
        self.ids[subject, version].add(heard.webhook_id)
        return web.Response(status=500 if mood > 0.95 else 204)

    @property
    def distinct(self) -> int:
        return len(self.ids)

    def check(self, events: int) -> None:
        """What must always hold."""
        assert self.distinct == events
        assert all(len(ids) == 1 for ids in self.ids.values()), "an event keeps its id over all tries"
        for subject, versions in self.taken.items():
            firsts = list(dict.fromkeys(versions))
            assert firsts == sorted(firsts), f"first deliveries of {subject} out of order"


async def disturb(desk: Desk, *, kills: int, seed: int) -> Journal:
    """Write, kill and stop; come to an end when the receiver has everything."""
    secret = make_secret()
    journal = Journal(seed, secret)
    desk.receiver.answer = journal.answer
    await desk.subscribe(secret=secret)
    url = desk.database.url.render_as_string(hide_password=False)
    settings = desk.house.settings.model_copy(
        update={
            "webhook_lease_seconds": LEASE_SECONDS,
            "webhook_timeout_seconds": 0.5,
            "webhook_retry_seconds": "0.05,0.1",
        }
    )
    victims, events = Victims(url, settings, number=2, seed=seed), 0
    try:
        for number in range(kills):
            for _ in range(2):
                await desk.write(*random.Random(events).choices(SUBJECTS, k=40))
                events += 40
            await desk.receiver.until(lambda reached=events * 2 // 3: journal.distinct >= reached, 60)
            if number % 4 == 2:
                with victims.stopped():
                    await desk.receiver.until(lambda wanted=events: journal.distinct >= wanted, 60)
            else:
                victims.kill()
        await desk.receiver.until(lambda: journal.distinct == events, 60)
    finally:
        victims.close()
    journal.check(events)
    return journal


@pytest.mark.long
@pytest.mark.slow
async def test_nothing_is_lost_reordered_or_renamed_when_senders_are_killed(desk: Desk) -> None:
    kills, seed = int(os.environ.get("KILLS", "4")), int(os.environ.get("SEED", "1"))
    journal = await disturb(desk, kills=kills, seed=seed)
    assert journal.refused


@pytest.mark.parametrize(
    ("versions", "ids", "events", "reason"),
    [
        ([1, 3], {"id"}, 3, "2 == 3"),
        ([2, 1, 3], {"id"}, 3, "out of order"),
        ([1, 2, 1, 2], {"one", "other"}, 2, "keeps its id"),
    ],
)
def test_the_journal_sees_what_is_wrong(versions: list[int], ids: set[str], events: int, reason: str) -> None:
    """A checker that can find nothing proves nothing."""
    journal = Journal(1, make_secret())
    journal.taken["a"] = versions
    journal.ids.update({("a", version): ids for version in versions})
    with pytest.raises(AssertionError, match=reason):
        journal.check(events)
