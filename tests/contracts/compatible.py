"""What would break who reads events: one JSON Schema of a version against the one before it.

The log keeps what was announced under every earlier writing of a version, and readers keep the writing they were made
for. So whatever fitted the old schema has to fit the new one, and the other way round: only optional fields are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]
# What says nothing of which data fit.
WORDS = {"$schema", "$id", "$defs", "title", "description", "examples", "x-labels-vi"}
KNOWN = "x-known-values-vi"


def event_breaks(kept: Mapping[str, Schema], now: Mapping[str, Schema]) -> list[str]:
    """Every change of the event types that would break who reads them; a new type, or a new version, breaks nobody."""
    gone = [f"event type {name} is gone" for name in kept if name not in now]
    return gone + [f"{name}{each}" for name in kept if name in now for each in schema_breaks(kept[name], now[name])]


def schema_breaks(before: Schema, after: Schema) -> list[str]:
    """Every change of a schema that needs a new version of its event type."""
    return list(_parts("", (before, after), (before, after)))


def _parts(place: str, sides: tuple[Schema, Schema], whole: tuple[Schema, Schema]) -> Iterator[str]:
    old, new = (_resolved(side, root) for side, root in zip(sides, whole, strict=True))
    yield from _fields(place, (old, new), whole)
    yield from _lists(place, (old, new), whole)
    for word in sorted({*old, *new} - WORDS - {"properties", "required", "items", "anyOf", KNOWN}):
        was, now = (_in_any_order(side.get(word)) for side in (old, new))
        if was != now:
            yield f"{place or '/'} changed its {word} from {was} to {now}"
    for code in old.get(KNOWN, {}).keys() - new.get(KNOWN, {}).keys():
        yield f"{place or '/'} no longer has {code}"


def _fields(place: str, sides: tuple[Schema, Schema], whole: tuple[Schema, Schema]) -> Iterator[str]:
    old, new = (side.get("properties", {}) for side in sides)
    for name, field in old.items():
        if name not in new:
            yield f"{place}/{name} is gone"
        else:
            yield from _parts(f"{place}/{name}", (field, new[name]), whole)
    if old and sides[0].get("additionalProperties") is False:
        yield from (f"{place}/{name} is new in a closed object" for name in new if name not in old)
    must, now_must = (set(side.get("required", ())) for side in sides)
    for name in sorted(now_must - must):
        yield f"{place}/{name} is now required"
    for name in sorted((must - now_must) & new.keys()):
        yield f"{place}/{name} may now be left out"


def _lists(place: str, sides: tuple[Schema, Schema], whole: tuple[Schema, Schema]) -> Iterator[str]:
    for word in ("items", "anyOf"):
        old, new = (_listed(side.get(word)) for side in sides)
        if len(old) != len(new):
            yield f"{place or '/'} changed its {word} from {len(old)} kinds to {len(new)}"
            continue
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from _parts(f"{place}/{word}/{number}", pair, whole)


def _in_any_order(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _listed(part: Any) -> list[Schema]:
    return part if isinstance(part, list) else [part] if part else []


def _resolved(part: Schema, root: Schema) -> Schema:
    """A part with what it refers to in its place."""
    if "$ref" not in part:
        return part
    found: Schema = root["$defs"][part["$ref"].rsplit("/", 1)[1]]
    return {**found, **{name: value for name, value in part.items() if name != "$ref"}}
