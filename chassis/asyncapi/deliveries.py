"""The four deliveries as channels and operations: pull, stream, webhooks, JetStream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chassis.asyncapi.parts import Part, channel, http, ref, sending
from chassis.event_types import CLOUD_EVENT, CLOUD_EVENTS, EventType

PAGE_SECONDS, PAGE_EVENTS, MERGED_EVENTS = 25, 10_000, 1000


def fetched(service: str, types: Iterable[str]) -> Part:
    """What a reader asks of one service: pages of changes, and the stream. `types` are names of event messages."""
    own = {"bookmark": _BOOKMARK, "error": _ERROR}
    return _fetched(service, f"/v1/{service}/changes", list(types), own, (_pulling(_QUERY, PAGE_EVENTS), _QUERY))


def fetched_of_all(types: Iterable[str]) -> Part:
    """What a reader asks of the gateway: the changes of several services under one cursor."""
    query = {**_QUERY, "services": {**_CODES, "description": "Which services; none: all."}}
    own = {"bookmark": _BOOKMARK, "unreachable": _UNREACHABLE, "error": _ERROR}
    made = _fetched("changes", "/v1/changes", list(types), own, (_pulling(query, MERGED_EVENTS), query))
    page = made["messages"]["changes.page"]["payload"]
    page["properties"] |= {"unreachable": {**_CODES, "description": "Did not answer; `next` keeps their place."}}
    page["required"] += ["unreachable"]
    return made


def _fetched(name: str, path: str, types: list[str], own: Mapping[str, Part], queries: tuple[Part, Part]) -> Part:
    """The two channels; `own` are the messages of a stream that are no changes."""
    pull, stream, page, batch = (f"{name}.{each}" for each in ("pull", "stream", "page", "batch"))
    events = {"oneOf": [ref("schemas", each) for each in types]}
    beside = {f"{name}.{each}": message for each, message in own.items()}
    streamed = [*types, *beside]
    return {
        "channels": {
            pull: channel(path, "Hỏi từng trang", PULL, "door", _refs((page, batch))),
            stream: channel(f"{path}/stream", "Luồng sự kiện (SSE)", STREAM, "door", _refs(streamed)),
        },
        "operations": {
            pull: sending(pull, "Answer a page of changes.", (page, batch), "bearer", http("GET", queries[0])),
            stream: sending(stream, "Stream changes as they happen.", streamed, "bearer", http("GET", queries[1])),
        },
        "messages": {page: _page(events), batch: _batch(events), **beside},
    }


def pushed(service: str, types: Mapping[str, EventType]) -> Part:
    """What is sent to receivers: webhooks to their address, JetStream to subjects."""
    webhook, jetstream = f"{service}.webhook", f"{service}.jetstream"
    events = _with_headers(types, _WEBHOOK_HEADERS)
    own = {f"{service}.{verb}": _own(service, verb, *words) for verb, words in _OWN.items()}
    subjects = channel(JETSTREAM_SUBJECT.format(service=service), "NATS JetStream", JETSTREAM, "nats", {})
    return {
        "channels": {
            webhook: channel(None, "Webhook", WEBHOOK, None, {**events, **_refs(own)}),
            jetstream: {
                **subjects,
                "parameters": _SUBJECT_PARAMETERS,
                "messages": _with_headers(types, _NATS_HEADERS),
            },
        },
        "operations": {
            webhook: sending(webhook, "Post an event to a subscribed URL.", (*types, *own), "signature", http("POST")),
            jetstream: sending(jetstream, "Copy an event to JetStream.", types, "nats", {"nats": {}}),
        },
        "messages": own,
    }


def _refs(names: Iterable[str]) -> Part:
    return {name: ref("messages", name) for name in names}


def _with_headers(types: Mapping[str, EventType], headers: Part) -> Part:
    """The event messages, each with what its delivery adds."""
    return {
        name: {
            "name": name,
            "title": kind.title.vi,
            "summary": kind.title.en,
            "contentType": CLOUD_EVENT,
            "headers": headers,
            "payload": ref("schemas", name),
        }
        for name, kind in types.items()
    }


def _own(service: str, verb: str, title: str, summary: str, data: Part) -> Part:
    """A word to a receiver that is no event of the log: an envelope without a place in it."""
    kind = f"vn.chitieu.{service}.webhook.{verb}.v1"
    names = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data")
    fields: Part = {**{name: {"type": "string"} for name in names}, "type": {"const": kind}, "data": data}
    return {
        "name": kind,
        "title": title,
        "summary": summary,
        "contentType": CLOUD_EVENT,
        "headers": _WEBHOOK_HEADERS,
        "payload": {"type": "object", "properties": fields, "required": list(names)},
    }


def _page(events: Part) -> Part:
    cursor = {"type": "string", "description": "Opaque; only ever given back as `after`."}
    return {
        "name": "page",
        "title": "Một trang thay đổi",
        "summary": "A page of changes; `next` always moves, also when nothing matched.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "properties": {
                "items": {"type": "array", "items": events, "description": "In the order they happened."},
                "next": {**cursor, "title": "Con trỏ tiếp theo"},
                "head": {**cursor, "title": "Cuối nhật ký"},
            },
            "required": ["items", "next", "head"],
        },
    }


def _batch(events: Part) -> Part:
    return {
        "name": "batch",
        "title": "Một trang thay đổi, chỉ danh sách",
        "summary": f"A page as a bare array, by `Accept: {CLOUD_EVENTS}`; the next cursor is in a header.",
        "contentType": CLOUD_EVENTS,
        "headers": {"type": "object", "properties": {"Changes-Cursor": {"type": "string"}}},
        "payload": {"type": "array", "items": events},
    }


_BOOKMARK: Part = {
    "name": "bookmark",
    "title": "Dấu trang",
    "summary": "How far the log was read while nothing matched: an id without data.",
    "contentType": "text/event-stream",
}
_ERROR: Part = {
    "name": "error",
    "title": "Lý do kết thúc luồng",
    "summary": "Why a stream ends: a problem (RFC 9457), such as 410 for a cursor that is dead.",
    "contentType": "application/problem+json",
    "payload": {
        "type": "object",
        "properties": {"code": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
        "required": ["code", "status"],
    },
}
_CODES: Part = {"type": "array", "items": {"type": "string"}}
_UNREACHABLE: Part = {
    "name": "unreachable",
    "title": "Dịch vụ chưa hỏi được",
    "summary": "Services that are away at the moment; none: all answer again. Nothing of theirs is lost.",
    "contentType": "application/json",
    "payload": {"type": "object", "properties": {"services": _CODES}, "required": ["services"]},
}

PULL = (
    "Hỏi sau một con trỏ; `wait` giữ câu trả lời đến khi có thay đổi. Pages after a cursor, in order, none left out; "
    "`wait` holds the answer until there is a change. 410: the cursor is dead, list everything again and follow from "
    "the new Changes-Cursor."
)
STREAM = (
    "Server-sent events: `id` là con trỏ, `event` là loại, `data` là sự kiện. Come back with the last id "
    "(`Last-Event-ID`, which browsers send by themselves, or `after`) and nothing is missed; streams end by "
    "themselves after 15 minutes."
)
WEBHOOK = (
    "Đăng ký tại POST /v1/<dịch vụ>/webhooks. An event at a time is posted to the URL of a subscription, signed as "
    "Standard Webhooks say; 2xx is success, anything else is tried again for days. At least once: know an event by its "
    "`id`."
)
JETSTREAM = (
    "Bản sao của nhật ký trong JetStream, mỗi dịch vụ một stream. A copy of the log, in its order and without a gap; "
    "`Nats-Msg-Id` is `epoch:position`."
)
JETSTREAM_SUBJECT = "{{audience}}.{{province}}.{service}.{{entity}}.{{commune}}.{{event}}.{{version}}"
_SUBJECT_PARAMETERS: Part = {
    "audience": {"enum": ["ev", "ev-restricted"], "description": "ev: public; ev-restricted: its unit's alone."},
    "province": {"description": "Province code, 2 digits; _: none.", "examples": ["75"]},
    "entity": {"description": "What it happened to.", "examples": ["actuals", "plan"]},
    "commune": {"description": "Commune code, 5 digits; _: none.", "examples": ["26491"]},
    "event": {"description": "What happened.", "examples": ["posted", "issued"]},
    "version": {"description": "Version of the event type.", "examples": ["v1"]},
}
_OWN: Mapping[str, tuple[str, str, Part]] = {
    "challenged": (
        "Câu hỏi trước khi kích hoạt",
        "Whether the receiver wants to hear from us: it answers 200 with a JSON object of the same `challenge`.",
        {"type": "object", "properties": {"challenge": {"type": "string"}}, "required": ["challenge"]},
    ),
    "pinged": ("Gửi thử", "A word to try the receiver with; any 2xx will do.", {"type": "object"}),
}
_WEBHOOK_HEADERS: Part = {
    "type": "object",
    "properties": {
        "webhook-id": {"type": "string", "description": "The same at every attempt."},
        "webhook-timestamp": {"type": "string", "description": "Seconds since 1970, of this attempt."},
        "webhook-signature": {
            "type": "string",
            "description": "v1,<base64 HMAC-SHA256 of id.timestamp.body>; several, separated by spaces, at a rotation.",
        },
    },
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
}
_NATS_HEADERS: Part = {
    "type": "object",
    "properties": {"Nats-Msg-Id": {"type": "string", "pattern": "^[0-9]+:[0-9]+$", "description": "epoch:position"}},
    "required": ["Nats-Msg-Id"],
}

_QUERY: Part = {
    "after": {"type": "string", "description": "Cursor."},
    "types": {**_CODES, "description": "Event types; none: all."},
    "province": {**_CODES, "description": "Province codes; none: all."},
    "commune": {**_CODES, "description": "Commune codes; none: all."},
}


def _pulling(query: Part, most: int) -> Part:
    return {
        **query,
        "limit": {"type": "integer", "minimum": 1, "maximum": most, "default": 100},
        "wait": {"type": "number", "minimum": 0, "maximum": PAGE_SECONDS, "default": 0, "description": "Seconds."},
    }
