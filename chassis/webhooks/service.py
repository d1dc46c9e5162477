"""What owners do with their webhooks. Each act is noted in the audit, and none shows a secret a second time."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func

from chassis import audit
from chassis.auth import SCOPE_MISSING, Caller
from chassis.database import ReadSession, Session
from chassis.errors import (
    BODY_INVALID,
    STALE_VERSION,
    Conflict,
    Fault,
    Forbidden,
    Gone,
    NotFound,
    PreconditionFailed,
    Refused,
    Rule,
)
from chassis.event_api import EVENT_TYPE_UNKNOWN
from chassis.feed import CURSOR_EXPIRED, FEED_REWOUND, Position, decode_position, encode_position, gone
from chassis.house import House, Service
from chassis.listing import Listing
from chassis.webhooks.guard import Guard
from chassis.webhooks.rules import (
    MOMENT_INVALID,
    REPLAY_EMPTY,
    REPLAYS_TOO_MANY,
    WEBHOOK_UNKNOWN,
    WEBHOOKS_TOO_MANY,
)
from chassis.webhooks.schemas import ReplayBody, WebhookBody, WebhookChange
from chassis.webhooks.signing import SealBroken, Sealer, check_secret, make_secret
from chassis.webhooks.store import subscriptions as store
from chassis.webhooks.store.subscriptions import Tables

MOST_REPLAYS = 3
# A reply that was lost is given again to a retry; later the secret is not shown any more.
SHOWN_AGAIN = timedelta(minutes=10)
_FIELDS = {"url": "url", "types": "types", "province": "provinces", "commune": "communes", "description": "description"}
_TOLD = (
    "url", "types", "province", "commune", "ordering", "description", "state", "paused_because", "client_id",
    "admin_units",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What the acts of one service stand on."""

    service: Service
    house: House
    sealer: Sealer

    @property
    def tables(self) -> Tables:
        """The service's tables."""
        return Tables.of(self.service.metadata, self.service.name)

    @property
    def guard(self) -> Guard:
        """Where webhooks may lead."""
        port = self.house.database.url.port
        return Guard.of(self.house.settings, [port] if port else [])


async def create(desk: Desk, db: Session, caller: Caller, body: WebhookBody) -> UUID:
    """Note a webhook; it hears nothing before its receiver has answered a challenge.

    Raises:
        Forbidden: the caller may not hear changes ("scope_missing").
        Conflict: it has too many ("webhooks_too_many").
        Refused: url ("webhook_url_…"), type ("event_type_unknown"), secret ("webhook_secret_invalid") or cursor
            ("feed_cursor_invalid").
        Gone: the cursor is of a log before it was restored ("feed_rewound"), or what comes after it has left the log
            ("cursor_expired").
    """
    rights = _rights(desk, caller)
    fields = _checked(desk, body.model_dump(exclude={"secret", "after", "ordering"}))
    secret = make_secret() if body.secret is None else check_secret(body.secret)
    after = None if body.after is None else await _beginning(desk, db, body.after)
    limit = desk.house.settings.webhook_max_per_client
    if await store.count_of(db, caller.client_id) >= limit:
        raise Conflict(WEBHOOKS_TOO_MANY, limit=limit)
    made = await store.new_id(db)
    sealed = desk.sealer.seal(secret, made)
    owner = {"id": made, "client_id": caller.client_id, "ordering": body.ordering, "secret": sealed}
    await store.create(db, desk.tables, {**owner, **rights, **fields}, after)
    await _note(desk, db, caller, made, "webhook.created")
    return made


async def get(desk: Desk, db: ReadSession, caller: Caller, webhook_id: UUID) -> Mapping[str, Any]:
    """A webhook as its owner sees it.

    Raises:
        NotFound: there is none, or it is somebody else's ("webhook_unknown").
    """
    found = await store.find(db, desk.tables, caller, webhook_id)
    if found is None:
        raise NotFound(WEBHOOK_UNKNOWN, webhook_id=webhook_id)
    return found


def list_all(desk: Desk, caller: Caller) -> Listing:
    """The caller's webhooks, oldest first; who acts everywhere sees all."""
    return store.list_webhooks(desk.tables, caller)


async def secret_of(desk: Desk, db: ReadSession, webhook_id: UUID) -> str | None:
    """A secret that was made a moment ago; None of any other, and of one whose seal our keys no longer open."""
    sealed = await store.secret_made_within(db, webhook_id, SHOWN_AGAIN)
    with contextlib.suppress(SealBroken):
        return None if sealed is None else desk.sealer.open(sealed, webhook_id)
    return None


