"""The command, and `python -m chitieu`."""

from __future__ import annotations

import gc
import importlib
import signal


def start() -> None:
    """Read the parts and run; Ctrl-C while they are being read ends quietly."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Nearly everything read at the start stays to the end: looking through it for waste again and again was a
    # fifth of the time to get ready.
    gc.set_threshold(50_000, 20, 100)
    importlib.import_module("chitieu.cli").main()


if __name__ == "__main__":
    start()
