"""The command, and `python -m chitieu`."""

from __future__ import annotations

import importlib
import signal


def start() -> None:
    """Read the parts and run; Ctrl-C while they are being read ends quietly."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    importlib.import_module("chitieu.cli").main()


if __name__ == "__main__":
    start()
