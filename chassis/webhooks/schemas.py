"""Webhooks as they cross the border."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from chassis.bodies import Body

ProvinceCode = Annotated[str, Field(pattern="^[0-9]{2}$", examples=["75"])]
CommuneCode = Annotated[str, Field(pattern="^[0-9]{5}$", examples=["26491"])]
Types = Annotated[tuple[str, ...], Field(max_length=200, description="Event types; none: all.")]
Provinces = Annotated[tuple[ProvinceCode, ...], Field(max_length=100, description="Of these provinces; none: any.")]
Communes = Annotated[tuple[CommuneCode, ...], Field(max_length=1000, description="Of these communes; none: any.")]
Description = Annotated[str | None, Field(max_length=500, description="For people.", examples=["IOC Đồng Nai"])]
Url = Annotated[
    str,
    Field(
        max_length=2000,
        description="Where events are posted to: https, on the public internet (the operator may allow more).",
        examples=["https://ioc.example.vn/chitieu"],
    ),
]


class WebhookBody(Body):
    """Who wants to be told, of what, where."""

    url: Url
    types: Types = ()
    province: Provinces = ()
    commune: Communes = ()
    ordering: Literal["key", "none"] = Field(
        "key",
        description="key: the events of a subject come one after the other, and wait for one that failed; none: no"
        " event waits for another.",
    )
    description: Description = None
    secret: str | None = Field(
        None, description="One of your own (whsec_ and 24 to 64 bytes in base64); absent: one is made and shown once."
    )
    after: str | None = Field(
        None, description="A change cursor (Changes-Cursor of a list): hear what comes after it; absent: from now on."
    )


class WebhookChange(Body):
    """What is to be different; what is left out stays. A new url has to answer a challenge."""

    url: Url | None = None
    types: Types | None = None
    province: Provinces | None = None
    commune: Communes | None = None
    description: Description = None


class ReplayBody(Body):
    """Which part of the log is to be sent again."""

    from_: str = Field(
        alias="from",
        description="Events that came into the log from this moment on, or after this change cursor.",
        examples=["2026-11-22T08:00:00+07:00"],
    )
    to: str | None = Field(
        None, description="To this moment, or up to this cursor; absent: all that the webhook has passed."
    )


class Webhook(BaseModel):
    """A webhook as its owner sees it."""

    id: UUID
    url: str
    types: list[str]
    province: list[str]
    commune: list[str]
    ordering: str = Field(description="key or none.")
    description: str | None
    state: str = Field(description="pending: it has not answered the challenge yet; active; paused.")
    paused_because: str | None = Field(
        description="asked, gone (410), failing (nothing but failures for days) or unanswered (the challenge)."
    )
    client_id: str
    admin_units: list[str] = Field(
        description="Units whose restricted events it hears: those of its owner's token when its owner last changed it."
    )
    version: int = Field(description="Goes up with every change; If-Match names it.")
    created_at: datetime
    changed_at: datetime
    activated_at: datetime | None
    old_secret_until: datetime | None = Field(description="Until then the secret of before signs as well.")
    failing_since: datetime | None = Field(description="Since then there was no success.")
    behind_events: int = Field(description="Positions of the log it has not passed.")
    held_keys: int = Field(description="Subjects (without order: events) that wait after a failure.")
    replays: int = Field(description="Replays that are running.")


class WebhookWithSecret(Webhook):
    """A webhook with its secret, shown this once."""

    secret: str | None = Field(description="Shown once, and again to a retry within ten minutes; else null.")


class Delivery(BaseModel):
    """One try to deliver."""

    event_id: UUID = Field(description="The webhook-id, the same over all tries.")
    type: str
    subject: str
    sequence: str | None = Field(description="The event's place in the log; null: a challenge or a ping.")
    attempt: int = Field(description="1 for the first try.")
    at: datetime
    outcome: str = Field(
        description="delivered, rejected (any status but 2xx), timed_out, unreachable, forbidden (an address that is"
        " not reached from here), unanswered (the challenge), expired (no longer in the log)."
    )
    status: int | None
    milliseconds: int
    excerpt: str | None = Field(description="The beginning of the reply.")
    detail: str | None


class Ping(BaseModel):
    """A ping that is on its way."""

    event_id: UUID = Field(description="Look for it in the deliveries.")


class Replay(BaseModel):
    """A part of the log that is sent again, among what is new."""

    after: str = Field(description="Change cursor before the first event.")
    upto: str = Field(description="Change cursor of the last one.")
    positions: int = Field(description="So many positions of the log; what the webhook does not hear is among them.")
