"""The process that reads foreign files: asked on standard input, answering on standard output."""

from __future__ import annotations

import math
import resource
import select
import sys

from chassis.tabular.jobs import answer, hear_job, write_frame

IDLE_SECONDS = 60.0
MOST_MEMORY_BYTES = 3 * 1024**3  # of addresses, of which readers touch a part
MOST_SECONDS = 600  # of work on one file


def main() -> None:
    """Read one file after another; leave when nobody asks any more, or nothing was asked for a while."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while select.select([asked], [], [], IDLE_SECONDS)[0]:
        heard = hear_job(asked, answers)
        if heard is None:
            return
        _allow_one_file()
        for content in answer(*heard):
            write_frame(answers, content)


def _allow_one_file() -> None:
    """Bound the work on the next file; the system counts that on all the files before it, too."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = math.ceil(used.ru_utime + used.ru_stime) + MOST_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
