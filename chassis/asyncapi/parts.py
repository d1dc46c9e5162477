"""The parts of an AsyncAPI document in their form: references, channels, operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Part = dict[str, Any]


def ref(kind: str, name: str) -> Part:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def channel(address: str | None, title: str, description: str, server: str | None, messages: Part) -> Part:
    """A place where messages are; without an address and a server it is the receiver's own."""
    servers = {"servers": [{"$ref": f"#/servers/{server}"}]} if server else {}
    return {"address": address, "title": title, "description": description, **servers, "messages": messages}


def sending(channel_name: str, summary: str, messages: Iterable[str], security: str, bindings: Part) -> Part:
    """An operation by which the house sends."""
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel_name}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel_name}/messages/{name}"} for name in messages],
        "security": [ref("securitySchemes", security)],
        "bindings": bindings,
    }


def http(method: str, query: Part | None = None) -> Part:
    """How an operation uses HTTP."""
    asked = {"query": {"type": "object", "properties": query, "additionalProperties": False}} if query else {}
    return {"http": {"method": method, **asked, "bindingVersion": "0.3.0"}}
