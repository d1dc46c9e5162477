"""Events as the CloudEvents SDK reads them: what a receiver in another house would do with what we send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from jsonschema import Draft202012Validator, FormatChecker

from chassis.event_types import CLOUD_EVENT, data_schema, envelope_schema
from chassis.settings import SERVICES
from chitieu.compose import service_of

BATCH = "application/cloudevents-batch+json"


def read(body: bytes | str, headers: Mapping[str, str]) -> BaseCloudEvent:
    """One event in structured mode, as it came over HTTP; it fits the envelope, and its data the schema it names."""
    assert headers["Content-Type"].split(";")[0] == CLOUD_EVENT
    return parsed(body if isinstance(body, bytes) else body.encode())


def read_batch(body: bytes, headers: Mapping[str, str]) -> list[BaseCloudEvent]:
    """A batch as it came over HTTP: the SDK reads single events, so each is handed to it."""
    assert headers["Content-Type"].split(";")[0] == BATCH
    return [parsed(json.dumps(each).encode()) for each in json.loads(body)]


def parsed(body: bytes) -> BaseCloudEvent:
    """One event in structured mode, read by the SDK and held against the schemas we publish."""
    event = from_http_event(HTTPMessage({"content-type": CLOUD_EVENT}, body))
    told = json.loads(body)
    service = event.get_source().rsplit("/", 1)[1]
    assert service in SERVICES
    kind = service_of(service).events[event.get_type()]
    for schema, part in ((envelope_schema(service), told), (data_schema(kind), told["data"])):
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(part)
    moment = event.get_time()
    assert moment is not None
    assert moment.utcoffset() == timedelta(0)
    assert event.get_extension("partitionkey") == event.get_subject()
    assert int(event.get_extension("sequence")) >= 1
    assert event.get_data() == told["data"]
    return event


def attributes(event: BaseCloudEvent) -> dict[str, Any]:
    """What the SDK understood, without the data."""
    return dict(event.get_attributes())
