"""Post bodies one after the other from a process of their own: `python -m benchmarks.poster URL TOKEN FILE…`.

Whoever measures reads meanwhile must not share a processor's turn with the sender of megabytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx2

from benchmarks.forms import CONTENT_TYPES

if __name__ == "__main__":
    url, token, *files = sys.argv[1:]
    with httpx2.Client(headers={"Authorization": token}, timeout=600, trust_env=False) as client:
        for file in map(Path, files):
            content_type = CONTENT_TYPES[file.suffix[1:]]
            answer = client.post(url, content=file.read_bytes(), headers={"Content-Type": content_type})
            answer.raise_for_status()
