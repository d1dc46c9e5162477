"""Structured logs, request ids, trace context and metrics, put round every application once."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import re
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO, cast

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.settings import Settings

log = structlog.get_logger("request")

MAX_HEADER_BYTES = 32 * 1024  # names and values together; a token takes one or two

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

REQUESTS = Counter("chitieu_requests_total", "Requests answered", ["service", "method", "route", "status"])
SECONDS = Histogram("chitieu_request_seconds", "Time to answer, seconds", ["service", "method", "route"])
STREAMS = Gauge("chitieu_streams_open", "Streams of server-sent events now open", ["service"])
STREAMS_BEHIND = Gauge(
    "chitieu_streams_behind_events", "Positions of the log that the stream furthest behind has not passed", ["service"]
)
LOG_HEAD = Gauge("chitieu_event_log_position", "Head of the event log", ["service"])
LOG_OLDEST = Gauge("chitieu_event_log_oldest_position", "Oldest event still in the log", ["service"])
OUTBOX_EVENTS = Gauge("chitieu_event_outbox_events", "Events that wait for a position, 100,000 at most", ["service"])
OUTBOX_SECONDS = Gauge("chitieu_event_outbox_oldest_seconds", "Age of the oldest of them, seconds", ["service"])
FOLLOWER_BEHIND = Gauge(
    "chitieu_follower_behind_events", "Events a service has not heard yet of one it follows", ["service", "follower"]
)
ARCHIVE_FILES = Gauge("chitieu_event_archive_files", "Archives of events that have left the log", ["service"])
ARCHIVE_BYTES = Gauge("chitieu_event_archive_bytes", "Their size, bytes", ["service"])


class _StandardError(io.TextIOBase):
    """Standard error; that nothing can be said there (its disk is full, its reader is gone) ends nobody's work."""

    def write(self, text: str) -> int:
        """Say it, if anybody can be told."""
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """The same of what is left to be said."""
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def configure_logs(settings: Settings) -> None:
    """One line of JSON (or of text) per event, on standard error."""
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if settings.log_format == "text":
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )


def metrics() -> Response:
    """The process's metrics in Prometheus's text form."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class Failures:
    """The replies to a request that nobody could answer: one that broke, took too long, or has too large headers."""

    unforeseen: Callable[[Scope], Response]
    too_slow: Callable[[Scope], Response]
    too_wide: Callable[[Scope], Response]


class RequestContext:
    """Gives every request an id, logs and counts it, and turns what nobody caught into a plain 500."""

    def __init__(self, app: ASGIApp, service: str, failures: Failures, seconds: float) -> None:
        self.app = app
        self._service = service
        self._failures = failures
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("X-Request-Id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex
        traceparent = headers.get("traceparent", "")
        if not _TRACEPARENT.fullmatch(traceparent):
            traceparent = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
        scope.setdefault("state", {}).update(request_id=request_id, traceparent=traceparent)
        with structlog.contextvars.bound_contextvars(
            service=self._service, request_id=request_id, trace_id=traceparent[3:35]
        ):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), scope["state"]["request_id"])
            await send(message)

        async def begin(message: Message) -> None:
            _let_stream(limit, message)
            await note(message)

        answer = self.app if _header_bytes(scope) <= MAX_HEADER_BYTES else self._failures.too_wide(scope)
        try:
            async with asyncio.timeout(self._seconds) as limit:
                await answer(scope, receive, begin)
        except TimeoutError:
            log.warning("request_timed_out", path=scope["path"], seconds=self._seconds)
            if status == 0:
                await self._failures.too_slow(scope)(scope, receive, note)
        except Exception:
            log.exception("request_failed", path=scope["path"])
            if status == 0:
                await self._failures.unforeseen(scope)(scope, receive, note)
        finally:
            self._count(scope, status or 499, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"]
        REQUESTS.labels(self._service, method, route, str(status)).inc()
        SECONDS.labels(self._service, method, route).observe(seconds)
        log.info("request", method=method, path=scope["path"], status=status, milliseconds=round(seconds * 1e3, 1))


def _header_bytes(scope: Scope) -> int:
    return sum(len(name) + len(value) for name, value in scope["headers"])


def _let_stream(limit: asyncio.Timeout, message: Message) -> None:
    """What has begun to answer may stream as long as it likes."""
    if message["type"] == "http.response.start" and not limit.expired():
        limit.reschedule(None)


def _complete(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    if "Vary" in headers:
        headers["Vary"] = ", ".join(dict.fromkeys(re.split(r",\s*", headers["Vary"])))
