"""One attempt at one import: its bytes to a file, its rows posted, its end written in the same transaction."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Any

from chassis import tabular
from chassis.database import Database, Session
from chassis.errors import Refused, TooLarge
from chassis.house import House
from chassis.receipts import Facts, sign_receipt
from chassis.replica import catching_up
from services.indicators.domain.actuals.titles import TITLES
from services.indicators.domain.import_errors import Sorting
from services.indicators.domain.imports import SHA256_MISMATCH, State, kept_faults, kept_problem
from services.indicators.service.actuals import PostRefused, PostResult, post_actuals
from services.indicators.service.imports import kept_for
from services.indicators.service.reverting import Revert, revert
from services.indicators.service.terms import Mode, OnBlank, OnStale, PostTerms, Progress
from services.indicators.store import import_errors as errors
from services.indicators.store import imports as store
from services.indicators.store.imports import Claim, Ending

FOLDER = "chitieu-import-"
TELL_SECONDS = 0.5
UNPACKED_TIMES = 4  # an import may unpack to so many times what it may be as sent
FEED_BYTES = 16 * 1024  # at once, so that a packed desert of zeros unpacks to little at once
PARTS_AT_ONCE = 8
LOT_ROWS = 50_000  # smaller than a post's at once: 2 million rows took 184 MiB this way, 416 MiB in lots of 200,000
Tell = Callable[[Claim, Progress | None], Awaitable[None]]


class LeaseLost(Exception):
    """Somebody else has the import now, or it is no longer there."""


class CancelAsked(Exception):
    """The import's sender does not want it any more."""


