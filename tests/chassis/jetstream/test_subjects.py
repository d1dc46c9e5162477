"""Names in NATS: what is public and what is not never share a subject."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chassis.jetstream.subjects import message_id, read_message_id, stream_of, subject_of, subjects_of
from chassis.settings import SERVICES
from chitieu.compose import service_of

POSTED = "vn.chitieu.indicators.actuals.posted.v1"


@dataclass(frozen=True)
class Event:
    type: str = POSTED
    province: str | None = "75"
    commune: str | None = "26491"
    is_public: bool = True


@pytest.mark.parametrize(
    ("told", "subject"),
    [
        (Event(), "ev.75.indicators.actuals.26491.posted.v1"),
        (Event(is_public=False), "ev-restricted.75.indicators.actuals.26491.posted.v1"),
        (Event(commune=None), "ev.75.indicators.actuals._.posted.v1"),
        (Event(commune=None, province=None, is_public=False), "ev-restricted._.indicators.actuals._.posted.v1"),
        (Event(province="", commune=">"), "ev._.indicators.actuals._.posted.v1"),
        (Event(province="7.5", commune="26 491*\r\n"), "ev.7_5.indicators.actuals.26_491___.posted.v1"),
        (
            Event(type="vn.chitieu.plans.admin_unit.changed.v12"),
            "ev.75.plans.admin_unit.26491.changed.v12",
        ),
    ],
)
def test_a_subject_has_seven_words_and_no_wildcard(told: Event, subject: str) -> None:
    assert subject_of(told) == subject
    assert len(subject.split(".")) == 7


@pytest.mark.parametrize("odd", ["", "posted", "vn.chitieu.indicators.actuals.posted", f"{POSTED}.x", f"x{POSTED}"])
def test_what_is_no_event_type_has_no_subject(odd: str) -> None:
    with pytest.raises(ValueError, match="is no event type"):
        subject_of(Event(type=odd))


@pytest.mark.parametrize("service", SERVICES)
def test_every_event_type_goes_to_the_stream_of_its_service(service: str) -> None:
    taken = {pattern.split(".")[0]: pattern.split(".")[2] for pattern in subjects_of(service)}
    assert taken == {"ev": service, "ev-restricted": service}
    types = service_of(service).events
    subjects = [subject_of(Event(type=name)).split(".") for name in types]
    assert [
        (words[0], words[2], ".".join(["vn.chitieu", words[2], words[3], words[5], words[6]])) for words in subjects
    ] == [("ev", service, name) for name in types]


def test_a_stream_is_named_after_its_service() -> None:
    assert [stream_of(service) for service in SERVICES] == ["chitieu-plans", "chitieu-indicators", "chitieu-budget"]


def test_a_message_id_is_read_as_it_was_written() -> None:
    assert message_id(2, 123) == "2:123"
    assert read_message_id("2:123") == (2, 123)


@pytest.mark.parametrize("odd", [None, "", "2", "2:", "2:0", "0:1", "02:1", "2:1 ", "2:-1", "２:1", "a:b", "1:2:3"])
def test_what_is_no_message_id_of_ours_is_none(odd: str | None) -> None:
    assert read_message_id(odd) is None
