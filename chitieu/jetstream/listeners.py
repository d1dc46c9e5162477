"""Listeners: consumers made by the operator, so that whoever fetches from them hears what a token of their units would.

A public event is for every listener; a restricted one for the unit it concerns, its province, and `*`: the same rule
as that of the feed, said in subjects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

from chassis.jetstream.subjects import PUBLIC, RESTRICTED, stream_of
from chitieu.troubles import Trouble

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
_PROVINCE, _COMMUNE = re.compile(r"\d{2}", re.ASCII), re.compile(r"\d{5}", re.ASCII)
EVERYWHERE = "*"
ACK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, by which subjects, to which services."""

    name: str
    subjects: tuple[str, ...]
    services: tuple[str, ...]

    @property
    def inbox(self) -> str:
        """The prefix of its inbox: nobody else may listen there."""
        return f"_INBOX_{self.name}"

    @property
    def permissions(self) -> str:
        """What the listener's user may do, as NATS's configuration says it."""
        allowed = [
            f'"{subject}"'
            for stream in map(stream_of, self.services)
            for subject in (
                f"$JS.API.CONSUMER.INFO.{stream}.{self.name}",
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{self.name}",
                f"$JS.ACK.{stream}.{self.name}.>",
            )
        ]
        lines = ["permissions: {", "  publish: [", *(f"    {subject}" for subject in allowed), "  ]"]
        return "\n".join([*lines, f'  subscribe: ["{self.inbox}.>"]', "}"])


def listener_of(name: str, units: Sequence[str], services: Sequence[str]) -> Listener:
    """The listener of this name who acts for these units.

    Raises:
        Trouble: a name NATS cannot have, or units that are none or do not go together.
    """
    if _NAME.fullmatch(name) is None:
        raise Trouble(f"{name} is no name of a listener: letters, digits and hyphens, at most 40.")
    return Listener(name, (f"{PUBLIC}.>", *_restricted(units)), tuple(services))


def _restricted(units: Sequence[str]) -> list[str]:
    if EVERYWHERE in units:
        return [f"{RESTRICTED}.>"]
    provinces = [f"{RESTRICTED}.{unit}.>" for unit in units if _PROVINCE.fullmatch(unit)]
    communes = [f"{RESTRICTED}.*.*.*.{unit}.>" for unit in units if _COMMUNE.fullmatch(unit)]
    if len(provinces) + len(communes) < len(units):
        raise Trouble("A unit is a province (75), a commune (26491), or * for all.")
    if provinces and communes:
        raise Trouble("Name provinces or communes: NATS takes no filters of which one event could meet two.")
    return list(dict.fromkeys(provinces or communes))


async def make_listener(js: JetStreamContext, listener: Listener) -> None:
    """Make the listener's consumers, or bring those that are there to these units; they keep their place.

    One message is out at a time, so that the order holds through every failure.

    Raises:
        Trouble: a stream is missing, or NATS refuses.
    """
    for service in listener.services:
        config = ConsumerConfig(
            name=listener.name,
            durable_name=listener.name,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_SECONDS,
            max_ack_pending=1,
            filter_subjects=list(listener.subjects),
        )
        try:
            await js.add_consumer(stream_of(service), config)
        except APIError as error:
            raise Trouble(
                f"{stream_of(service)}: {error.description}; `chitieu jetstream status` says more."
            ) from error


async def remove_listener(js: JetStreamContext, listener: Listener) -> None:
    """Take the listener's consumers away.

    Raises:
        Trouble: there is none.
    """
    for service in listener.services:
        try:
            await js.delete_consumer(stream_of(service), listener.name)
        except APIError as error:
            raise Trouble(f"{stream_of(service)}: {error.description}.") from error
