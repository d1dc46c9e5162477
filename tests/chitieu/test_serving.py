"""What every connection gets from the listener."""

from __future__ import annotations

import contextlib
import errno
import select
import socket

import pytest

from chassis.settings import Settings
from chitieu import serving


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel offers it on Linux only")
def test_the_kernel_drops_what_it_holds_for_who_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNTAKEN_MILLISECONDS", 300)
    with serving.listen(Settings(port=0)) as listener, socket.create_connection(listener.getsockname()[:2]):
        connection, _ = listener.accept()
        with connection:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection.send(bytes(65536))
            poll = select.poll()
            poll.register(connection, 0)
            (_, what), *_ = poll.poll(20_000)
            assert what & select.POLLERR
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ETIMEDOUT
