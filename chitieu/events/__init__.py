"""The change log from the command line: is it whole, what is it saying now, and a new epoch after a restore."""

from __future__ import annotations

from chitieu.events.epoch import new_epoch
from chitieu.events.reporting import check
from chitieu.events.tailing import Tailing, tail

__all__ = ["Tailing", "check", "new_epoch", "tail"]
