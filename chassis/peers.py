"""How a process reaches a service: by URL, or in this process without a socket. The one place with HTTP clients."""

from __future__ import annotations

from typing import Any

import httpx2

from chassis.settings import SERVICES, Settings

LIMITS = httpx2.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30)


class Peers:
    """Clients of the three services, made once per process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._apps: dict[str, Any] = {}
        self._clients: dict[str, httpx2.AsyncClient] = {}

    def attach(self, service: str, app: Any) -> None:
        """Say that a service lives in this process."""
        self._apps[service] = app
        self._clients.pop(service, None)

    def is_local(self, service: str) -> bool:
        """Whether a service is reached without a socket: then replies are buffered and must be bounded."""
        return service in self._apps

    def app(self, service: str) -> Any:
        """The application of a service in this process, for requests that pass through unchanged."""
        return self._apps[service]

    def names(self) -> tuple[str, ...]:
        """The services that can be reached."""
        return tuple(name for name in SERVICES if self.is_local(name) or self._settings.url_of(name))

    def client(self, service: str) -> httpx2.AsyncClient:
        """The client of one service.

        Raises:
            LookupError: it is neither in this process nor is its URL set.
        """
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]

    def _make(self, service: str) -> httpx2.AsyncClient:
        app = self._apps.get(service)
        if app is not None:
            transport = httpx2.ASGITransport(app=app)
            return httpx2.AsyncClient(transport=transport, base_url=f"http://{service}", trust_env=False)
        url = self._settings.url_of(service)
        if url is None:
            raise LookupError(f"service {service} is not in this process and CHITIEU_{service.upper()}_URL is unset")
        timeout = httpx2.Timeout(self._settings.upstream_timeout_seconds, connect=0.5, pool=0.25)
        return httpx2.AsyncClient(base_url=url, timeout=timeout, limits=LIMITS, trust_env=False)

    async def close(self) -> None:
        """Close every client."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
