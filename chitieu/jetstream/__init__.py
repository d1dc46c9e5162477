"""`chitieu jetstream`: make the streams, say how they stand, make them anew.

The streams belong to the operator: no process of the house ever makes or deletes one. They are filled by the
services that run with CHITIEU_NATS_URL; where a log ends is asked of the public door.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from chassis.jetstream.check import ask_sync_always
from chassis.jetstream.streams import Outcome, Prepared, prepare, update
from chassis.settings import SERVICES, Settings
from chitieu.jetstream.listeners import Listener, listener_of, make_listener, remove_listener
from chitieu.jetstream.reaching import reaching
from chitieu.jetstream.rebuilding import make_anew, wait_until_filled
from chitieu.jetstream.standing import ServiceStatus, head_of, status_of
from chitieu.operating import Opening, as_json

__all__ = ["Look", "Rebuild", "Telling", "init", "listener", "listener_of", "rebuild", "remove", "status"]
DONE, TO_MEND = 0, 3
SYNC = {
    True: "sync_always: yes.",
    False: "sync_always: NO. Acknowledged messages are lost with the power: set `sync_interval: always`.",
    None: "sync_always: not known. Set CHITIEU_NATS_MONITOR_URL to the monitoring address of every server.",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """How to answer: to people line by line, or one JSON object."""

    console: Console
    for_machines: bool

    def say(self, line: str) -> None:
        """One line for people."""
        if not self.for_machines:
            self.console.print(line, highlight=False, markup=False)

    def end(self, answer: Any) -> None:
        """The whole answer for machines."""
        if self.for_machines:
            self.console.print(as_json(answer), highlight=False, markup=False)


async def init(settings: Settings, telling: Telling, replicas: int | None, *, updates: bool) -> int:
    """Make the streams that are missing; others are compared, and brought to their form only if `updates`.

    Answers the exit code: 3 where a stream stays different.
    """
    work = update if updates else prepare
    async with reaching(settings) as js:
        prepared = [await work(js, service, replicas) for service in SERVICES]
        always = await ask_sync_always(settings)
    for one in prepared:
        telling.say(_told(one))
    telling.say(SYNC[always])
    telling.end({"streams": [_as_dict(one) for one in prepared], "sync_always": always})
    return TO_MEND if any(one.outcome is Outcome.DIFFERENT for one in prepared) else DONE


def _told(one: Prepared) -> str:
    replicas = "1 replica" if one.replicas == 1 else f"{one.replicas} replicas"
    return "\n  ".join([f"{one.stream}: {one.outcome.value}, {replicas}.", *one.differences])


def _as_dict(one: Prepared) -> dict[str, Any]:
    return {**asdict(one), "outcome": one.outcome.value}


@dataclass(frozen=True, slots=True)
class Look:
    """What to look for: how far behind is too far, and how long to wait for streams that are filled, seconds."""

    max_behind: int | None = None
    patience: float | None = None


async def status(settings: Settings, telling: Telling, opening: Opening, look: Look) -> int:
    """Say how every stream stands against its log. Answers the exit code: 3 where something is to be mended."""
    async with opening as door, reaching(settings) as js:
        # First the logs: what a stream has then is never less than what was asked for.
        heads = [(service, await head_of(door, service)) for service in SERVICES]
        if look.patience:
            for service, head in heads:
                await wait_until_filled(js, service, head, look.patience)
        found = [await status_of(js, service, head) for service, head in heads]
        always = await ask_sync_always(settings)
    troubles = [trouble for one in found for trouble in one.troubles(look.max_behind)]
    for one in found:
        telling.say(_line(one))
    telling.say(SYNC[always])
    for trouble in troubles:
        telling.say(f"! {trouble}")
    telling.end({"services": [asdict(one) for one in found], "sync_always": always, "troubles": troubles})
    return TO_MEND if troubles or always is False else DONE


def _line(one: ServiceStatus) -> str:
    log = f"{one.service}: log at {one.log.epoch}:{one.log.position}"
    if one.stream is None:
        return f"{log}, no stream."
    last = f"{one.stream.last.epoch}:{one.stream.last.position}" if one.stream.last else "nothing"
    behind = "behind unknown" if one.behind is None else f"{max(one.behind, 0)} behind"
    return f"{log}, stream at {last}, {behind}; {one.stream.replicas_current} of {one.stream.replicas} replicas."


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Which streams to make anew, with how many replicas (None: as before), and how long to wait for more."""

    services: Sequence[str]
    replicas: int | None
    patience: float


async def rebuild(settings: Settings, telling: Telling, opening: Opening, wanted: Rebuild) -> int:
    """Make streams anew and wait until the relays have filled them from the logs."""
    async with opening as door, reaching(settings) as js:
        logs = {service: await head_of(door, service) for service in wanted.services}
        made = {service: await make_anew(js, service, wanted.replicas) for service in wanted.services}
        filled = [await wait_until_filled(js, service, log, wanted.patience) for service, log in logs.items()]
    for one in filled:
        telling.say(_filled(one, made[one.service]))
    telling.end({"services": [{**asdict(one), "consumers_made_anew": made[one.service]} for one in filled]})
    return DONE


def _filled(one: ServiceStatus, consumers: Sequence[str]) -> str:
    assert one.stream is not None
    told = f"{one.stream.name}: {one.stream.messages} events, equal to the log."
    if one.stream.first and one.stream.first.position > 1:
        told += (
            f" The first is {one.stream.first.position}; older ones have left the log"
            f" (/v1/{one.service}/changes/archives)."
        )
    return told + (f" Consumers that begin again: {', '.join(consumers)}." if consumers else "")


async def listener(settings: Settings, telling: Telling, wanted: Listener) -> int:
    """Make a listener's consumers, and say what its user may do."""
    async with reaching(settings) as js:
        await make_listener(js, wanted)
    telling.say(f"{wanted.name} hears {', '.join(wanted.subjects)}. Its user in NATS's configuration:")
    telling.say(wanted.permissions)
    telling.end({**asdict(wanted), "inbox_prefix": wanted.inbox, "permissions": wanted.permissions})
    return DONE


async def remove(settings: Settings, telling: Telling, wanted: Listener) -> int:
    """Take a listener's consumers away."""
    async with reaching(settings) as js:
        await remove_listener(js, wanted)
    telling.say(f"{wanted.name} hears nothing any more.")
    telling.end(asdict(wanted))
    return DONE
