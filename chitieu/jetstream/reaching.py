"""NATS as the operator reaches it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import nats.errors
from nats.js import JetStreamContext

from chassis.jetstream.connection import NatsTrouble, connected
from chassis.settings import Settings
from chitieu.troubles import Trouble

ANSWER_SECONDS = 10.0


@contextlib.asynccontextmanager
async def reaching(settings: Settings) -> AsyncIterator[JetStreamContext]:
    """JetStream while the block lasts.

    Raises:
        Trouble: NATS is not there, or does not do what it is asked.
    """
    try:
        async with connected(settings, "chitieu jetstream") as client:
            yield client.jetstream(timeout=ANSWER_SECONDS)
    except NatsTrouble as trouble:
        raise Trouble(str(trouble)) from trouble
    except nats.errors.TimeoutError as error:
        raise Trouble("NATS does not answer: is JetStream on, and do most of its servers run?") from error
    except nats.errors.Error as error:
        raise Trouble(f"NATS refuses: {error}.") from error
