"""An import seen through by a client whose service dies under it: it opens it once and goes on where it was."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx2

from benchmarks.forms import CONTENT_TYPES
from tests.faults.journal import GIVEN_UP, Journal, Posting, Reply

IMPORTS = "/v1/indicators/imports"
PIECES = 3
PAUSE_SECONDS = 0.1
UNDER_WAY = ("receiving", "queued", "running")


class Sender:
    """One try at an import: as far as it comes."""

    def __init__(self, http: httpx2.AsyncClient, journal: Journal, posting: Posting) -> None:
        self._http = http
        self._journal = journal
        self._posting = posting

    async def attempt(self) -> Reply | None:
        """The import's end; None where something was in the way and it has to be tried again."""
        if not (self._posting.place or await self._open()) or not await self._send():
            return None
        return await self._wait()

    async def _ask(self, method: str, url: str, **more: Any) -> httpx2.Response:
        answer = await self._http.request(method, url, **more)
        self._journal.count(f"import {answer.status_code}")
        if answer.status_code in (400, 404, 415, 422) or (answer.status_code >= 500 and answer.status_code != 503):
            self._journal.broken.append(f"{self._posting.source}: {method} {url} was answered {answer.text[:300]}")
        return answer

    async def _open(self) -> bool:
        posting = self._posting
        told = {
            "content_type": CONTENT_TYPES[posting.form],
            "name": posting.source,
            "size_bytes": len(posting.body),
            "mode": posting.mode,
            "on_stale": "skip",
            "dry_run": posting.is_dry_run,
        }
        answer = await self._ask("POST", IMPORTS, json=told, headers={"Idempotency-Key": posting.source})
        if answer.status_code == 201:
            posting.place = answer.headers["Location"]
        return answer.status_code == 201

    async def _send(self) -> bool:
        """Send what is not held yet; what was said to be held must be."""
        posting = self._posting
        assert posting.place is not None
        found = await self._ask("HEAD", posting.place)
        if found.status_code != 200:
            return False
        held = int(found.headers["Upload-Offset"])
        if held < posting.held:
            self._journal.broken.append(f"{posting.source}: {posting.held} bytes were held, and now it is {held}")
        size = -(-len(posting.body) // PIECES)
        is_complete = found.headers.get("Upload-Complete") == "?1"
        while not is_complete:
            piece, is_last = posting.body[held : held + size], held + size >= len(posting.body)
            headers = {"Content-Type": "application/partial-upload", "Upload-Offset": str(held)}
            headers["Upload-Complete"] = "?1" if is_last else "?0"
            sent = await self._ask("PATCH", posting.place, content=piece, headers=headers)
            if sent.status_code != 204:
                return False
            held = posting.held = int(sent.headers["Upload-Offset"])
            is_complete = is_last and held == len(posting.body)
        return True

    async def _wait(self) -> Reply | None:
        posting = self._posting
        assert posting.place is not None
        while True:
            answer = await self._ask("GET", posting.place)
            if answer.status_code != 200:
                return None
            found = answer.json()
            if found["state"] not in UNDER_WAY:
                return self._reply(found)
            await asyncio.sleep(PAUSE_SECONDS)

    def _reply(self, found: dict[str, Any]) -> Reply:
        """The end as a post would have answered it. Asked again, it is the same import with the same result."""
        body = found["result"] or found["problem"] or {}
        refused = 207 if body.get("refused") else 200
        status = {"done": refused, "refused": 422}.get(found["state"], 500)
        if body.get("code") == "import_given_up":
            status = GIVEN_UP
        raw = json.dumps([found["import_id"], found["state"], body], sort_keys=True).encode()
        return Reply(status, body if found["state"] == "done" else {}, raw, True, time.monotonic())
