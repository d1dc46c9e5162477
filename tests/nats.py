"""Real NATS servers on loopback, alone or three together, that can be killed and lose their disks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import nats as client_library
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

SERVER = Path(sys.executable).with_name("nats-server")
START_SECONDS, PATIENCE_SECONDS = 30.0, 40.0
T = TypeVar("T")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Node:
    """One server: it keeps its ports and its store over its restarts."""

    def __init__(self, folder: Path, name: str, sync: str, *lines: str) -> None:
        self.port, self.monitor_port = free_ports(2)
        self.name = name
        self.store = folder / name
        self.log = folder / f"{name}.log"
        self._config = folder / f"{name}.conf"
        self._process: subprocess.Popen[bytes] | None = None
        own = (
            f"server_name: {name}",
            f"listen: 127.0.0.1:{self.port}",
            f"http: 127.0.0.1:{self.monitor_port}",
            f'jetstream: {{ store_dir: "{self.store}", max_file_store: 10GB, sync_interval: {sync} }}',
        )
        self._config.write_text("\n".join([*own, *lines]) + "\n", encoding="utf-8")

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def monitor_url(self) -> str:
        """Where it tells about itself."""
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; whoever needs it asks `wait`."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([SERVER, "-c", self._config], stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until it serves JetStream, and in a cluster knows who leads.

        Raises:
            RuntimeError: it ended, or did not get ready in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.monitor_url}/healthz") as answer:
                if json.load(answer)["status"] == "ok":
                    return
            time.sleep(0.02)
        raise RuntimeError(self.log.read_text(encoding="utf-8")[-3000:])

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it at once, as a power cut of its machine would. Harmless when it does not run."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(START_SECONDS)
            self._process = None

    def signal(self, sign: signal.Signals) -> None:
        """Send it a signal that it lives through."""
        assert self._process is not None
        self._process.send_signal(sign)

    def lose_store(self) -> None:
        """Take its disk away; it must not run."""
        shutil.rmtree(self.store, ignore_errors=True)


class Nats:
    """One server, or three that form a cluster."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """CHITIEU_NATS_URL."""
        return ",".join(node.url for node in self.nodes)

    @property
    def monitor_url(self) -> str:
        """CHITIEU_NATS_MONITOR_URL."""
        return ",".join(node.monitor_url for node in self.nodes)

    def start(self) -> None:
        """Start every node and wait for all of them."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait()

    def kill(self) -> None:
        """End every node at once."""
        for node in self.nodes:
            node.kill()

    def restart(self) -> None:
        """End every node at once, and start them again."""
        self.kill()
        self.start()

    def lose_stores(self) -> None:
        """Take every disk away; none must run."""
        for node in self.nodes:
            node.lose_store()


@contextlib.contextmanager
def nats(*lines: str, count: int = 1, folder: Path | None = None, sync: str = "always") -> Iterator[Nats]:
    """A server, or a cluster of so many, with these lines in its configuration; gone at the end.

    Its store is in memory, where writing it costs nothing, unless a folder is given.
    """
    place = folder or (Path("/dev/shm") if Path("/dev/shm").is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="chitieu-nats-", dir=place, ignore_cleanup_errors=True) as made:
        clustered = enumerate(_clustered(count))
        servers = Nats([Node(Path(made), f"n{number}", sync, *lines, *more) for number, more in clustered])
        try:
            servers.start()
            yield servers
        finally:
            servers.kill()


def _clustered(count: int) -> list[list[str]]:
    if count == 1:
        return [[]]
    ports = free_ports(count)
    routes = ", ".join(f"nats://127.0.0.1:{port}" for port in ports)
    return [[f"cluster {{ name: tests, listen: 127.0.0.1:{port}, routes: [{routes}] }}"] for port in ports]


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of a stream, as a consumer sees it."""

    seq: int
    subject: str
    message_id: str
    event: dict[str, Any]

    @property
    def event_id(self) -> str:
        """The id of its event."""
        event_id: str = self.event["id"]
        return event_id


async def read_stream(url: str, stream: str) -> list[Seen]:
    """Every message of a stream, in its order; servers that come and go are waited for."""

    async def read(js: JetStreamContext) -> list[Seen]:
        consumer = await js.pull_subscribe("", stream=stream, config=_looking(DeliverPolicy.ALL))
        found: list[Seen] = []
        while len(found) < (whole := (await js.stream_info(stream)).state.messages):
            for message in await consumer.fetch(min(500, whole - len(found)), timeout=5):
                headers = message.headers or {}
                seq = message.metadata.sequence.stream
                found.append(Seen(seq, message.subject, headers["Nats-Msg-Id"], json.loads(message.data)))
        return found

    return await _patiently(url, read, PATIENCE_SECONDS)


async def reached(url: str, stream: str, message_id: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a message is the last one of a stream, or was.

    Raises:
        TimeoutError: it did not come.
    """

    async def wait(js: JetStreamContext) -> None:
        while True:
            consumer = await js.pull_subscribe("", stream=stream, config=_looking(DeliverPolicy.LAST))
            [last] = await consumer.fetch(1, timeout=5)
            if (last.headers or {}).get("Nats-Msg-Id") == message_id:
                return
            await consumer.fetch(1, timeout=5)  # there is more: look at the last one again
            await consumer.unsubscribe()

    await _patiently(url, wait, seconds)


def _looking(since: DeliverPolicy) -> ConsumerConfig:
    return ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=since, mem_storage=True, num_replicas=1)


async def _patiently(url: str, work: Callable[[JetStreamContext], Awaitable[T]], seconds: float) -> T:
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(NatsError, OSError):
                client = await client_library.connect(url.split(","), allow_reconnect=False, error_cb=_ignore)
                try:
                    return await work(client.jetstream(timeout=2))
                finally:
                    await client.close()
            await asyncio.sleep(0.05)


async def _ignore(_error: Exception) -> None:
    pass
