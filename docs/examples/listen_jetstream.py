"""Hear every change by NATS JetStream: in order, each once, whatever breaks in between.

    chitieu jetstream listener ioc-75 --unit 75        # once, by the operator
    CHITIEU_NATS_URL=nats://127.0.0.1:4222 python listen_jetstream.py ioc-75 changes.db

Needs `nats-py` only. It ends when a second brings nothing new, as a job of cron should; leave that out to go on.
"""

import asyncio
import json
import os
import sqlite3
import sys
from collections import Counter
from typing import Any

import nats
import nats.errors

STREAMS = ("chitieu-plans", "chitieu-indicators", "chitieu-budget")
QUIET_SECONDS = 1

TABLES = """
CREATE TABLE IF NOT EXISTS heard (stream TEXT PRIMARY KEY, epoch INTEGER NOT NULL, position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, type TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL);
"""


async def main(name: str, path: str) -> None:
    """Listen to every stream until all of them are quiet."""
    database = sqlite3.connect(path)
    database.executescript(TABLES)
    # The operator lets a listener hear answers under its own prefix only.
    client = await nats.connect(os.environ["CHITIEU_NATS_URL"].split(","), inbox_prefix=f"_INBOX_{name}")
    found = await asyncio.gather(*(listen(client.jetstream(), database, stream, name) for stream in STREAMS))
    for stream, counts in zip(STREAMS, found, strict=True):
        print(f"{stream}: {counts['new']} new, {counts['heard before']} heard before")
    await client.close()
    database.close()


async def listen(js: Any, database: sqlite3.Connection, stream: str, name: str) -> Counter[str]:
    """Take what the stream has for us, one message after the other."""
    consumer = await js.pull_subscribe_bind(durable=name, stream=stream)
    counts: Counter[str] = Counter()
    while True:
        try:
            [message] = await consumer.fetch(1, timeout=QUIET_SECONDS)
        except nats.errors.TimeoutError:
            return counts
        counts[take(database, stream, message)] += 1
        # Only now: what is not acknowledged comes again, and nothing comes before it.
        await message.ack_sync()


def take(database: sqlite3.Connection, stream: str, message: Any) -> str:
    """Keep one event and where we are, both or neither."""
    epoch, position = (int(part) for part in message.headers["Nats-Msg-Id"].split(":"))
    event = json.loads(message.data)
    with database:  # one transaction
        known = database.execute("SELECT epoch, position FROM heard WHERE stream = ?", (stream,)).fetchone()
        if known and (epoch, position) <= known:
            return "heard before"
        if known and epoch > known[0]:
            print(f"{stream}: the log was restored from a copy; list everything again, then go on from here")
        database.execute("INSERT OR REPLACE INTO heard VALUES (?, ?, ?)", (stream, epoch, position))
        kept = event["id"], event["type"], event["subject"], json.dumps(event["data"])
        database.execute("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?)", kept)
    return "new"


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
