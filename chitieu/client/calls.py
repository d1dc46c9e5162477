"""The client: posts figures, by whichever door fits their size, and reads what became of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx2
from anyio import to_thread
from joserfc.jwk import KeySet

from chassis.receipts import read_keys
from chitieu.client.bodies import Body, Source, body_of
from chitieu.client.errors import TooLarge, Unavailable
from chitieu.client.imports import IMPORTS, create_import, follow, look_at, upload
from chitieu.client.results import Import, Posted, Step, import_of, posted_of
from chitieu.client.wire import TIMED_OUT, Patience, Report, Sending, Token, Wire, into, quietly

ACTUALS = "/v1/indicators/actuals"
MOST_BYTES, MOST_ROWS = 64 * 1024 * 1024, 200_000
Mode = Literal["atomic", "partial"]
OnStale = Literal["refuse", "skip"]
OnBlank = Literal["refuse", "skip"]
NumberStyle = Literal["vi", "en", "plain"]
ErrorsForm = Literal["csv", "xlsx"]
_ERRORS_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How rows are posted: all or none, or what is good; for show only; what happens to older and blank ones."""

    mode: Mode = "atomic"
    dry_run: bool = False
    on_stale: OnStale = "refuse"
    number_style: NumberStyle | None = None
    sheet: str | None = None
    on_blank: OnBlank = "refuse"

    def params(self) -> dict[str, str]:
        """As query parameters; what is usual is not said."""
        said = {
            "mode": self.mode if self.mode != "atomic" else None,
            "dry_run": "true" if self.dry_run else None,
            "on_stale": self.on_stale if self.on_stale != "refuse" else None,
            "on_blank": self.on_blank if self.on_blank != "refuse" else None,
            "number_style": self.number_style,
            "sheet": self.sheet,
        }
        return {name: value for name, value in said.items() if value is not None}

    def fields(self) -> dict[str, Any]:
        """As the fields of an import."""
        on_blank = self.on_blank if self.on_blank != "refuse" else None
        named = {"on_blank": on_blank, "number_style": self.number_style, "sheet": self.sheet}
        given = {name: value for name, value in named.items() if value is not None}
        return {"mode": self.mode, "dry_run": self.dry_run, "on_stale": self.on_stale, **given}


