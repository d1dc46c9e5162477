"""`python -m chitieu` is the command `chitieu`."""

from __future__ import annotations

from chitieu.cli import main

main()
