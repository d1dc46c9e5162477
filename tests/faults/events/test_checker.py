"""The checker of the log finds every fault that is planted, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.events.checker import lost, violations
from tests.faults.events.journal import Heard, Journal, Log, Told

Alteration = Callable[[Journal, Log], Log]


def good() -> tuple[Journal, Log]:
    """Three writes of two subjects, one of them taken back, heard by one reader."""
    journal = Journal()
    for number, (name, subjects, told) in enumerate(
        [("a", ["x", "y"], Told.DONE), ("b", ["x"], Told.DONE), ("c", ["x"], Told.UNDONE), ("d", ["y"], Told.NOTHING)]
    ):
        write = journal.send(name, subjects)
        write.sent_at, write.told, write.told_at = 2.0 * number, told, 2.0 * number + 1
    events = [
        Heard(1, "e1", "x", 1, "a/0"),
        Heard(2, "e2", "y", 1, "a/1"),
        Heard(3, "e3", "x", 2, "b/0"),
        Heard(4, "e4", "y", 2, "d/0"),
    ]
    journal.heard["reader"] += events
    journal.naive += ["a/0", "a/1", "b/0"]
    return journal, Log(events, 4, 0)


def with_event(log: Log, number: int, **changes: object) -> Log:
    events = list(log.events)
    events[number] = replace(events[number], **changes)  # type: ignore[arg-type]
    return replace(log, events=events)


def _lost_write(_journal: Journal, log: Log) -> Log:
    return replace(log, events=log.events[:2], head=2)


def _half_a_write(journal: Journal, log: Log) -> Log:
    journal.writes["a"].told = Told.NOTHING
    return with_event(log, 1, key="")


def _gap(_journal: Journal, log: Log) -> Log:
    return with_event(log, 3, position=5)


def _head_too_far(_journal: Journal, log: Log) -> Log:
    return replace(log, head=5)


def _same_event_twice(_journal: Journal, log: Log) -> Log:
    return with_event(log, 3, event_id="e1")


def _version_left_out(_journal: Journal, log: Log) -> Log:
    return with_event(log, 2, version=3)


def _versions_exchanged(_journal: Journal, log: Log) -> Log:
    return with_event(with_event(log, 2, version=1), 0, version=2)


def _taken_back_and_there(_journal: Journal, log: Log) -> Log:
    return with_event(log, 3, subject="x", version=3, key="c/0")


def _nobody_sent_it(_journal: Journal, log: Log) -> Log:
    return with_event(log, 3, key="z/0")


def _left_waiting(_journal: Journal, log: Log) -> Log:
    return replace(log, waiting=1)


def _position_reused(journal: Journal, log: Log) -> Log:
    journal.heard["reader"][3] = replace(journal.heard["reader"][3], event_id="e9")
    return log


def _reader_missed_one(journal: Journal, log: Log) -> Log:
    del journal.heard["reader"][1]
    return log


def _reader_heard_one_twice(journal: Journal, log: Log) -> Log:
    journal.heard["reader"].append(journal.heard["reader"][3])
    return log


def _against_real_time(journal: Journal, log: Log) -> Log:
    journal.writes["b"].sent_at, journal.writes["b"].told_at = -3.0, -2.0
    return log


def _seen_on_the_spot(journal: Journal, log: Log) -> Log:
    journal.broken.append("somebody was answered 500")
    return log


def test_nothing_is_found_where_nothing_is_broken() -> None:
    assert violations(*good()) == []


@pytest.mark.parametrize(
    "alter",
    [
        _lost_write,
        _half_a_write,
        _gap,
        _head_too_far,
        _same_event_twice,
        _version_left_out,
        _versions_exchanged,
        _taken_back_and_there,
        _nobody_sent_it,
        _left_waiting,
        _position_reused,
        _reader_missed_one,
        _reader_heard_one_twice,
        _against_real_time,
        _seen_on_the_spot,
    ],
)
def test_a_planted_fault_is_found(alter: Alteration) -> None:
    journal, log = good()
    assert violations(journal, alter(journal, log))


def test_what_a_reader_did_not_find_is_lost() -> None:
    journal, _ = good()
    assert lost(journal.done, journal.naive) == []
    assert lost(journal.done, ["a/0", "b/0"]) == ["a/1"]
