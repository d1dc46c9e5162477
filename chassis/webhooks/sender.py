"""The job that delivers: takes leases, reads ahead, sends, and writes down what became of it.

Any number of processes may run it; a webhook is in the hands of one of them at a time. Killed at any moment it has lost
nothing: what was not written down is sent again, with the same id. Three loops share one thread: `look` takes and gives
leases, `plan` reads and sends, `record` writes; each webhook has its own limits, so a slow one makes none other slow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from standardwebhooks import Webhook

from chassis.bell import Bell, heard
from chassis.beside import beside
from chassis.errors import HouseError
from chassis.house import House
from chassis.webhooks import bell_of, figures
from chassis.webhooks.course import Item
from chassis.webhooks.guard import Guard
from chassis.webhooks.letters import Letter, Office
from chassis.webhooks.line import Line
from chassis.webhooks.running import Asked, Errand, Run
from chassis.webhooks.sending import Outcome, Postman, Result
from chassis.webhooks.signing import SealBroken, Sealer
from chassis.webhooks.store import leases, reading, recording

log = structlog.get_logger(__name__)

SHORTEST_PAUSE_SECONDS, LOOK_PAUSE_SECONDS = 0.01, 0.05
RETRY_SECONDS = 0.5
SWEEP_SECONDS = 600.0
UNSEALED_SECONDS = 60.0  # another process may have the key that this one lacks
FAREWELL_SECONDS = 2.0


class Sender:
    """What this process delivers."""

    def __init__(self, house: House, now: Callable[[], float] | None = None) -> None:
        self._settings = house.settings
        self.service = house.database.service
        self.runs: dict[UUID, Run] = {}
        self._now = now or asyncio.get_running_loop().time
        own_port = house.database.url.port
        guard = Guard.of(house.settings, [own_port] if own_port else [])
        self._postman = Postman(guard, house.settings.webhook_timeout_seconds)
        self._sealer = Sealer(house.settings)
        self._office = Office(self.service, house.settings.public_url)
        lease = house.settings.webhook_lease_seconds
        self._reading, self._writing = Line(house.database, lease), Line(house.database, lease)
        self._news = house.sequencer.news if house.sequencer else Bell()
        self._head: int | None = None  # None: there is news
        self._heard = 0
        self._to_plan, self._to_record, self._to_look = Bell(), Bell(), Bell()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsealed: dict[UUID, float] = {}
        self._beaten_at = self._swept_at = float("-inf")
        self._limits = recording.Limits(
            timedelta(seconds=self._settings.webhook_lease_seconds),
            timedelta(days=self._settings.webhook_failing_days),
            len(self._settings.webhook_waits),
        )

    def wake(self) -> None:
        """Look at once: somebody has changed a webhook."""
        self._to_look.ring()

    @property
    def is_sending(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._tasks)

    async def run(self) -> None:
        """Deliver for as long as the process lives; a lost database is waited for."""
        loops = [self._plan_always, self._record_always, self._look_always, self._hear_always]
        tasks = [asyncio.create_task(loop()) for loop in loops]
        try:
            await asyncio.gather(*tasks)
        finally:
            await self._farewell(tasks)
            await self.close()

    async def close(self) -> None:
        """Close every connection to receivers."""
        await self._postman.close()

    # Leases

    async def _look_always(self) -> None:
        while True:
            ring = self._to_look.listen()
            await self._trying(self.look)
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
            await heard(ring, self._settings.webhook_poll_seconds)

    async def look(self) -> None:
        """Take webhooks that nobody delivers, give away those that changed, and renew what is held."""
        heard_before = self._heard
        async with self._reading as connection:
            rows = await leases.look(connection)
            head = await reading.head(connection) if rows else 0
        self._note_head(head, heard_before)
        found = {row["id"]: row for row in rows}
        for run in list(self.runs.values()):
            self._compare(run, found.get(run.id))
        figures.count_states(self.service, (row["state"] for row in rows))
        now = self._now()
        free = [row["id"] for row in rows if row["is_free"] and self._unsealed.get(row["id"], 0.0) <= now]
        if free:
            await self._claim(free)
        if now - self._beaten_at > self._settings.webhook_lease_seconds / 3:
            self._beaten_at = now
            await self._beat(head)
        self._to_plan.ring()

    def _note_head(self, head: int, heard_before: int) -> None:
        """Remember the log's head, unless there was news while it was read."""
        self._head = head if self._heard == heard_before else None

    def _compare(self, run: Run, row: Any) -> None:
        if row is None or row["lease_number"] != run.lease_number:
            self._drop(run)
        elif row["version"] != run.version:
            run.is_leaving = True
            self._to_record.ring()
        else:
            run.ping(row["ping_id"])

    async def _claim(self, free: Iterable[UUID]) -> None:
        now = self._now()
        async with self._reading as connection:
            taken = await leases.claim(connection, free, self._limits.lease)
        closed = [claimed.row for claimed in taken if not self._take(claimed, now)]
        if closed:
            async with self._reading as connection:
                await leases.hand_back(connection, [(row["id"], row["lease_number"]) for row in closed])

    def _take(self, claimed: leases.Claimed, now: float) -> bool:
        row = claimed.row
        try:
            run = Run(claimed, self._keys_of(row), self._settings, now)
        except (SealBroken, HouseError):
            log.error("webhook_secret_sealed", service=self.service, webhook=str(row["id"]))
            self._unsealed[row["id"]] = now + UNSEALED_SECONDS
            return False
        run.ping(row["ping_id"])
        self.runs[run.id] = run
        return True

    def _keys_of(self, row: Any) -> list[Webhook]:
        sealed = [row["secret"]]
        if row["old_secret"] is not None and row["old_secret_seconds"] > 0:
            sealed.append(row["old_secret"])
        return [Webhook(self._sealer.open(each, row["id"])) for each in sealed]

    def _drop(self, run: Run) -> None:
        """Forget a webhook that is no longer ours: what was not written down, another process sends again."""
        if self.runs.get(run.id) is run:
            del self.runs[run.id]
            self._to_look.ring()

    async def _beat(self, head: int) -> None:
        """Renew every lease, with all that is to be told; then what the operator wants to see."""
        await self._record(list(self.runs.values()))
        async with self._reading as connection:
            await figures.measure(connection, self.service, self.runs.values(), head)
        if self._now() - self._swept_at > SWEEP_SECONDS:
            self._swept_at = self._now()
            async with self._writing as connection:
                await recording.forget(connection, timedelta(days=self._settings.webhook_log_days))

    # Reading and sending

    async def _hear_always(self) -> None:
        while True:
            ring = self._news.listen()
            self._heard, self._head = self._heard + 1, None
            self._to_plan.ring()
            await ring.wait()

    async def _plan_always(self) -> None:
        while True:
            ring = self._to_plan.listen()
            await self._trying(self.plan)
            await asyncio.sleep(SHORTEST_PAUSE_SECONDS)
            await heard(ring, self._pause())

    def _pause(self) -> float:
        now = self._now()
        moments = [run.next_moment(now) - now for run in self.runs.values()]
        return max(0.0, min([self._settings.webhook_poll_seconds, *moments]))

    async def plan(self) -> None:
        """Read what every webhook is to hear next, and begin to send it."""
        now = self._now()
        asked = [(run, each) for run in self.runs.values() for each in run.asks(now, self._head)]
        if asked:
            await self._read(asked)
        for run in list(self.runs.values()):
            self._launch(run)

    async def _read(self, asked: list[tuple[Run, Asked]]) -> None:
        heard_before = self._heard
        async with self._reading as connection:
            answers, head = await reading.read(connection, [each.wanted for _, each in asked])
            pairs = [(run, each, read) for (run, each), read in zip(asked, answers, strict=True) if read is not None]
            missed = {pos for run, each, read in pairs for pos in run.misses(each, read)}
            rows = await reading.events(connection, missed) if missed else ()
            first = await reading.first_kept(connection)
        if head is not None:
            self._note_head(head, heard_before)
        letters = self._office.of_events(rows)
        for run, each, read in pairs:
            if self.runs.get(run.id) is run:
                run.give_up_before(first)
                run.take_in(each, read, letters)
        if pairs:  # there may be more of it
            self._to_plan.ring()

    def _launch(self, run: Run) -> None:
        while errand := run.next_errand(self._now(), self._office):
            self._begin(run, self._run_errand(run, errand))
        while item := run.next_item(self._now()):
            self._begin(run, self._deliver(run, item))

    def _begin(self, run: Run, work: Any) -> None:
        run.in_flight += 1
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, run: Run, item: Item) -> None:
        outcome = await self._send(run, item.letter)
        if self._is_ours(run):
            run.settle(item, outcome, self._now())
            self._after(run)

    async def _run_errand(self, run: Run, errand: Errand) -> None:
        outcome = await self._send(run, errand.letter)
        if self._is_ours(run):
            run.settle_errand(errand, outcome, self._now())
            self._after(run)

    async def _send(self, run: Run, letter: Letter) -> Outcome:
        try:
            outcome = await self._postman.send(run.url, letter, run.keys(self._now()))
        except Exception as error:  # whatever it is, the event is tried again, and the others go on
            log.exception("webhook_send_failed", service=self.service, webhook=str(run.id))
            outcome = Outcome(Result.UNREACHABLE, 0.0, detail=type(error).__name__)
        figures.count(self.service, outcome)
        return outcome

    def _is_ours(self, run: Run) -> bool:
        run.in_flight -= 1
        return self.runs.get(run.id) is run

    def _after(self, run: Run) -> None:
        self._launch(run)
        self._to_record.ring()
        if run.is_hungry:
            self._to_plan.ring()

    async def settle(self) -> None:
        """Wait for the answer to all that is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    # Writing down

    async def _record_always(self) -> None:
        while True:
            ring = self._to_record.listen()
            await self._trying(self.record)
            await asyncio.sleep(2 * SHORTEST_PAUSE_SECONDS)
            await heard(ring, self._settings.webhook_poll_seconds)

    async def record(self) -> None:
        """Write down what happened, and give away what is to be given away."""
        await self._record([run for run in self.runs.values() if run.is_dirty])
        done = [run for run in self.runs.values() if run.is_done]
        if done:
            for run in done:
                del self.runs[run.id]
            async with self._writing as connection:
                await leases.hand_back(connection, [(run.id, run.lease_number) for run in done])
            self._to_look.ring()

    async def _record(self, runs: list[Run]) -> None:
        if not runs:
            return
        async with self._writing as connection:
            now = self._now()
            reports = [run.report(now) for run in runs]
            try:
                kept = await recording.record(connection, reports, self._limits)
            except BaseException:
                for run, report in zip(runs, reports, strict=True):
                    run.take_back(report)
                raise
        for run, report in zip(runs, reports, strict=True):
            self._note_written(run, report, kept.get(run.id), now)

    def _note_written(self, run: Run, report: recording.Report, row: Any, now: float) -> None:
        if row is None:
            log.warning("webhook_lease_lost", service=self.service, webhook=str(run.id))
            self._drop(run)
            return
        run.written(report, now + self._settings.webhook_lease_seconds, row["version"])
        self._say(run, row["turn"])

    def _say(self, run: Run, turn: str | None) -> None:
        if turn is not None:
            tell = log.info if turn == "answered" else log.warning
            tell("webhook_turned", service=self.service, webhook=str(run.id), turn=turn)
            self._to_record.ring()

    # The end

    async def _trying(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            log.warning("webhooks_wait", service=self.service, error=str(error) or type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _farewell(self, loops: list[asyncio.Task[None]]) -> None:
        """Let what is under way come to its end for a moment, write it down, and give the leases back."""
        for run in self.runs.values():
            run.is_leaving = True
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self.settle()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._record(list(self.runs.values()))
                async with self._writing as connection:
                    await leases.hand_back(connection, [(run.id, run.lease_number) for run in self.runs.values()])
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def deliver(house: House) -> None:
    """Deliver for as long as the process lives."""
    sender = Sender(house)
    async with beside(_wake(sender, bell_of(house))):
        await sender.run()


async def _wake(sender: Sender, bell: Bell) -> None:
    while True:
        await bell.listen().wait()
        sender.wake()
