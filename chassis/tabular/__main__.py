"""The process that reads foreign files: asked on standard input, answering on standard output."""

from __future__ import annotations

import resource
import select
import sys

from chassis.tabular.jobs import answer, hear_job, write_frame

IDLE_SECONDS = 60.0
MOST_MEMORY_BYTES = 3 * 1024**3  # of addresses, of which readers touch a part
MOST_SECONDS = 600


def main() -> None:
    """Read one file after another; leave when nobody asks any more, or nothing was asked for a while."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while select.select([asked], [], [], IDLE_SECONDS)[0]:
        heard = hear_job(asked)
        if heard is None:
            return
        for content in answer(*heard):
            write_frame(answers, content)


if __name__ == "__main__":
    main()
