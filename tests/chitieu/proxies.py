"""A TCP proxy that cuts connections where a test says so."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from threading import Lock, Thread
from urllib.parse import urlsplit

THROUGH = "through"
REFUSE = "refuse"  # accepted, and closed at once
SWALLOW = "swallow"  # the request goes through, its answer is lost
PIECE = 64 * 1024


class Proxy:
    """Forwards to one address. Each connection takes the next plan.

    An int cuts after so many bytes of the request; bytes are an answer, given without asking the server.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname
        assert parts.port
        self._target = (parts.hostname, parts.port)
        self.plans: list[str | int | bytes] = []
        self.connections = 0
        self.forwarded = 0
        self.bytes_per_second: int | None = None
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                with self._lock:
                    plan = self.plans.pop(0) if self.plans else THROUGH
                    self.connections += 1
                Thread(target=self._serve, args=(caller, plan), daemon=True).start()

    def _serve(self, caller: socket.socket, plan: str | int | bytes) -> None:
        with caller, contextlib.suppress(OSError):
            if plan == REFUSE:
                return
            if isinstance(plan, bytes):
                caller.recv(PIECE)
                caller.sendall(plan)
                return
            with socket.create_connection(self._target) as server:
                back = Thread(target=self._answer, args=(server, caller, plan), daemon=True)
                back.start()
                self._forward(caller, server, plan)
                back.join(60)

    def _forward(self, caller: socket.socket, server: socket.socket, plan: str | int | bytes) -> None:
        left = plan if isinstance(plan, int) else 1 << 62
        with contextlib.suppress(OSError):
            while left > 0 and (piece := caller.recv(min(PIECE, left))):
                server.sendall(piece)
                left -= len(piece)
                with self._lock:
                    self.forwarded += len(piece)
                if self.bytes_per_second:
                    time.sleep(len(piece) / self.bytes_per_second)
            if left <= 0:
                for end in (server, caller):
                    end.shutdown(socket.SHUT_RDWR)
            else:
                server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, caller: socket.socket, plan: str | int | bytes) -> None:
        with contextlib.suppress(OSError):
            while piece := server.recv(PIECE):
                if plan == SWALLOW:
                    caller.shutdown(socket.SHUT_RDWR)
                    return
                caller.sendall(piece)
            caller.shutdown(socket.SHUT_RDWR)


def answer(status: str, body: str = "", **headers: str) -> bytes:
    """What a gateway on the way might answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", body]).encode()


@contextlib.contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """A proxy before a server, while the block lasts."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
