"""A small client of the public door; what it refuses becomes one sentence, with its faults below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from chitieu.troubles import Trouble

SHOWN_FAULTS = 10
TIMEOUT = httpx2.Timeout(120, connect=5)


class Refusal(Trouble):
    """The door answered, and refused."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.faults: list[dict[str, Any]] = list(problem.get("errors", []))
        detail = problem.get("detail", "no reason given")
        lines = [f"{method} {path} was refused ({status} {self.code}): {detail}"]
        lines += [f"  {_place(fault)}: {fault.get('message')}" for fault in self.faults[:SHOWN_FAULTS]]
        hidden = int(problem.get("errors_total", len(self.faults))) - SHOWN_FAULTS
        if hidden > 0:
            lines.append(f"  and {hidden} more")
        super().__init__("\n".join(lines))


def _place(fault: Mapping[str, Any]) -> str:
    parts = [f"{name} {fault[name]}" for name in ("row", "column") if fault.get(name) is not None]
    if fault.get("pointer"):
        parts.append(str(fault["pointer"]))
    return ", ".join(parts) or str(fault.get("code"))


class Door:
    """Sends one request after the other, with the token of one caller."""

    def __init__(self, client: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        self._client = client
        self._headers = {"Accept-Language": "en", **headers}
        self.min_version: str | None = None

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send one request; `body` is JSON, or CSV when it is bytes. Answers the reply's JSON.

        Raises:
            Refusal: the door refused.
            Trouble: nobody answers at the address.
        """
        content: dict[str, Any] = {} if body is None else {"json": body}
        sent = {**self._headers, **(headers or {})}
        if self.min_version:
            sent["X-Min-Version"] = self.min_version
        if isinstance(body, bytes):
            content = {"content": body}
            sent["Content-Type"] = "text/csv; charset=utf-8"
        try:
            response = await self._client.request(method, path, params=params, headers=sent, timeout=TIMEOUT, **content)
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise Trouble(f"Nobody answers at {self._client.base_url}: {reason}.") from error
        return _read(method, path, response)


def _read(method: str, path: str, response: httpx2.Response) -> dict[str, Any]:
    if response.status_code == httpx2.codes.NO_CONTENT:
        return {}
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Trouble(f"{method} {path}: what answers there ({response.status_code}) is not chitieu.")
    if response.is_error:
        raise Refusal(method, path, response.status_code, answer)
    return answer
