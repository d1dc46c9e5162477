"""What would break a caller: one OpenAPI document against the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "put", "post", "delete", "patch")


def breaking_changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Every change that a caller written for `before` could stumble over in `after`."""
    return sorted({*_operations(before, after), *_schemas(before, after)})


def _operations(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for path, methods in before["paths"].items():
        for method, old in methods.items():
            new = after["paths"].get(path, {}).get(method)
            if new is None:
                yield f"{method.upper()} {path} is gone"
                continue
            yield from _parameters(f"{method.upper()} {path}", old, new)
            for status in old["responses"]:
                if status not in new["responses"]:
                    yield f"{method.upper()} {path} no longer answers {status}"


def _parameters(place: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    olds = {(p["in"], p["name"]): p for p in old.get("parameters", [])}
    news = {(p["in"], p["name"]): p for p in new.get("parameters", [])}
    for key, parameter in olds.items():
        if key not in news:
            yield f"{place} no longer takes {key[1]}"
        elif news[key].get("required") and not parameter.get("required"):
            yield f"{place} now demands {key[1]}"
        elif _kinds(parameter["schema"]) - _kinds(news[key]["schema"]):
            yield f"{place} takes fewer kinds of {key[1]}"
    for key in news.keys() - olds.keys():
        if news[key].get("required"):
            yield f"{place} now demands {key[1]}"


def _schemas(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    olds = before.get("components", {}).get("schemas", {})
    news = after.get("components", {}).get("schemas", {})
    for name, old in olds.items():
        new = news.get(name)
        if new is None:
            yield f"schema {name} is gone"
            continue
        yield from _fields(name, old, new)


def _fields(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for field, kind in old.get("properties", {}).items():
        found = new.get("properties", {}).get(field)
        if found is None:
            yield f"{name}.{field} is gone"
        elif _kinds(kind) != _kinds(found):
            yield f"{name}.{field} changed its kind"
    for field in set(new.get("required", ())) - set(old.get("required", ())):
        if field in old.get("properties", {}) or not _is_reply(name):
            yield f"{name}.{field} is now required"
    for value in set(old.get("enum", ())) - set(new.get("enum", ())):
        yield f"{name} no longer has {value}"


def _is_reply(name: str) -> bool:
    return not name.endswith(("Body", "In"))


def _kinds(schema: dict[str, Any]) -> frozenset[str]:
    """The kinds a schema allows: names of JSON types and of referred schemas."""
    if "$ref" in schema:
        return frozenset({schema["$ref"]})
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return frozenset().union(*(_kinds(part) for part in schema[word]))
    kind = schema.get("type", "any")
    if kind == "array":
        return frozenset(f"array of {inner}" for inner in _kinds(schema.get("items", {})))
    return frozenset(kind) if isinstance(kind, list) else frozenset({kind})
