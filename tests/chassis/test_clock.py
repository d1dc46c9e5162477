"""The clock: UTC moments, Vietnamese days, and standing still for tests."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from chassis import clock


def test_now_is_the_systems_moment_in_utc() -> None:
    before = datetime.now(UTC)
    moment = clock.now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 6, 14, 16, 59, 59, 999999, tzinfo=UTC), date(2026, 6, 14)),
        (datetime(2026, 6, 14, 17, tzinfo=UTC), date(2026, 6, 15)),
        (datetime(2026, 12, 31, 17, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_today_changes_at_midnight_in_viet_nam(moment: datetime, day: date) -> None:
    with clock.frozen(moment):
        assert clock.today() == day
    assert clock.day_of(moment) == day


def test_frozen_stands_still_moves_when_told_and_gives_the_clock_back() -> None:
    start = datetime(2026, 11, 22, 9, tzinfo=timezone(timedelta(hours=7)))
    with clock.frozen(start) as held:
        assert clock.now() == clock.now() == start
        assert clock.now().utcoffset() == timedelta(0)
        held.advance(timedelta(days=1))
        assert clock.now() == start + timedelta(days=1)
        with clock.frozen(start - timedelta(days=1)):
            assert clock.now() == start - timedelta(days=1)
        assert clock.now() == start + timedelta(days=1)
    assert clock.now() != start + timedelta(days=1)


def test_frozen_refuses_a_moment_without_its_offset() -> None:
    with pytest.raises(ValueError, match="offset"), clock.frozen(datetime(2026, 1, 1)):  # noqa: DTZ001 - meant
        pass
