"""Waits grow as the standard says, receivers are heard, and one that is down is left alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chassis.settings import Settings
from chassis.webhooks.schedule import Health, asked_wait, retry_delay

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
WAITS = Settings().webhook_waits
HOUR = 3600


def test_an_event_is_tried_nine_times_more_and_then_every_day() -> None:
    waits = [retry_delay(failures, WAITS, 0) for failures in range(1, 12)]
    assert waits == [5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR, 24 * HOUR, 24 * HOUR]


def test_a_wait_is_up_to_a_tenth_longer_never_shorter() -> None:
    assert retry_delay(2, WAITS, 1) == pytest.approx(330)
    assert retry_delay(2, WAITS, 0.5) == pytest.approx(315)


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "7", 7.0),
        (503, " 120 ", 120.0),
        (503, "0", 0.0),
        (429, "Sun, 22 Nov 2026 08:01:30 GMT", 90.0),
        (429, "Sun, 22 Nov 2026 07:00:00 GMT", 0.0),
        (429, "999999999999999999999", 86400.0),
        (429, "Mon, 22 Nov 2027 08:00:00 GMT", 86400.0),
        (500, "7", None),
        (None, "7", None),
        (429, None, None),
        (429, "soon", None),
        (429, "-5", None),
        (429, "1.5", None),
        (429, "٧", None),
        (429, "Sun, 22 Nov 99999999999 08:01:30 GMT", None),
        (503, "Sun, 22 Nov 2026 99999999999999999999:01:30 GMT", None),
    ],
)
def test_a_receiver_says_when_to_come_again(status: int | None, header: str | None, seconds: float | None) -> None:
    assert asked_wait(status, header, NOW) == seconds


def test_a_receiver_gets_more_with_every_success_and_half_after_a_failure() -> None:
    health = Health(most=8)
    assert [health.room(0, in_flight=0), health.room(0, in_flight=1)] == [1, 0]
    limits = []
    for _ in range(10):
        health.succeeded()
        limits.append(health.limit)
    assert limits == [2, 3, 4, 5, 6, 7, 8, 8, 8, 8]
    health.failed(0, 0)
    assert (health.limit, health.failures, health.room(0, 1)) == (4, 1, 3)


def test_five_failures_in_a_row_open_the_breaker_and_one_success_closes_it() -> None:
    health = Health(most=8, limit=8)
    for _ in range(4):
        health.failed(100, 0)
    assert health.room(100, 0) == 1
    health.failed(100, 0)
    assert health.is_open
    assert (health.room(104.9, 0), health.room(105, 0), health.room(105, 1)) == (0, 1, 0)
    assert health.succeeded() is True
    assert (health.is_open, health.room(105, 0), health.succeeded()) == (False, 1, False)


def test_what_was_under_way_when_the_breaker_opened_makes_no_pause_longer() -> None:
    health = Health(most=16, limit=16)
    for _ in range(16):
        health.failed(100, 0)
    assert health.quiet_until == 105


def test_pauses_double_to_five_minutes() -> None:
    health, now, pauses = Health(most=4, failures=4), 0.0, []
    for _ in range(9):
        health.failed(now, 0)
        pauses.append(health.quiet_until - now)
        now = health.quiet_until
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_receiver_that_asks_for_time_gets_it_whole() -> None:
    health = Health(most=8, limit=8)
    health.failed(100, 0, asked=60)
    assert (health.room(159, 0), health.room(160, 0)) == (0, 1)
    health.failed(100, 0, asked=10)
    assert health.quiet_until == 160
