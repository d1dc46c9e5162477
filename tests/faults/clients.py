"""Clients that post until they are answered, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from random import Random
from typing import Any

import httpx2

from benchmarks.forms import CONTENT_TYPES, body_of
from benchmarks.stage import Stage
from benchmarks.world import World, is_ratio, months
from tests.faults.importing import Sender
from tests.faults.journal import FINAL, Journal, Posting, Reply, Row

ACTUALS = "/v1/indicators/actuals"
YEARS = (2021, 2022, 2023, 2024, 2025)
SHARED_INDICATORS = 4
GIVES_UP = 0.01
ASKS_AGAIN = 0.1
WITHOUT_KEY = 0.1
ATTEMPT_SECONDS = 30.0


@dataclass(slots=True)
class Load:
    """What the clients of one run share: where to, what about, how much, and when to stop."""

    stage: Stage
    world: World
    journal: Journal
    seed: int
    most_rows: int
    forms: Sequence[str] = ("json",)
    shared: float = 0.6
    imports: float = 0.0
    numbers: count[int] = field(default_factory=lambda: count(1))
    is_over: bool = False

    @property
    def counted(self) -> list[str]:
        """The indicators that are posted as one number."""
        return [code for code in self.world.indicators if not is_ratio(code)]


class Client:
    """One client: rows of its own indicator, and rows that all the others write, too."""

    def __init__(self, load: Load, number: int) -> None:
        self._load = load
        self.name = f"c{number:02d}"
        self._number = number
        self._random = Random(f"{load.seed}-{number}")
        self._http = self._connect()

    def _connect(self) -> httpx2.AsyncClient:
        return self._load.stage.client(**self._load.stage.headers(client_id=self.name))

    async def run(self) -> None:
        """Post one request after the other until the run is over; the one under way is seen through."""
        async with self._http:
            while not self._load.is_over:
                posting = self._posting()
                self._load.journal.send(posting)
                is_answered = await self.deliver(posting, 0 if posting.is_import else GIVES_UP)
                if is_answered and posting.has_key and self._random.random() < ASKS_AGAIN:
                    await self.deliver(posting, 0)

    async def ask_again(self, postings: Sequence[Posting]) -> None:
        """Send answered postings once more."""
        async with self._connect() as self._http:
            for posting in postings:
                posting.place = None
                await self.deliver(posting, 0)

    async def deliver(self, posting: Posting, gives_up: float) -> bool:
        """Send a posting until it is answered, or (with that probability after a failure) never mind."""
        while True:
            reply = await self._attempt(posting)
            if reply is not None:
                posting.replies.append(reply)
                return True
            if self._random.random() < gives_up:
                return False
            await asyncio.sleep(self._random.uniform(0.02, 0.2))

    async def _attempt(self, posting: Posting) -> Reply | None:
        """One try: what it came to, or None where it has to be made again."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                if posting.is_import:
                    return await Sender(self._http, self._load.journal, posting).attempt()
                return await self._post(posting)
        except (httpx2.TransportError, TimeoutError) as error:
            self._load.journal.count(type(error).__name__)
            return None

    async def _post(self, posting: Posting) -> Reply | None:
        headers = {"Content-Type": CONTENT_TYPES[posting.form]}
        if posting.has_key:
            headers["Idempotency-Key"] = posting.source
        params = {"mode": posting.mode, "on_stale": "skip", "dry_run": str(posting.is_dry_run).lower()}
        answer = await self._http.post(ACTUALS, content=posting.body, params=params, headers=headers)
        self._load.journal.count(str(answer.status_code))
        if answer.status_code >= 500 and answer.status_code != 503:
            self._load.journal.broken.append(f"{posting.source} was answered {answer.status_code}: {answer.text[:600]}")
        if answer.status_code not in FINAL:
            return None
        is_replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return Reply(answer.status_code, json.loads(answer.content), answer.content, is_replayed, time.monotonic())

    def _posting(self) -> Posting:
        random = self._random
        posting = Posting(
            next(self._load.numbers),
            self.name,
            self._rows(),
            form=random.choice(self._load.forms),
            mode=random.choices(["atomic", "partial"], [3, 1])[0],
            is_dry_run=random.random() < 0.03,
            has_key=random.random() > WITHOUT_KEY,
        )
        if random.random() < 0.05:
            posting.rows = [*posting.rows, posting.rows[0]]
        if random.random() < 0.15:
            bad = Row(posting.rows[0].admin_unit, "NO_SUCH_INDICATOR", "2025", 1, is_bad=True)
            posting.rows = [*posting.rows, bad]
        if random.random() < self._load.imports:
            posting.is_import = posting.has_key = True
        # Encoded once: a workbook holds the moment it was written, and a retry must be the same to the byte.
        posting.body = body_of(posting.form, [wire(row, posting.source) for row in posting.rows])
        return posting

    def _rows(self) -> list[Row]:
        """Rows of many keys of its own, or of few keys that everybody writes."""
        random, codes = self._random, self._load.counted
        most = self._load.most_rows if random.random() < 0.2 else max(1, self._load.most_rows // 20)
        periods = [code for year in YEARS for code in months(year)]
        communes = self._load.world.communes
        own = SHARED_INDICATORS + self._number % (len(codes) - SHARED_INDICATORS)
        indicators = [codes[own]]
        if random.random() < self._load.shared:
            communes, indicators, periods = communes[:8], codes[:SHARED_INDICATORS], periods[:3]
        keys = [(unit, code, period) for unit in communes for code in indicators for period in periods]
        chosen = random.sample(keys, random.randint(1, min(most, len(keys))))
        return [Row(*key, value=random.randrange(10**9), measured_on=self._day()) for key in chosen]

    def _day(self) -> date | None:
        is_stated = self._random.random() < 0.3
        return date(2026, self._random.randint(1, 10), self._random.randint(1, 28)) if is_stated else None


def wire(row: Row, source: str) -> Mapping[str, Any]:
    """A row as it is sent."""
    return {
        "admin_unit": row.admin_unit,
        "indicator": row.indicator,
        "period": row.period,
        "value": row.value,
        "measured_on": row.measured_on.isoformat() if row.measured_on else None,
        "source": source,
    }
