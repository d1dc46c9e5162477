"""`chitieu up`: everything in one process, from an empty folder to a served demo."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import AsyncIterator, Mapping

import httpx2
from joserfc.jwk import OKPKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chassis.beside import beside
from chassis.keys import Signer, ensure_key
from chassis.settings import Settings
from chassis.telemetry import configure_logs
from chitieu import demo
from chitieu.apply import Applier, apply_folder, count_steps
from chitieu.compose import Composition, compose
from chitieu.door import Door, Refusal
from chitieu.durability import refuse_unsafe
from chitieu.migrate import migrate
from chitieu.places import Places, ensure_database, open_places
from chitieu.serving import Serving, address_of, keep_alive, listen, say
from chitieu.tokens import DEMO_CALLERS, EVERY_SCOPE, demo_token

SAMPLE_ROW = (
    '[{"admin_unit":"26491","indicator":"AGENCIES_IT_EQUIPPED_RATE","period":"2026","numerator":18,"denominator":20}]'
)


def up(settings: Settings, console: Console, *, is_empty: bool) -> None:
    """Start, load, serve; returns after the signal, when everything has stopped.

    Raises:
        Trouble: what keeps it from starting, in one sentence.
    """
    started = time.monotonic()
    configure_logs(settings)
    with contextlib.closing(listen(settings)) as listener, open_places(settings) as places:
        run = Up(settings, console, places, listener, started)
        Serving().run(lambda serving: run.everything(serving, is_empty=is_empty))
    say("Stopped.")


class Up:
    """One run of `up`."""

    def __init__(
        self, settings: Settings, console: Console, places: Places, listener: socket.socket, started: float
    ) -> None:
        self._settings = settings
        self._console = console
        self._places = places
        self._listener = listener
        self._started = started

    async def everything(self, serving: Serving, *, is_empty: bool) -> None:
        """Migrate, load what is missing, and serve until the signal."""
        if self._places.embedded is not None:
            await ensure_database(self._places.embedded)
        await migrate(self._places.targets)
        await refuse_unsafe(self._places.targets, self._settings)
        key = ensure_key(self._settings)
        composition = compose(self._settings, self._places.login_urls, key=key)
        async with composition.running(), _kept_alive(self._places):
            signer = Signer(key, self._settings)
            await self._load_demo(composition, signer, is_empty=is_empty)
            await serving.serve(composition, self._listener, ready=lambda: self._announce(key))

    async def _load_demo(self, composition: Composition, signer: Signer, *, is_empty: bool) -> None:
        headers = {"Authorization": f"Bearer {signer.mint('chitieu-demo', EVERY_SCOPE, ['*'], seconds=900)}"}
        transport = httpx2.ASGITransport(app=composition.door)
        async with httpx2.AsyncClient(transport=transport, base_url="http://chitieu", trust_env=False) as client:
            door = Door(client, headers)
            data_version = (await door.send("GET", "/v1/plans/meta"))["data_version"]
            if demo.is_wanted(self._settings, is_empty=is_empty, data_version=data_version):
                await self._apply_demo(door)
                demo.remember_loaded(self._settings)

    async def _apply_demo(self, door: Door) -> None:
        """Load the demo data; newer ones than those loaded before may not fit what was done to them since."""
        try:
            await self._apply_with_progress(door)
        except Refusal as refusal:
            if not demo.was_loaded(self._settings):
                raise
            self._console.print(f"This version's demo data were left out: {refusal}", markup=False)

    async def _apply_with_progress(self, door: Door) -> None:
        if not self._console.is_terminal:
            say("Loading the five plans …")
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, console=self._console, disable=not self._console.is_terminal) as progress:
            task = progress.add_task("Loading the five plans", total=count_steps(demo.REFERENCE))
            applier = Applier(door, is_dry_run=False)
            await apply_folder(applier, demo.REFERENCE, report=lambda _outcome: progress.advance(task))

    def _announce(self, key: OKPKey) -> None:
        url = address_of(self._listener)
        seconds = time.monotonic() - self._started
        lines = [f"chitieu is ready at {url} ({seconds:.1f} s)", *_addresses(url)]
        if self._settings.is_demo:
            lines += _demo_lines(url, Signer(key, self._settings))
        else:
            lines.append("This is production: make tokens with `chitieu token`.")
        say("\n".join([*lines, "", "Ctrl-C stops everything."]))


def _addresses(url: str) -> list[str]:
    pages: Mapping[str, str] = {
        "GraphQL": f"{url}/graphql",
        "REST": f"{url}/v1/plans  {url}/v1/indicators/scorecards  {url}/v1/budget/lines",
        "Docs": f"{url}/docs/plans  {url}/docs/indicators  {url}/docs/budget  {url}/docs/events",
        "Live": f"{url}/changes",
        "Health": f"{url}/readyz  {url}/livez  {url}/metrics",
    }
    return [f"  {name:<8} {place}" for name, place in pages.items()]


def _demo_lines(url: str, signer: Signer) -> list[str]:
    lines = ["", "Demo tokens (30 days, this machine only; production refuses them):"]
    for caller in DEMO_CALLERS:
        token = demo_token(signer, caller)
        command = caller.curl.replace("{token}", token).replace("{url}", url).replace("{body}", SAMPLE_ROW)
        lines += ["", f"  {caller.title}", f"  {command}"]
    return lines


@contextlib.asynccontextmanager
async def _kept_alive(places: Places) -> AsyncIterator[None]:
    async with beside(*([keep_alive(places.embedded)] if places.embedded else [])):
        yield
