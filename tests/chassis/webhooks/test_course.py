"""A course loses nothing and keeps the order of each key, whatever fails and whenever it is broken off."""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import UUID

import pytest

from chassis.webhooks.course import Course, Found, Held, Item
from chassis.webhooks.letters import Letter

LETTER = Letter(UUID(int=0), "t", "s", "{}")


def found(*events: tuple[int, str]) -> list[Found]:
    return [Found(pos, subject, LETTER) for pos, subject in events]


def taken(course: Course) -> list[tuple[int, int]]:
    """The events that may be sent now, with the number of the try."""
    items = iter(course.take, None)
    return [(item.pos, item.attempt) for item in items]


def all_of(course: Course) -> list[Item]:
    return list(iter(course.take, None))


def test_one_event_of_a_key_at_a_time_and_many_keys_at_once() -> None:
    course = Course(0, pos=10)
    course.take_new(found((11, "a"), (12, "a"), (13, "b")), reached=20)
    first, other = all_of(course)
    assert (first.pos, other.pos, course.queued, course.cursor) == (11, 13, 1, 10)
    course.delivered(first)
    assert (taken(course), course.cursor) == ([(12, 1)], 11)


def test_the_cursor_stays_before_what_is_under_way_and_passes_what_nobody_wants() -> None:
    course = Course(0, pos=0)
    course.take_new(found((5, "a"), (7, "b")), reached=9)
    first, second = all_of(course)
    course.delivered(second)
    assert course.cursor == 4
    course.delivered(first)
    assert course.cursor == 9


def test_a_failure_holds_back_its_own_key_only_and_the_cursor_goes_on() -> None:
    course = Course(0, pos=0)
    course.take_new(found((1, "a"), (2, "a"), (3, "b")), reached=3)
    failing, _ = all_of(course)
    course.failed(failing, due=105.0)
    course.take_new(found((4, "a"), (5, "b")), reached=5)
    assert course.changed_keys() == {"a": Held(1, 1, 105.0, seen=0)}
    assert (course.cursor, course.queued) == (2, 1)
    assert (course.due_keys(104.9, 9), course.due_keys(105.0, 9)) == ([], ["a"])


def test_a_held_key_catches_up_in_order_and_is_then_free() -> None:
    course = Course(0, pos=0)
    course.take_new(found((1, "a"), (2, "a")), reached=2)
    course.failed(all_of(course)[0], due=5.0)
    course.take_new(found((3, "a"), (4, "b")), reached=4)
    course.take_due(["a"], found((1, "a"), (2, "a")), reached=2)
    assert taken(course) == [(4, 1), (1, 2)]


def test_a_held_key_that_was_read_to_its_end_is_free_once_all_is_delivered() -> None:
    course = Course(0, pos=4)
    course.hold("a", Held(2, 3, 0.0, seen=1))
    course.take_due(["a"], found((2, "a"), (4, "a")), reached=4)
    (first,) = all_of(course)
    assert first.attempt == 4
    course.delivered(first)
    assert course.changed_keys() == {"a": Held(3, 0, 0.0, seen=4)}
    course.take_new(found((5, "a")), reached=5)
    (second,) = all_of(course)
    course.delivered(second)
    assert course.due_keys(0, 9) == ["a"]
    course.take_due(["a"], found((5, "a")), reached=5)
    assert taken(course) == [(5, 1)]


def test_a_held_key_without_events_left_is_free_at_once() -> None:
    course = Course(0, pos=4)
    course.hold("a", Held(2, 3, 0.0, seen=1))
    course.take_due(["a"], [], reached=4)
    assert (course.held, course.changed_keys()) == ({}, {"a": None})


def test_without_order_nothing_waits_for_another() -> None:
    course = Course(0, pos=0, is_ordered=False)
    course.take_new(found((1, "a"), (2, "a"), (3, "a")), reached=3)
    first, second, third = all_of(course)
    course.failed(second, due=9.0)
    course.delivered(first)
    course.delivered(third)
    assert (course.cursor, course.due_keys(9.0, 9)) == (3, ["2"])
    course.take_due(["2"], found((2, "a")), reached=2)
    (again,) = all_of(course)
    assert (again.pos, again.attempt) == (2, 2)
    course.delivered(again)
    assert course.held == {}


