"""What stops the command: one sentence for the operator, and an exit code."""

from __future__ import annotations


class Trouble(Exception):
    """The command cannot go on; the message is one sentence that says what to do. No traceback is shown."""