async def change(
    desk: Desk, db: Session, caller: Caller, webhook_id: UUID, body: WebhookChange, version: int | None
) -> None:
    """Change a webhook; of a new url it is first asked whether it wants to hear.

    Raises:
        NotFound: "webhook_unknown". PreconditionFailed: it changed since ("stale_version").
        Refused: as in `create`.
    """
    row = await _locked(desk, db, caller, webhook_id, version)
    before = await get(desk, db, caller, webhook_id)
    fields = _checked(desk, body.model_dump(exclude_unset=True))
    if fields.get("url", row["url"]) != row["url"]:
        fields |= {**_ASKED_ANEW, "activated_at": None}
        fields["state"] = "paused" if row["state"] == "paused" else "pending"
    await store.change(db, desk.tables, webhook_id, {**fields, **_rights_of_owner(desk, caller, row)})
    await _note(desk, db, caller, webhook_id, "webhook.changed", before)


async def remove(desk: Desk, db: Session, caller: Caller, webhook_id: UUID, version: int | None) -> None:
    """Remove a webhook.

    Raises:
        NotFound: "webhook_unknown". PreconditionFailed: "stale_version".
    """
    await _locked(desk, db, caller, webhook_id, version)
    before = await get(desk, db, caller, webhook_id)
    await store.delete(db, desk.tables, webhook_id)
    await audit.record(db, caller, "webhook.removed", f"webhook:{webhook_id}", change=(_told(before), None))


async def pause(desk: Desk, db: Session, caller: Caller, webhook_id: UUID) -> None:
    """Send nothing until it is resumed; what it misses waits in the log. Again is harmless.

    Raises:
        NotFound: "webhook_unknown".
    """
    await _locked(desk, db, caller, webhook_id)
    before = await get(desk, db, caller, webhook_id)
    await store.change(db, desk.tables, webhook_id, {"state": "paused", "paused_because": "asked"})
    await _note(desk, db, caller, webhook_id, "webhook.paused", before)


async def resume(desk: Desk, db: Session, caller: Caller, webhook_id: UUID) -> None:
    """Send from where it stopped, at once, whatever waited after failures; one that never answered is asked again.

    Raises:
        NotFound: "webhook_unknown". Forbidden: the owner may no longer hear changes ("scope_missing").
    """
    row = await _locked(desk, db, caller, webhook_id)
    before = await get(desk, db, caller, webhook_id)
    state = "active" if row["activated_at"] else "pending"
    well = {"paused_because": None, "failures": 0, "failing_since": None, "quiet_until": None}
    rights = _rights_of_owner(desk, caller, row)
    await store.change(db, desk.tables, webhook_id, {"state": state, **well, **_ASKED_ANEW, **rights})
    await store.begin_anew(db, webhook_id)
    await _note(desk, db, caller, webhook_id, "webhook.resumed", before)


async def rotate(desk: Desk, db: Session, caller: Caller, webhook_id: UUID, overlap: timedelta) -> None:
    """Give a webhook a new secret; the one before signs as well for a time.

    Raises:
        NotFound: "webhook_unknown".
    """
    await _locked(desk, db, caller, webhook_id)
    sealed = desk.sealer.seal(make_secret(), webhook_id)
    await store.rotate(db, desk.tables, webhook_id, sealed, overlap)
    told = {"overlap_seconds": round(overlap.total_seconds())}
    await audit.record(db, caller, "webhook.secret_rotated", f"webhook:{webhook_id}", change=(None, told))


async def ping(desk: Desk, db: Session, caller: Caller, webhook_id: UUID) -> UUID:
    """Have a ping sent, whatever the webhook's state; answers its id, to look for among the deliveries.

    Raises:
        NotFound: "webhook_unknown".
    """
    await _locked(desk, db, caller, webhook_id)
    event_id = await store.ask_ping(db, webhook_id)
    await audit.record(db, caller, "webhook.pinged", f"webhook:{webhook_id}", change=(None, {"event_id": event_id}))
    return event_id


async def attempts(
    desk: Desk, db: ReadSession, caller: Caller, webhook_id: UUID, *, events: Sequence[UUID], outcomes: Sequence[str]
) -> Listing:
    """The tries to deliver, newest first.

    Raises:
        NotFound: "webhook_unknown".
    """
    await get(desk, db, caller, webhook_id)
    return store.list_attempts(desk.tables, webhook_id, events, outcomes)


