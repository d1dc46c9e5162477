"""The same client for code that does not await: each call runs in one thread with an event loop of its own."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from chitieu.client.calls import AsyncClient
from chitieu.client.wire import Patience, Token

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    method: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Client, P], R]:
    """A method of the async client, waited for."""

    @functools.wraps(method)
    def call(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.wait(functools.partial(method, self.inner, *args, **kwargs))

    return call


class Client:
    """`AsyncClient` without await: the same calls, results and errors. Use it in a `with` block."""

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        language: str = "vi",
        patience: Patience | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.inner = AsyncClient(url, token, language=language, patience=patience, transport=transport)
        self._stack = contextlib.ExitStack()
        self._portal: BlockingPortal | None = None

    def wait(self, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run work of the async client to its end."""
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal())
        answer: R = self._portal.call(work)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections and thread back."""
        if self._portal is not None:
            self._portal.call(self.inner.close)
            self._portal = None
        self._stack.close()

    post_actuals = _blocking(AsyncClient.post_actuals)
    post_body = _blocking(AsyncClient.post_body)
    get_import = _blocking(AsyncClient.get_import)
    cancel_import = _blocking(AsyncClient.cancel_import)
    revert_import = _blocking(AsyncClient.revert_import)
    follow_import = _blocking(AsyncClient.follow_import)
    read_errors = _blocking(AsyncClient.read_errors)
    save_errors = _blocking(AsyncClient.save_errors)
    receipt_keys = _blocking(AsyncClient.receipt_keys)
    read = _blocking(AsyncClient.read)
    read_all = _blocking(AsyncClient.read_all)