class AsyncClient:
    """Talks to a house as one caller; `token` may be a function that gives a fresh one.

    Everything it sends can be sent again: faults of the network, 429 and 503 are waited out (`patience`), with the
    same Idempotency-Key.
    """

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        language: str = "vi",
        patience: Patience | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx2.AsyncClient(base_url=url.rstrip("/"), transport=transport, trust_env=False)
        self._wire = Wire(self._http, token, language, patience or Patience())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def post_actuals(
        self,
        source: Source,
        *,
        content_type: str | None = None,
        mode: Mode = "atomic",
        dry_run: bool = False,
        on_stale: OnStale = "refuse",
        on_blank: OnBlank = "refuse",
        number_style: NumberStyle | None = None,
        sheet: str | None = None,
        key: str | None = None,
        as_import: bool | None = None,
        report: Report = quietly,
    ) -> Posted:
        """Post figures from rows, a file or bytes; the same again is harmless, and finishes what was broken off.

        With `on_blank="skip"` rows of a form that were not filled in are left out and counted (`left_blank`).
        Up to 200,000 rows and 64 MiB go in one request, more as an import (`as_import` chooses). `key` names this
        post: the same key, bytes and terms go on with an earlier try. `report` hears of every
        step (of the blocking client in another thread).

        Raises:
            Refused: no row was written; `faults` says why, row by row.
            Problem: the service refused for another reason, such as the token.
            NotReached: nobody answered; posting again is safe.
            FileTrouble: the source cannot be read.
            ImportFailed: the import was cancelled or failed.
        """
        terms = Terms(mode, dry_run, on_stale, number_style, sheet, on_blank)
        with await body_of(source, content_type) as body:
            return await self.post_body(body, terms, key=key, as_import=as_import, report=report)

    async def post_body(
        self,
        body: Body,
        terms: Terms,
        *,
        key: str | None = None,
        as_import: bool | None = None,
        report: Report = quietly,
    ) -> Posted:
        """Post a body that is made already; see `post_actuals`."""
        name = key or str(uuid.uuid4())
        is_large = body.size > MOST_BYTES or (body.lines or 0) > MOST_ROWS + 1
        if as_import or (as_import is None and is_large):
            return await self._import(body, terms, name, report)
        try:
            return await self._post(body, terms, name, report)
        except (TooLarge, Unavailable) as problem:
            is_slow = isinstance(problem, Unavailable) and problem.code == TIMED_OUT
            if as_import is False or not (is_slow or isinstance(problem, TooLarge)):
                raise
            return await self._import(body, terms, name, report)

    async def _post(self, body: Body, terms: Terms, key: str, report: Report) -> Posted:
        def sent(size: int) -> None:
            report(Step(phase="sending", done=size, total=body.size))
            if size >= body.size:
                report(Step(phase="working"))

        headers = {**body.headers, "Idempotency-Key": key}
        sending = Sending("POST", ACTUALS, terms.params(), headers, chunks=lambda: body.chunks(sent))
        return posted_of(await self._wire.read(sending, report))

    async def _import(self, body: Body, terms: Terms, key: str, report: Report) -> Posted:
        made = await create_import(self._wire, body, terms.fields(), f"{key}-import", report)
        await upload(self._wire, body, made.import_id, report)
        return await follow(self._wire, made.import_id, body.lines, report)

    async def get_import(self, import_id: uuid.UUID | str) -> Import:
        """An import, or a post that wrote: its state, progress and result."""
        return await look_at(self._wire, import_id, quietly)

    async def cancel_import(self, import_id: uuid.UUID | str) -> Import:
        """Stop an import that is not done; nothing of it is written."""
        return import_of(await self._wire.read(Sending("POST", f"{IMPORTS}/{import_id}/cancel", headers=_fresh_key())))

    async def revert_import(self, import_id: uuid.UUID | str, reason: str, *, key: str | None = None) -> Import:
        """Take back what an import wrote, as new versions; figures changed since are left and reported."""
        headers = {"Idempotency-Key": key} if key else _fresh_key()
        sending = Sending("POST", f"{IMPORTS}/{import_id}/revert", headers=headers, json={"reason": reason})
        return import_of(await self._wire.read(sending))

    async def follow_import(self, import_id: uuid.UUID | str, *, report: Report = quietly) -> Posted:
        """Wait until an import is over, and answer what it came to; see `post_actuals` for what it raises."""
        return await follow(self._wire, import_id, None, report)

    async def read_errors(self, import_id: uuid.UUID | str, form: ErrorsForm = "csv") -> bytes:
        """The refused rows of an import as its sender wrote them, with the reasons, as a file."""
        return (await self._wire.send(_errors_of(import_id, form))).content

    async def receipt_keys(self, service: str = "indicators") -> KeySet:
        """The keys that verify receipts of a service (`chassis.receipts.verify_receipt`)."""
        return read_keys(await self._wire.read(Sending("GET", f"/v1/{service}/receipt-keys")))

    async def read(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any resource that answers a JSON object."""
        return await self._wire.read(Sending("GET", path, params or {}))

    async def read_all(self, path: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.read(path, {"limit": 1000, **(params or {}), "cursor": cursor})
            items += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return items

    async def save_errors(self, import_id: uuid.UUID | str, file: Path) -> None:
        """Write the refused rows of an import to a file: CSV, XLSX or JSON by its name."""
        named = file.suffix.lower()
        if named == ".json":
            rows = await self.read_all(f"{IMPORTS}/{import_id}/errors")
            await to_thread.run_sync(file.write_bytes, json.dumps(rows, ensure_ascii=False).encode())
            return
        await self._wire.send(_errors_of(import_id, "xlsx" if named == ".xlsx" else "csv"), take=into(file))


def _errors_of(import_id: uuid.UUID | str, form: ErrorsForm) -> Sending:
    return Sending("GET", f"{IMPORTS}/{import_id}/errors", headers={"Accept": _ERRORS_TYPES[form]})


def _fresh_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}
