"""AsyncAPI 3: a service's event types and the four ways to get them, and the documents of all services as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from chassis.asyncapi.deliveries import fetched, fetched_of_all, pushed
from chassis.asyncapi.parts import Part, ref
from chassis.event_types import CLOUD_EVENT, EventType, data_schema, envelope_schema

__all__ = ["EXTENSION", "merged_document", "service_document"]

LOCAL_URL = "http://127.0.0.1:8000"
EXTENSION = "x-chitieu"  # what only our own page knows how to show
_ENVELOPE = "CloudEvent"
_ABOUT = (
    "Một nhật ký thay đổi cho mỗi dịch vụ, bốn cách nhận; mỗi sự kiện là CloudEvents 1.0. "
    "One log of changes per service, four deliveries; every event is a CloudEvent 1.0. Within a version of a type only "
    "optional fields are added: accept fields you do not know."
)


def service_document(service: str, types: Mapping[str, EventType], public_url: str | None = None) -> Part:
    """The AsyncAPI document of one service."""
    asked, sent = fetched(service, types), pushed(service, types)
    messages = {name: _message(kind, public_url) for name, kind in types.items()}
    return {
        **_head(f"Sự kiện của dịch vụ {service}", f"urn:chitieu:{service}:events", public_url),
        "channels": {**asked["channels"], **sent["channels"]},
        "operations": {**asked["operations"], **sent["operations"]},
        "components": {
            "messages": {**messages, **asked["messages"], **sent["messages"]},
            "schemas": _schemas(service, types, public_url),
            "securitySchemes": _SECURITY,
        },
    }


def merged_document(documents: Sequence[Part], public_url: str | None = None) -> Part:
    """The documents of several services as one, with the feed that the gateway merges of all."""
    types = [name for each in documents for name, part in each["components"]["messages"].items() if EXTENSION in part]
    merged = fetched_of_all(types)
    every = [*documents, {**merged, "components": {"messages": merged["messages"]}}]
    components = [each["components"] for each in every]
    return {
        **_head("Sự kiện của chitieu", "urn:chitieu:events", public_url),
        **{name: _joined(each.get(name, {}) for each in every) for name in ("channels", "operations")},
        "components": {
            name: _joined(each.get(name, {}) for each in components)
            for name in ("messages", "schemas", "securitySchemes")
        },
    }


def _joined(parts: Iterable[Part]) -> Part:
    return {name: value for part in parts for name, value in part.items()}


def _head(title: str, identity: str, public_url: str | None) -> Part:
    door = urlsplit(public_url or LOCAL_URL)
    path = {"pathname": door.path} if door.path else {}
    return {
        "asyncapi": "3.0.0",
        "id": identity,
        "info": {
            "title": title,
            "version": metadata.version("chitieu"),
            "description": _ABOUT,
            "license": {"name": "MIT"},
        },
        "defaultContentType": CLOUD_EVENT,
        "servers": {
            "door": {"host": door.netloc, "protocol": door.scheme, **path, "description": "The public door."},
            "nats": {
                "host": "{host}:{port}",
                "protocol": "nats",
                "description": "NATS with JetStream, where the operator runs one.",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "4222"}},
            },
        },
    }


def _message(kind: EventType, public_url: str | None) -> Part:
    example = kind.example(public_url)
    words = {"title": kind.title, "when": kind.when, "subject": kind.subject, "audience": kind.audience.value}
    about = {name: {"vi": each.vi, "en": each.en} for name, each in words.items()}
    return {
        "name": kind.name,
        "title": kind.title.vi,
        "summary": kind.title.en,
        "description": f"{kind.when.vi} {kind.when.en} {kind.audience.value.vi} {kind.audience.value.en}",
        "contentType": CLOUD_EVENT,
        "tags": [{"name": kind.service}],
        "payload": ref("schemas", kind.name),
        "examples": [{"name": "announced", "summary": "As it was announced once.", "payload": example}],
        EXTENSION: {"service": kind.service, "dataschema": example["dataschema"], **about},
    }


def _schemas(service: str, types: Mapping[str, EventType], public_url: str | None) -> Part:
    """Envelope and data of every type, as components of one document; AsyncAPI reads them as JSON Schema draft 7."""
    schemas: Part = {_ENVELOPE: _component(envelope_schema(service, public_url), service)}
    for name, kind in types.items():
        schema = data_schema(kind, public_url)
        parts = schema.pop("$defs", {})
        schemas |= {f"{service}.{part}": _component(each, service) for part, each in parts.items()}
        schemas[f"{name}.data"] = _component(schema, service)
        own = {"type": {"const": name}, "data": ref("schemas", f"{name}.data")}
        schemas[name] = {
            "title": kind.title.vi,
            "allOf": [ref("schemas", _ENVELOPE), {"type": "object", "properties": own}],
        }
    return schemas


def _component(part: Any, service: str) -> Any:
    if isinstance(part, list):
        return [_component(each, service) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _component(value, service) for name, value in part.items() if name not in ("$schema", "$id")}
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].replace("#/$defs/", f"#/components/schemas/{service}.")
    return kept


_SECURITY: Part = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Scope changes:read. Public events need no token where CHITIEU_PUBLIC_READ is on.",
    },
    "signature": {
        "type": "httpApiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks 1.0: HMAC-SHA256 over id.timestamp.body with the secret shown once.",
    },
    "nats": {"type": "userPassword", "description": "As the operator of NATS gives."},
}