class Run:
    """One attempt at one import; `tell` says how far it has come, and raises when it is to stop."""

    def __init__(self, house: House, database: Database, claim: Claim, tell: Tell) -> None:
        self._house = house
        self._database = database
        self._claim = claim
        self._tell = tell
        self._told = float("-inf")

    async def to_the_end(self) -> None:
        """Do all the import is for, and write its end with it.

        Raises:
            HouseError: it is refused; nothing was written.
            LeaseLost: somebody else has it; nothing was written.
            CancelAsked: it is not wanted any more; nothing was written.
        """
        if self._claim.terms["reverts"] is not None:
            await self._revert()
            return
        with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
            path = Path(folder) / "rows"
            digest = await self._spool(path)
            try:
                await self._post(self._body(path), digest)
            except PostRefused as refusal:
                await self._refuse(self._body(path), refusal)
            except TooLarge as error:
                # A post at once is advised to become an import, which this one is.
                raise error.__cause__ if isinstance(error.__cause__, TooLarge) else error from None

    async def _progress(self, progress: Progress) -> None:
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            await self._tell(self._claim, progress)

    # --- the bytes

    async def _spool(self, path: Path) -> bytes:
        """Write the bytes, unpacked, into a file; answers the digest of what was sent."""
        packing = tabular.unpacking(self._claim.terms["content_encoding"], self._limits().unpacked_bytes)
        digest, offset = hashlib.sha256(), 0
        with await asyncio.to_thread(path.open, "wb") as file:
            while content := await self._chunk(offset):
                await asyncio.to_thread(_unpack, packing, content, file)
                await asyncio.to_thread(digest.update, content)
                offset += len(content)
                await self._progress(Progress())
        self._compare(digest.digest())
        packing.finish()
        return digest.digest()

    async def _chunk(self, offset: int) -> bytes | None:
        async with self._database.read() as db:
            return await store.next_chunk(db, self._claim.import_id, offset)

    def _compare(self, found: bytes) -> None:
        declared = self._claim.terms["sha256"]
        if declared is not None and declared != found:
            raise Refused(SHA256_MISMATCH, found=found.hex(), declared=declared.hex())

    def _limits(self) -> tabular.Limits:
        settings = self._house.settings
        return tabular.Limits(settings.max_import_bytes * UNPACKED_TIMES, settings.max_import_rows)

    def _body(self, path: Path) -> tabular.Body:
        terms = self._claim.terms
        return tabular.Body(path, terms["content_type"], TITLES, self._limits(), "actuals", terms["sheet"])

    # --- a post

    async def _post(self, body: tabular.Body, digest: bytes) -> None:
        is_dry = self._claim.terms["is_dry_run"]
        async with self._database.write(keep=not is_dry) as db:
            self._describe(db)
            result = await post_actuals(db, self._claim.caller, body, self._terms(digest))
            if not is_dry:
                await self._done(db, result, body, digest)
        if is_dry:
            async with self._database.write() as db:
                await self._done(db, result, body, digest)

    def _terms(self, digest: bytes) -> PostTerms:
        terms = self._claim.terms
        style = terms["number_style"]
        return PostTerms(
            catching_up(self._house.followers),
            self._house.settings.is_demo,
            mode=Mode(terms["mode"]),
            on_stale=OnStale(terms["on_stale"]),
            on_blank=OnBlank(terms["on_blank"]),
            style=tabular.NumberStyle(style) if style else None,
            sha256=digest,
            import_id=self._claim.import_id,
            lot_rows=LOT_ROWS,
            progress=self._progress,
        )

    def _describe(self, db: Session) -> None:
        terms = self._claim.terms
        db.info.update(caller=self._claim.caller, request_id=terms["request_id"], dry_run=terms["is_dry_run"])
        db.info["traceparent"] = terms["trace"]

    async def _done(self, db: Session, result: PostResult, body: tabular.Body, digest: bytes) -> None:
        """Write the end of an import into the transaction of its figures."""
        columns = await self._keep_errors(db, body, result.errors)
        kept = self._result(result, digest)
        await self._end(db, Ending(State.DONE, kept_for(self._house.settings), kept, None, columns, digest))

    def _result(self, result: PostResult, digest: bytes) -> dict[str, Any]:
        receipt = None
        if digest and not result.is_dry_run:
            facts = Facts(self._claim.import_id, digest, result.counts, result.write_token, result.at)
            receipt = sign_receipt(self._house, facts)
        return {
            "counts": result.counts,
            "left_blank": result.blank,
            "errors": kept_faults(result.errors.listed()),
            "errors_total": result.errors.total,
            "warnings": kept_faults(result.warnings.listed()),
            "warnings_total": result.warnings.total,
            "write_token": result.write_token,
            "receipt": receipt,
        }

    async def _end(self, db: Session, ending: Ending) -> None:
        if not await store.end(db, self._claim, ending):
            # Not kept: it was cancelled at the last moment, or somebody else has it by now.
            await self._tell(self._claim, None)
            raise LeaseLost

    async def _refuse(self, body: tabular.Body, refusal: PostRefused) -> None:
        """Write why nothing was written, and the refused rows beside it."""
        async with self._database.write() as db:
            columns = await self._keep_errors(db, body, refusal.findings)
            received = refusal.values["received"]
            assert isinstance(received, int)
            kept, problem = kept_for(self._house.settings), kept_problem(refusal)
            await self._end(db, Ending(State.REFUSED, kept, None, problem, columns, rows_read=received))

    async def _keep_errors(self, db: Session, body: tabular.Body, findings: tabular.Findings) -> tuple[str, ...]:
        """Read the body again up to the last refused row, and keep these part by part; answers the columns seen."""
        if not findings.total:
            return ()
        sorting = Sorting(findings)
        parts = sorting.parts(tabular.read(body))
        while some := await asyncio.to_thread(list, islice(parts, PARTS_AT_ONCE)):
            await errors.add_parts(db, self._claim.import_id, some)
            await self._progress(Progress())
        return sorting.columns

    # --- the revert of another import

    async def _revert(self) -> None:
        claim = self._claim
        asked = Revert(claim.import_id, claim.terms["reverts"], claim.terms["reason"])
        async with self._database.write() as db:
            self._describe(db)
            result = await revert(db, claim.caller, asked, self._progress)
            kept = self._result(result, b"")
            await self._end(db, Ending(State.DONE, kept_for(self._house.settings), kept))


def _unpack(packing: tabular.Unpacking, content: bytes, file: Any) -> None:
    for start in range(0, len(content), FEED_BYTES):
        file.write(packing.feed(content[start : start + FEED_BYTES]))
