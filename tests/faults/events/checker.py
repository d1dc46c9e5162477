"""What must hold of the log and its deliveries after any number of deaths; what does not is one sentence each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from tests.faults.events.journal import Copied, Heard, Hook, Journal, Log, Told, Write


def violations(journal: Journal, log: Log) -> list[str]:
    """Every promise that was broken."""
    return [
        *journal.broken,
        *dense(log),
        *consecutive(log.events),
        *kept(journal, log),
        *invented(journal, log),
        *real_time(journal.done, log),
        *(sentence for name, heard in journal.heard.items() for sentence in followed(name, heard, log)),
        *(sentence for hook in journal.hooks.values() for sentence in delivered(hook, journal.delivered, log)),
        *copied(journal.stream, log),
    ]


def lost(writes: Iterable[Write], keys: Iterable[str]) -> list[str]:
    """The keys of acknowledged writes that are not among those somebody found."""
    found = set(keys)
    return [key for write in writes for key in write.keys if key not in found]


def kept(journal: Journal, log: Log) -> Iterator[str]:
    """Acknowledged writes are in the log, each as a whole."""
    for key in lost(journal.done, (event.key for event in log.events)):
        yield f"{key} was acknowledged and is not in the log"


def invented(journal: Journal, log: Log) -> Iterator[str]:
    """The log holds nothing that nobody sent, that was taken back, or the half of a write."""
    there = Counter(event.key for event in log.events if event.key)  # those without one come from setting up
    known = {key: write for write in journal.writes.values() for key in write.keys}
    for key in there.keys() - known.keys():
        yield f"{key} is in the log and nobody sent it"
    for key in there.keys() & known.keys():
        if known[key].told is Told.UNDONE:
            yield f"{key} is in the log and was taken back"
        if {there[other] for other in known[key].keys} != {there[key]}:
            yield f"{key} is in the log and other events of its write are not, or not as often"


def dense(log: Log) -> Iterator[str]:
    """Positions are 1, 2, 3 … to the head, and nothing is left without one."""
    positions = [event.position for event in log.events]
    if positions != list(range(1, log.head + 1)):
        gaps = [(one, other) for one, other in pairwise([0, *positions]) if other != one + 1]
        yield f"the log has {len(positions)} positions, and its head is {log.head}; gaps {gaps[:5]}"
    if len({event.event_id for event in log.events}) != len(log.events):
        yield "an event has two positions"
    if log.waiting:
        yield f"{log.waiting} events wait for a position though nothing goes on"


def consecutive(events: Iterable[Heard]) -> Iterator[str]:
    """Versions of a subject are 1, 2, 3 … in the order of their positions."""
    versions: defaultdict[str, int] = defaultdict(int)
    for event in events:
        if event.version != versions[event.subject] + 1:
            yield f"{event.subject} has version {event.version} at {event.position} after {versions[event.subject]}"
        versions[event.subject] = event.version


def real_time(done: Sequence[Write], log: Log) -> Iterator[str]:
    """A write that was acknowledged before another one of its subject was sent stands before it."""
    written = {key: write for write in done for key in write.keys}
    latest: defaultdict[str, float] = defaultdict(float)  # by subject: when the last to be sent of those before was
    for event in {event.key: event for event in reversed(log.events)}.values().__reversed__():
        write = written.get(event.key)
        if write is None:
            continue
        if write.told_at < latest[event.subject]:
            yield f"{event.key} was acknowledged before one was sent that stands before it"
        latest[event.subject] = max(latest[event.subject], write.sent_at)


def followed(name: str, heard: Sequence[Heard], log: Log) -> Iterator[str]:
    """Who followed from the beginning heard every position once, in order, with the event that stands there now."""
    there = {event.position: event for event in log.events}
    for event in heard:
        if there.get(event.position) != event:
            yield f"{name} heard {event} where the log has {there.get(event.position)}"
    positions = [event.position for event in heard]
    if positions != list(range(1, log.head + 1)):
        breaks = [(one, other) for one, other in pairwise([0, *positions]) if other != one + 1]
        yield f"{name} heard {len(positions)} of {log.head} positions; breaks {breaks[:5]}"


def delivered(hook: Hook, taken: Mapping[str, Sequence[Heard]], log: Log) -> Iterator[str]:
    """Every event a webhook wants was taken in at least once and no other was; first deliveries are in order."""
    wanted = {event.position: event for event in log.events if hook.wants(event)}
    firsts = {event.position: event for event in reversed(taken[hook.name])}
    for position in wanted.keys() - firsts.keys():
        yield f"{hook.name} never got {wanted[position]}"
    for position, event in firsts.items():
        if position > hook.since and wanted.get(position) != event:
            yield f"{hook.name} got {event} where the log has {wanted.get(position)}"
    if not hook.is_ordered:
        return
    latest: defaultdict[str, int] = defaultdict(int)
    seen: set[int] = set()
    for event in taken[hook.name]:
        if event.position not in seen and event.position < latest[event.subject]:
            yield f"{hook.name} first got {event} after {latest[event.subject]}"
        seen.add(event.position)
        latest[event.subject] = max(latest[event.subject], event.position)


def copied(stream: Sequence[Copied], log: Log) -> Iterator[str]:
    """The stream is a beginning of the log, in its order, each event once; what an earlier epoch had more is past."""
    if not stream:
        return
    now = [one for one in stream if one.epoch == log.epoch]
    first = now[0].position if now else log.head + 1
    before = {one.position: one for one in stream if one.epoch != log.epoch and one.position < first}
    found = [(one.position, one.event_id) for one in (*before.values(), *now)]
    there = [(event.position, event.event_id) for event in log.events]
    if found != there[: len(found)]:
        wrong = next((one for one, other in zip(found, there, strict=False) if one != other), "too much")
        yield f"the stream is no beginning of the log: {wrong}"
    if len(found) != len(there):
        yield f"the stream has {len(found)} of {len(there)} events though nothing goes on"
