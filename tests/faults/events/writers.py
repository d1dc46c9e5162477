"""Writers that note what they were told: over HTTP, and straight through the chassis with slow transactions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from random import Random

import httpx2
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis import audit, outbox
from chassis.auth import Caller
from chassis.database import Database, Session
from chassis.outbox import Event
from tests.faults.events.arena import LOST, LOST_SERVER, SERVICE, Arena
from tests.faults.events.journal import Journal, Told, Write

UNITS = [f"{41_000 + 7 * number:05d}" for number in range(6)]
PROVINCE = "90"
SLUGS = ("van-phong", "dia-chinh", "tu-phap")
WRITTEN = "vn.chitieu.plans.trial.written.v1"
OWN_SUBJECTS = [f"trial:{number}" for number in range(12)]
CALLER = Caller("faults", "faults", frozenset(), frozenset({"*"}))
UNKNOWN = (SQLAlchemyError, *LOST_SERVER)


@dataclass(slots=True)
class Load:
    """What the writers of one run share."""

    arena: Arena
    journal: Journal
    seed: int
    urls: list[str]
    numbers: count[int] = field(default_factory=lambda: count(1))
    is_over: bool = False
    write_token: str = ""  # of the last write over HTTP


async def settle(arena: Arena) -> None:
    """Make the units that offices are written for."""
    units = [(PROVINCE, "province", None), *((code, "commune", PROVINCE) for code in UNITS)]
    body = {"admin_units": [_unit(*unit) for unit in units]}
    async with arena.client() as client:
        answer = await client.put(f"{arena.urls[0]}/v1/{SERVICE}/admin-units", json=body)
        answer.raise_for_status()


def _unit(code: str, kind: str, province: str | None) -> dict[str, str | None]:
    names = {"name_vi": f"Đơn vị {code}", "name_en": f"Unit {code}"}
    return {"code": code, **names, "type": kind, "province_code": province, "valid_from": "2015-01-01"}


async def over_http(load: Load, number: int) -> None:
    """Rename one office after the other, each time until it is acknowledged, by whatever process answers."""
    random = Random(f"{load.seed} {number}")
    async with load.arena.client() as client:
        while not load.is_over:
            unit, slug = random.choice(UNITS), random.choice(SLUGS)
            write = load.journal.send(f"h{number:02d}-{next(load.numbers)}", [f"{unit}/{slug}"])
            is_done = False
            while not is_done:
                is_done = await _put(client, load, random.choice(load.urls), write)
                await asyncio.sleep(0 if is_done else random.uniform(0.02, 0.2))


async def _put(client: httpx2.AsyncClient, load: Load, url: str, write: Write) -> bool:
    unit, slug = write.subjects[0].split("/")
    names = {"name_vi": f"Phòng {write.keys[0]}", "name_en": write.keys[0]}
    body = {"offices": [{"slug": slug, "level": "commune", **names}]}
    try:
        answer = await client.put(f"{url}/v1/{SERVICE}/offices/{unit}", json=body)
    except LOST as error:
        load.journal.troubles[type(error).__name__] += 1
        return False
    if answer.status_code == 200:
        write.end(Told.DONE)
        load.write_token = answer.json()["write_token"] or load.write_token
        return True
    load.journal.troubles[f"{answer.status_code} {answer.json()['code']}"] += 1
    if answer.status_code != 503:
        load.journal.broken.append(f"{write.name} was answered {answer.status_code}: {answer.text[:600]}")
    return answer.status_code != 503


class _TakenBack(Exception):
    """The writer has thought better of it."""


async def slowly(load: Load, database: Database, number: int) -> None:
    """Write one to three events in a transaction that takes its time here and there, or is taken back."""
    random = Random(f"{load.seed} {number}")
    while not load.is_over:
        subjects = random.sample(OWN_SUBJECTS, random.choice((1, 1, 1, 2, 3)))
        write = load.journal.send(f"s{number:02d}-{next(load.numbers)}", subjects)
        try:
            async with database.write() as db:
                await _write(db, write, random)
            write.end(Told.DONE)
        except _TakenBack:
            write.end(Told.UNDONE)
        except UNKNOWN as error:
            load.journal.troubles[type(error).__name__] += 1
        await asyncio.sleep(random.uniform(0, 0.08))


async def _write(db: Session, write: Write, random: Random) -> None:
    """The order of a service's own writes: locks, rows, the note of who did it, the events."""
    if random.random() < 0.5:
        await db.execute(text("SELECT pg_current_xact_id()"))  # numbered long before its events are
        await asyncio.sleep(random.uniform(0, 0.01))
    heads = await outbox.lock(db, write.subjects)
    events = []
    for key, subject in zip(write.keys, write.subjects, strict=True):
        await audit.record(db, CALLER, "trial.write", subject, change=(None, {subject: {"name_en": key}}))
        events.append(Event(WRITTEN, subject, {"name_en": key}, PROVINCE, random.choice(UNITS)))
    await outbox.append(db, heads, events)
    if random.random() < 0.3:
        await asyncio.sleep(random.uniform(0, 0.02))
    if random.random() < 0.1:
        raise _TakenBack
