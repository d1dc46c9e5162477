"""The command, and `python -m chitieu`."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import signal
import sys

_ARENAS_AT_MOST = -8  # M_ARENA_MAX of malloc.h


def start() -> None:
    """Read the parts and run; Ctrl-C while they are being read ends quietly."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Nearly everything read at the start stays to the end: looking through it for waste again and again takes time.
    gc.set_threshold(50_000, 20, 100)
    _give_memory_back()
    sys.setswitchinterval(0.001)  # a thread that works on rows lets requests pass after 1 ms instead of 5
    importlib.import_module("chitieu.cli").main()


def _give_memory_back() -> None:
    """Let both allocators return what a large post has used soon after it, or the process keeps much of it.

    To be said before polars is loaded, which puts its own wishes for its allocator before those it finds and over any
    it does not see; an operator's own setting stands.
    """
    environment = importlib.import_module("chassis.environment")
    environment.suggest_to_library("_RJEM_MALLOC_CONF", "dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:2")
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENAS_AT_MOST, 2)


if __name__ == "__main__":
    start()
