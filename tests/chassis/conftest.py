"""A service of three routes, to try the chassis without any domain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Query, Request
from joserfc.jwk import OKPKey
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from starlette.responses import Response

from chassis import outbox
from chassis.app import build_app
from chassis.auth import Caller, Verifier, needs
from chassis.bodies import Body, HouseRoute
from chassis.database import Database, Reading, Session, Writing, model_base
from chassis.errors import Refused, rule
from chassis.house import House, Service
from chassis.idempotency import Once
from chassis.keys import public_keys
from chassis.listing import Listing, answer
from chassis.outbox import Event
from chassis.pages import Paging
from chassis.peers import Peers
from chassis.replies import IfMatch, reply
from tests.house import House as WholeHouse

NOTE_TYPE = "vn.chitieu.plans.note.written.v1"
TOO_LOUD = rule("test_too_loud", vi="Ghi chú {text} quá to.", en="Note {text} is too loud.")
Reads = Annotated[Caller, needs("plans:read", public=True)]
Writes = Annotated[Caller, needs("plans:write")]


class Inner(Body):
    amount: Decimal = Decimal(0)


class Note(Body):
    subject: str
    text: str = Field(max_length=1000)
    due_on: date | None = None
    inner: tuple[Inner, ...] = ()


class NoteWritten(BaseModel):
    text: str


router = APIRouter(prefix="/v1/plans", route_class=HouseRoute)


async def write_note(db: Session, note: Note) -> dict[str, Any]:
    heads = await outbox.lock(db, [note.subject])
    if note.text.isupper():
        raise Refused(TOO_LOUD, text=note.text)
    event = Event(NOTE_TYPE, note.subject, {"text": note.text})
    token = await outbox.append(db, heads, [event])
    return {"text": note.text, "amounts": [i.amount for i in note.inner], "write_token": token}


@router.post("/notes")
async def post_note(db: Writing, caller: Writes, once: Once, note: Note) -> Response:
    """Write a note."""

    async def work() -> Response:
        return reply(await write_note(db, note), status=201)

    return await once(work)


@router.put("/notes/{subject}")
async def put_note(subject: str, db: Writing, caller: Writes, note: Note, version: IfMatch) -> Response:
    """Write a note again."""
    return reply({"asked": version, **await write_note(db, note)})


@router.get("/notes/{subject}")
async def get_note(subject: str, caller: Reads) -> Response:
    """Read a note."""
    return reply({"subject": subject, "amount": Decimal("0.10")}, version=7)


@router.get("/numbers")
async def list_numbers(
    request: Request, db: Reading, caller: Reads, page: Paging, upto: Annotated[int, Query()] = 5
) -> Response:
    """Count."""
    query = select(func.generate_series(1, upto).label("n")).subquery()
    listing = Listing(select(query.c.n, func.concat("=", query.c.n).label("formula")), (query.c.n,), ("n", "formula"))
    return await answer(request, db, listing, page)


SERVICE = Service("plans", "Bàn thử", "", router, model_base("plans").metadata, events={NOTE_TYPE: NoteWritten})


@dataclass
class Desk:
    app: Any
    house: House
    client: httpx2.AsyncClient
    whole: WholeHouse

    @property
    def database(self) -> Database:
        return self.house.database

    async def post(self, text: str, *, key: str, subject: str = "a", **extra: Any) -> httpx2.Response:
        headers = {**self.whole.admin, "Idempotency-Key": key}
        return await self.client.post(
            "/v1/plans/notes", json={"subject": subject, "text": text, **extra}, headers=headers
        )

    async def sequence(self) -> None:
        assert self.house.sequencer
        while await self.house.sequencer.pass_once():
            pass


@pytest.fixture
async def desk(house: WholeHouse, signing_key: OKPKey) -> AsyncIterator[Desk]:
    settings = house.settings.model_copy(update={"max_document_bytes": 100_000})
    own = House(
        settings,
        verifier=Verifier(settings, public_keys(signing_key)),
        peers=Peers(settings),
        database=Database(house.database("plans").url.render_as_string(hide_password=False), "plans", settings),
    )
    app = build_app(SERVICE, own)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://desk", trust_env=False)
    try:
        yield Desk(app, own, client, house)
    finally:
        await client.aclose()
        await own.database.close()
