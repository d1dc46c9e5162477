"""List, then follow: a mirror of a whole province, begun in the middle of writing, ends equal to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from tests.budget.given import body, line
from tests.house import House, open_house
from tests.mirror import Mirror
from tests.plans.factories import make_plan

PROVINCE, UNITS = "75", ("25378", "26491")
INDICATOR = "PUBLIC_WIFI_POINTS"
ROUNDS, BEGUN = 12, 4


@pytest.fixture
async def house(admin_url: str, signing_key: OKPKey, reference_template: str) -> AsyncIterator[House]:
    opening = open_house(admin_url, signing_key, template=reference_template, follower_wait_seconds=1)
    async with opening as opened, opened.composition.running():
        yield opened
        opened.composition.stop_waiting()


class Writer:
    """Writes plans, targets, budgets and figures of one unit, some of them again and again."""

    def __init__(self, house: House, unit: str, seed: int) -> None:
        self._house = house
        self._unit = unit
        self._random = Random(seed)
        self._key = f"{unit}-2027-digital-transformation"
        self._acts = 0
        self.has_begun = asyncio.Event()

    async def write(self) -> None:
        """Everything once, then edits in any order."""
        await self._plan()
        for _ in range(ROUNDS):
            await self._random.choice((self._plan, self._targets, self._lines, self._figures, self._withdrawal))()

    async def _plan(self) -> None:
        title = f"Kế hoạch số {self._random.randrange(1000)}"
        answer = await self._put(f"/v1/plans/{self._key}", make_plan(title_vi=title))
        self._headers = {**self._house.admin, "X-Min-Version": answer["write_token"] or self._headers["X-Min-Version"]}

    async def _targets(self) -> None:
        targets = [
            {
                "key": str(number),
                "indicator": INDICATOR,
                "sub_population": f"nhóm {number}",
                "pillar": "digital_infrastructure",
                "name_vi": "Chỉ tiêu",
                "value_type": "count",
                "measure_unit": "điểm wifi",
                "comparator": "gte",
                "value": self._random.randrange(100),
                "raw_target": "theo kế hoạch",
            }
            for number in range(self._random.randrange(1, 5))
        ]
        await self._put(f"/v1/indicators/targets/{self._key}?prune=true", {"targets": targets})

    async def _lines(self) -> None:
        lines = [
            line(f"L{number}", amount_vnd=self._random.randrange(1, 50) * 1_000_000, lead_offices=[])
            for number in range(self._random.randrange(1, 5))
        ]
        await self._put(f"/v1/budget/lines/{self._key}?prune=true", body(*lines))

    async def _figures(self) -> None:
        await self._post({**self._month(), "value": self._random.randrange(100)})

    async def _withdrawal(self) -> None:
        month = self._month()
        await self._post({**month, "value": self._random.randrange(100)})
        await self._post({**month, "action": "withdraw", "reason": "nhập nhầm"})

    def _month(self) -> dict[str, str]:
        return {"period": f"2026-{self._random.randrange(1, 4):02d}"}

    async def _post(self, content: dict[str, Any]) -> None:
        row = {"admin_unit": self._unit, "indicator": INDICATOR, **content}
        answer = await self._house.client.post("/v1/indicators/actuals", json=[row], headers=self._house.admin)
        assert answer.status_code == 200, answer.text
        self._note()

    async def _put(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        headers = getattr(self, "_headers", self._house.admin)
        answer = await self._house.client.put(path, json=content, headers=headers)
        assert answer.status_code == 200, answer.text
        self._note()
        found: dict[str, Any] = answer.json()
        return found

    def _note(self) -> None:
        self._acts += 1
        if self._acts == BEGUN:
            self.has_begun.set()


async def test_a_mirror_begun_while_others_write_ends_equal(house: House) -> None:
    ioc = house.headers("plans:read indicators:read budget:read changes:read", [PROVINCE])
    writers = [Writer(house, unit, seed) for seed, unit in enumerate(UNITS)]
    mirror, over = Mirror(house.client, ioc, PROVINCE), asyncio.Event()

    async def write() -> None:
        try:
            await asyncio.gather(*(writer.write() for writer in writers))
            await house.sequence()
        finally:
            over.set()

    writing = asyncio.create_task(write())
    begun = asyncio.gather(*(writer.has_begun.wait() for writer in writers))
    await asyncio.wait([begun, writing], return_when=asyncio.FIRST_COMPLETED)
    await mirror.list_all()
    assert not writing.done()
    before = {service: dict(copy.rows) for service, copy in mirror.copies.items()}
    async with asyncio.timeout(60):
        await mirror.follow(over)
        await writing
    truth = Mirror(house.client, ioc, PROVINCE)
    await truth.list_all()
    for service, copy in truth.copies.items():
        assert mirror.copies[service].rows == copy.rows
        assert copy.rows != before[service] or service == "plans"