async def replay(desk: Desk, db: Session, caller: Caller, webhook_id: UUID, body: ReplayBody) -> dict[str, Any]:
    """Send a part of the log again, with the same ids, beside what is new; only what the webhook has passed already.

    Raises:
        NotFound: "webhook_unknown". Conflict: too many are running ("webhook_replays_too_many").
        Refused: neither moment nor cursor ("webhook_moment_invalid"), or nothing lies between
            ("webhook_replay_empty").
        Gone: a cursor is of a log before it was restored ("feed_rewound").
    """
    row = await _locked(desk, db, caller, webhook_id)
    courses = await store.courses(db, webhook_id)
    if len(courses) > MOST_REPLAYS:
        raise Conflict(REPLAYS_TOO_MANY, limit=MOST_REPLAYS)
    passed = courses[0].pos
    after = max(await _place(desk, db, body.from_), await store.first_position(db) - 1)
    upto = passed if body.to is None else min(await _place(desk, db, body.to), passed)
    if after >= upto:
        raise Refused(REPLAY_EMPTY)
    await store.add_course(db, webhook_id, courses[-1].number + 1, after=after, upto=upto)
    await store.change(db, desk.tables, webhook_id, _rights_of_owner(desk, caller, row))
    epoch, _ = await store.head(db)
    cursors = {"after": encode_position(f"{epoch}.{after}"), "upto": encode_position(f"{epoch}.{upto}")}
    told = {**cursors, "positions": upto - after}
    await audit.record(db, caller, "webhook.replayed", f"webhook:{webhook_id}", change=(None, told))
    return told


_ASKED_ANEW: Mapping[str, Any] = {"challenges": 0, "challenge_due_at": func.clock_timestamp()}


async def _locked(
    desk: Desk, db: Session, caller: Caller, webhook_id: UUID, version: int | None = None
) -> Mapping[str, Any]:
    row = await store.find_for_change(db, desk.tables, caller, webhook_id)
    if row is None:
        raise NotFound(WEBHOOK_UNKNOWN, webhook_id=webhook_id)
    if version is not None and version != row["version"]:
        raise PreconditionFailed(STALE_VERSION, current=row["version"], asked=version)
    return row


async def _note(
    desk: Desk, db: Session, caller: Caller, webhook_id: UUID, deed: str, before: Mapping[str, Any] | None = None
) -> None:
    after = await get(desk, db, caller, webhook_id)
    change = (None if before is None else _told(before), _told(after))
    await audit.record(db, caller, deed, f"webhook:{webhook_id}", change=change)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _TOLD}


def _rights(desk: Desk, caller: Caller) -> dict[str, Any]:
    """What a webhook hears: all its owner may hear now. Without `changes:read` that is what anybody may."""
    if "changes:read" in caller.scopes:
        return {"caller_subject": caller.subject, "admin_units": caller.unit_codes}
    if desk.house.settings.public_read:
        return {"caller_subject": caller.subject, "admin_units": []}
    raise Forbidden(SCOPE_MISSING, scope="changes:read")


def _rights_of_owner(desk: Desk, caller: Caller, row: Mapping[str, Any]) -> dict[str, Any]:
    """Its owner's rights as they are now; an operator who changes another's webhook lends it none."""
    return _rights(desk, caller) if caller.client_id == row["client_id"] else {}


def _checked(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of what was given, in the form they are kept in."""
    fields: dict[str, Any] = {}
    for name, value in given.items():
        fields[_FIELDS[name]] = list(value) if isinstance(value, tuple) else value
    fields = {name: value for name, value in fields.items() if value is not None or name == "description"}
    if "url" in fields:
        fields["url"] = desk.guard.check_url(fields["url"])
    for index, kind in enumerate(fields.get("types", ())):
        if kind not in desk.service.events:
            fault = Fault(EVENT_TYPE_UNKNOWN, {"type": kind}, pointer=f"/types/{index}", value=kind)
            raise Refused(BODY_INVALID, faults=[fault])
    return fields


async def _place(desk: Desk, db: ReadSession, given: str) -> int:
    """The position a moment or a cursor stands for: of the last event before it, or at it."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None:
        return await _position(desk, db, given)
    if moment.tzinfo is None:
        raise Refused(MOMENT_INVALID, value=given)
    return await store.position_at(db, moment)


async def _beginning(desk: Desk, db: ReadSession, cursor: str) -> int:
    """The position after which everything is still there."""
    position = await _position(desk, db, cursor)
    if position + 1 < await store.first_position(db):
        raise await _gone(desk, db, CURSOR_EXPIRED)
    return position


async def _position(desk: Desk, db: ReadSession, cursor: str) -> int:
    epoch, position = decode_position(cursor)
    current, head = await store.head(db)
    if epoch != current or position > head:
        raise await _gone(desk, db, FEED_REWOUND)
    return position


async def _gone(desk: Desk, db: ReadSession, rule: Rule) -> Gone:
    """A dead cursor, refused with the same members as by the change feed."""
    epoch, _ = await store.head(db)
    oldest = Position(epoch, await store.first_position(db) - 1)
    return gone(rule, desk.service.name, oldest, desk.service.lists)
