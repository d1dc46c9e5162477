"""Embedded PostgreSQL 18: the binaries of a wheel, started, watched and stopped by ourselves.

The server belongs to one holder at a time (a lock on its folder) and listens on a unix socket only. It ends
with its holder, however the holder ends: a tiny shell between the two reads a pipe whose other end only the
holder has, and asks the server to shut down when that pipe closes.

PostgreSQL refuses to run as root. Started by root, the binaries are copied once under /var/lib/chitieu and the
server runs as `nobody`, with its files in a folder that only `nobody` may enter; the data folder then holds a
pointer to it. Started by anybody else, the wheel's own files are used and the data lie in the data folder.
"""

from chassis.postgres.folder import PostgresTrouble
from chassis.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresTrouble"]
