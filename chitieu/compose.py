"""Put a process together: which applications it serves, on which databases, with which keys."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI
from joserfc.jwk import OKPKey

from chassis.app import build_app
from chassis.auth import Verifier
from chassis.database import Database
from chassis.house import House, Service
from chassis.keys import Signer, public_keys
from chassis.peers import Peers
from chassis.receipts import Receipts
from chassis.settings import SERVICES, Settings
from chitieu.migrate import head_of
from chitieu.troubles import Trouble

FOLLOWER_SCOPES = ("plans:read", "changes:read")


@cache
def service_of(name: str) -> Service:
    """One service's parts, by the names its six roles have in every service."""
    api: Any = importlib.import_module(f"services.{name}.api")
    events: Any = importlib.import_module(f"services.{name}.events")
    store: Any = importlib.import_module(f"services.{name}.store")
    service: Any = importlib.import_module(f"services.{name}.service")
    return Service(
        name=name,
        title=api.TITLE,
        description=api.DESCRIPTION,
        router=api.router,
        metadata=store.Base.metadata,
        subscriptions=events.SUBSCRIPTIONS,
        events=events.EVENTS,
        jobs=getattr(service, "JOBS", ()),
        lists=events.LISTS,
    )


@dataclass(frozen=True, slots=True)
class Composition:
    """The applications of one process."""

    settings: Settings
    peers: Peers
    services: Mapping[str, FastAPI]
    gateway: Any | None

    @property
    def door(self) -> Any:
        """The application to serve: the gateway, else the one service."""
        return self.gateway or next(iter(self.services.values()))

    def stop_waiting(self) -> None:
        """End every long poll and stream, so that a stop need not wait for them."""
        for app in self.services.values():
            app.state.house.stop_waiting()
        if self.gateway is not None:
            self.gateway.house.stop_waiting()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run every sequencer, follower and job while the block lasts."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.peers.close)
            _refuse_without_public_url(self)
            _refuse_without_receipt_keys(self.services.values())
            for app in self.services.values():
                await stack.enter_async_context(app.state.house.running())
            yield


def _refuse_without_public_url(composition: Composition) -> None:
    """What is announced in earnest says where it comes from, wherever it is read."""
    settings = composition.settings
    if composition.services and not settings.is_demo and settings.public_url is None:
        raise Trouble("Events name the house by its address: set CHITIEU_PUBLIC_URL, https://chitieu.example.gov.vn.")


def _refuse_without_receipt_keys(apps: Iterable[FastAPI]) -> None:
    """Say now, not in the middle of the first post, that receipts cannot be signed."""
    for app in apps:
        try:
            app.state.house.receipts.public()
        except (OSError, ValueError) as error:
            raise Trouble(
                f"There is no key to sign receipts with ({error}): set CHITIEU_RECEIPT_KEY_FILE, "
                "or make a local key with `chitieu keys`."
            ) from error


def compose(
    settings: Settings,
    databases: Mapping[str, str],
    *,
    names: Sequence[str] = SERVICES,
    key: OKPKey | None = None,
    with_gateway: bool = True,
) -> Composition:
    """Build the named services on their databases (service name → login URL), and the gateway before them."""
    peers = Peers(settings)
    has_key_set = settings.jwks_file is not None or settings.jwks_url is not None
    # Where keys are published our own key counts only if it is among them.
    verifier = Verifier(settings, public_keys(key) if key and not has_key_set else None)
    services: dict[str, FastAPI] = {}
    for name in names:
        house = House(
            settings,
            verifier=verifier,
            peers=peers,
            database=Database(databases[name], name, settings),
            token=follower_token(settings, key, name),
            revision=head_of(name),
            receipts=Receipts(settings, name, key),
        )
        services[name] = build_app(service_of(name), house)
    gateway = None
    if with_gateway:
        build_gateway: Any = importlib.import_module("gateway.app").build_gateway
        gateway = build_gateway(House(settings, verifier=verifier, peers=peers))
    return Composition(settings, peers, services, gateway)


def follower_token(settings: Settings, key: OKPKey | None, name: str) -> Callable[[], str]:
    """What a follower shows to the service it follows: the token of the settings, else one of our own key."""
    if settings.service_token:
        given = settings.service_token.get_secret_value()
        return lambda: given
    if key is None:
        return lambda: ""
    signer = Signer(key, settings)
    return lambda: signer.mint(f"chitieu-{name}", FOLLOWER_SCOPES, ["*"], seconds=300)