def test_a_receiver_that_works_again_is_told_at_once() -> None:
    course = Course(0, pos=0)
    course.take_new(found((1, "a"), (2, "b")), reached=2)
    for item in all_of(course):
        course.failed(item, due=1000.0)
    assert course.due_keys(10, 9) == []
    course.hurry()
    assert course.due_keys(10, 9) == ["a", "b"]


def test_a_replay_ends_at_its_end() -> None:
    course = Course(1, pos=0, upto=2)
    course.take_new(found((2, "a")), reached=2)
    assert not course.may_read
    assert not course.is_over
    course.delivered(all_of(course)[0])
    assert course.is_over


def test_what_the_log_no_longer_holds_is_given_up_and_said() -> None:
    course = Course(0, pos=10)
    course.hold("a", Held(5, 2, 90.0, seen=4))
    course.hold("b", Held(25, 2, 90.0, seen=24))
    assert course.lose_before(5) == []
    assert course.lose_before(21) == [(11, ""), (5, "a")]
    assert (course.cursor, list(course.held)) == (20, ["b"])
    assert set(course.changed_keys()) == {"a"}


class World:
    """A log, a receiver with moods, and what was written down of a course."""

    def __init__(self, seed: int, *, is_ordered: bool) -> None:
        self.random = random.Random(seed)
        self.log = [f"k{self.random.randrange(6)}" for _ in range(120)]
        self.is_ordered = is_ordered
        self.cursor = 0
        self.held: dict[str, Held] = {}
        self.heard: list[int] = []
        self.course = self.begun()

    def begun(self) -> Course:
        """The course as a process that starts anew finds it."""
        course = Course(0, self.cursor, is_ordered=self.is_ordered)
        for key, held in self.held.items():
            course.hold(key, Held(held.pos, held.attempts, held.due, seen=held.pos - 1))
        return course

    def written_down(self) -> None:
        changed = self.course.changed_keys()
        if self.random.random() < 0.2:
            self.course.tell_again(changed)  # the database was away
            return
        for key, held in changed.items():
            if held is None:
                self.held.pop(key, None)
            else:
                self.held[key] = Held(held.pos, held.attempts, held.due, held.seen)
        self.cursor = self.course.cursor

    def read(self, after: int, upto: int, keys: Sequence[str] | None, most: int) -> tuple[list[Found], int]:
        window = min(upto, after + self.random.choice((3, 10, 200)))
        events = [(pos, self.log[pos - 1]) for pos in range(after + 1, window + 1)]
        wanted = [e for e in events if keys is None or self.course.key_of(*e) in keys]
        cut = wanted[:most]
        return found(*cut), cut[-1][0] if len(cut) == most else window

    def step(self, now: float) -> None:
        keys = self.course.due_keys(now, 3)
        new = self.read(self.course.pos, len(self.log), None, self.random.randint(1, 8))
        if keys:
            after = min(self.course.held[key].seen for key in keys)
            self.course.take_due(keys, *self.read(after, self.course.pos, keys, self.random.randint(1, 4)))
        self.course.take_new(*new)
        items = all_of(self.course)
        self.random.shuffle(items)
        for item in items:
            self.answer(item, now)
        if self.random.random() < 0.5:
            self.written_down()
        if self.random.random() < 0.1:
            self.course = self.begun()  # the process was killed

    def answer(self, item: Item, now: float) -> None:
        mood = self.random.random()
        if mood < 0.8:
            self.heard.append(item.pos)
        if mood < 0.7:
            self.course.delivered(item)
        else:
            self.course.failed(item, now + self.random.randint(0, 5))

    @property
    def is_done(self) -> bool:
        return self.cursor == len(self.log) and not self.held


@pytest.mark.parametrize("is_ordered", [True, False])
def test_nothing_is_lost_or_reordered_within_a_key(is_ordered: bool) -> None:
    for seed in range(60):
        world = World(seed, is_ordered=is_ordered)
        for now in range(5000):
            world.step(float(now))
            if world.is_done:
                break
        assert set(world.heard) == set(range(1, 121)), seed
        firsts = list(dict.fromkeys(world.heard))
        for key in set(world.log) if is_ordered else ():
            of_key = [pos for pos in firsts if world.log[pos - 1] == key]
            assert of_key == sorted(of_key), seed
