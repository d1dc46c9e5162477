"""Serve an application until a signal comes, and stop in order: requests, sequencers, followers, database."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import importlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import structlog
import uvicorn
import uvloop

from chassis.postgres import EmbeddedPostgres, PostgresTrouble
from chassis.settings import Settings
from chitieu.compose import Composition
from chitieu.troubles import Trouble

log = structlog.get_logger(__name__)
GRACE_SECONDS = 5
KEEP_ALIVE_SECONDS = 75  # longer than any client of ours keeps an idle connection, or it would meet a closed one
WATCH_SECONDS = 1.0
# Whoever takes nothing for so long is gone: the kernel then drops what it still holds for them.
UNTAKEN_MILLISECONDS = 60_000
# Requests wait while waste is looked for: 1 to 7 ms at a time. Left as it is for the start it is 60 to 85 ms.
LOOK_FOR_WASTE_AFTER = (1_000, 10, 100)
NICENESS_OF_ROWS = 10


def listen(settings: Settings) -> socket.socket:
    """Take the port before anything else is started.

    Raises:
        Trouble: the port is taken, or the address is not ours.
    """
    place = f"{settings.host}:{settings.port}"
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        return _bound(family, address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Trouble(f"The port {place} is taken: stop what uses it, or choose another with --port.") from error
        raise Trouble(f"Cannot listen on {place}: {error.strerror or error}.") from error


def _bound(family: int, address: Any) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; every connection inherits it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MILLISECONDS)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL a listener is reached at from this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name for "every address", not a bind
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def say(text: str) -> None:
    """Tell the terminal; that nobody listens there any more is no reason to stop serving."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn raises them again at its end, before the rest has stopped."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what was made at the start stays, and is not looked through again
        gc.set_threshold(*LOOK_FOR_WASTE_AFTER)
        _let_rows_wait_for_requests()
        self._ready()


def _let_rows_wait_for_requests() -> None:
    """Where both want the processor, a request comes before the threads that polars works on many rows with."""
    if sys.platform == "linux" and "polars" in sys.modules:  # elsewhere threads have no priority of their own
        first = threading.Thread(target=_begin_threads_of_rows)
        first.start()
        first.join()


def _begin_threads_of_rows() -> None:
    """Begin the threads of polars from this one, whose priority they take over."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS_OF_ROWS)
    importlib.import_module("polars").read_csv(b"row\n1\n2\n").group_by("row").len()


class Serving:
    """One run of a process: from its first step to the end by signal."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._composition: Composition | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self, work: Callable[[Serving], Awaitable[None]]) -> None:
        """Run `work` on a loop whose SIGINT and SIGTERM end it in order; a second signal does not wait."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(asyncio.CancelledError):
            runner.run(self._watch_signals(work))

    async def _watch_signals(self, work: Callable[[Serving], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, self._stop)
        await work(self)

    def _stop(self) -> None:
        if self._server is not None and self._composition is not None and not self._server.should_exit:
            self._server.should_exit = True
            self._composition.stop_waiting()
            # Requests cut off after the grace are no faults of the application.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        elif self._task is not None:
            self._task.cancel()

    async def serve(self, composition: Composition, listener: socket.socket, *, ready: Callable[[], None]) -> None:
        """Answer requests until the signal; `ready` is called when the first one can come."""
        config = uvicorn.Config(
            composition.door,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=composition.settings.trusted_proxies,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._composition = composition
        self._server = _Server(config, ready)
        await self._server.serve(sockets=[listener])


async def keep_alive(server: EmbeddedPostgres) -> None:
    """Start the embedded server again whenever it has died under us."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            if server.ensure_running():
                log.warning("postgres_restarted")
        except PostgresTrouble as trouble:
            log.error("postgres_down", reason=str(trouble))
