"""One file after the other, each sent to its end: with a bar for people, a key that outlives a kill, and a receipt."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from chassis.receipts import ReceiptInvalid
from chitieu.client import (
    TYPES,
    AsyncClient,
    Body,
    ClientError,
    NotReached,
    OnBlank,
    Report,
    Step,
    Terms,
    body_of,
)
from chitieu.push.dues import due_lines
from chitieu.push.faults import write_faults
from chitieu.push.outcomes import Outcome
from chitieu.push.receipts import keep
from chitieu.push.state import begin
from chitieu.push.telling import PLAIN

STDIN = Path("-")
WORKBOOKS = frozenset({TYPES["xlsx"], TYPES["xls"]})
_PHASES = {"sending": "Đang gửi", "working": "Máy chủ đang xử lý"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to push."""

    terms: Terms
    state_dir: Path
    type_name: str | None = None
    receipts: Path | None = None
    errors: Path | None = None
    on_blank: OnBlank | None = None  # None: rows left blank are left out of workbooks, which may be forms

    def terms_of(self, body: Body) -> Terms:
        """The terms of one file."""
        return replace(self.terms, on_blank=self.on_blank or ("skip" if body.content_type in WORKBOOKS else "refuse"))

    def errors_of(self, place: int, count: int) -> Path | None:
        """Where the refused rows of a file go: of several files, each has its own, numbered as they were named."""
        return self.errors.with_stem(f"{self.errors.stem}-{place}") if self.errors and count > 1 else self.errors


@dataclass(slots=True)
class Pusher:
    """Sends files as one caller; `console` is where people look on, standard error."""

    client: AsyncClient
    url: str
    options: Options
    console: Console
    outcomes: list[Outcome] = field(default_factory=list)

    async def push(self, files: Sequence[Path]) -> list[Outcome]:
        """Send every file; after one that could not be sent for want of an answer the others are not tried."""
        for place, file in enumerate(files, start=1):
            errors = self.options.errors_of(place, len(files))
            with await opened(file, self.options) as body:
                outcome = await self.push_body(file, body, errors)
            self.outcomes.append(outcome)
            if isinstance(outcome.error, NotReached):
                break
        return self.outcomes

    async def push_body(self, file: Path, body: Body, errors: Path | None) -> Outcome:
        """Send one body, and keep what is to be kept of the answer."""
        outcome = Outcome(str(file), body.sha256)
        terms = self.options.terms_of(body)
        pushing = begin(self.options.state_dir, self.url, body.sha256, terms)
        if pushing.is_resumed:
            self.console.print(f"{file}: tiếp tục lần gửi dở trước đó.", **PLAIN)
        with self._bar(file) as report:
            try:
                outcome.result = await self.client.post_body(
                    body,
                    terms,
                    key=pushing.key,
                    # An import keeps the refused rows as they were sent.
                    as_import=True if errors else None,
                    report=report,
                )
            except ClientError as error:
                outcome.error = error
        if not isinstance(outcome.error, NotReached):
            pushing.end()
            await self._keep(file, body, outcome, errors)
        return outcome

    async def _keep(self, file: Path, body: Body, outcome: Outcome, errors: Path | None) -> None:
        """Keep the refused rows and the receipt; that one cannot be kept changes nothing about what was recorded."""
        options, result = self.options, outcome.result
        if errors and outcome.faults:
            try:
                await write_faults(self.client, outcome, errors)
            except (ClientError, OSError) as error:
                outcome.notes.append(f"Không ghi được tệp lỗi {errors}: {error}.")
        if result is None or result.dry_run:
            return
        if options.receipts:
            await self._keep_receipt(file, body, outcome, options.receipts)
        outcome.due = await due_lines(self.client, body, options.terms.sheet)

    async def _keep_receipt(self, file: Path, body: Body, outcome: Outcome, folder: Path) -> None:
        assert outcome.result is not None
        path = None if file == STDIN else file
        kind = body.content_type if self.options.type_name else None
        try:
            outcome.receipt_file = await keep(
                self.client, folder, outcome.result, path=path, content_type=kind, terms=self.options.terms_of(body)
            )
        except (ClientError, ReceiptInvalid, OSError) as error:
            outcome.notes.append(f"Đã ghi nhận, nhưng không lưu được biên nhận vào {folder}: {error}.")

    @contextlib.contextmanager
    def _bar(self, file: Path) -> Iterator[Report]:
        """A bar while a body is sent; where nobody looks on, a line for each wait."""
        is_seen = self.console.is_terminal
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True, disable=not is_seen) as bar:
            task = bar.add_task(f"{file}: đang gửi", total=None)
            told = 0.0

            def report(step: Step) -> None:
                nonlocal told
                if step.phase != "waiting":
                    words = f"{file}: {_PHASES[step.phase].lower()}"
                    bar.update(task, description=words, completed=step.done, total=step.total)
                    return
                words = f"{file}: chờ {step.done:.0f} giây rồi gửi lại ({step.note})"
                bar.update(task, description=words)
                if not is_seen and time.monotonic() - told > 5:
                    told = time.monotonic()
                    self.console.print(words, **PLAIN)

            yield report


async def opened(file: Path, options: Options) -> Body:
    """A file, or standard input, as a body.

    Raises:
        FileTrouble: it cannot be read, or its type is not known.
    """
    kind = TYPES[options.type_name] if options.type_name else None
    return await body_of(sys.stdin.buffer if file == STDIN else file, kind)
