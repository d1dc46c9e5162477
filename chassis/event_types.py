"""What a service announces: its event types, in words, and as JSON Schemas of their data and of the envelope."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_JSON = "application/schema+json"
CLOUD_EVENT, CLOUD_EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
ENVELOPE = "cloudevent"  # stands beside the event types where schemas are served
OPEN = "Trường mới có thể được thêm: hãy bỏ qua trường chưa biết. New fields may be added: accept unknown ones."


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    vi: str
    en: str


class Audience(Enum):
    """Who may hear an event: a reader of the change feed hears what is public and what is of its own units."""

    PUBLIC = Words("Công khai: ai đọc được nhật ký thay đổi cũng nghe.", "Public: whoever may read the change feed.")
    AS_PLAN = Words(
        "Như kế hoạch: còn dự thảo thì chỉ đơn vị, tỉnh của đơn vị và nơi có quyền toàn bộ; đã ban hành thì công khai.",
        "As the plan: while it is a draft its unit, its province and tokens for everywhere; public once it is issued.",
    )
    UNIT = Words(
        "Hạn chế: đơn vị, tỉnh của đơn vị và nơi có quyền toàn bộ. Số liệu mẫu của bản trình diễn thì công khai.",
        "Restricted: the unit, its province and tokens for everywhere. Sample figures of a demo are public.",
    )


class Said(BaseModel):
    """An object of an event."""

    model_config = ConfigDict(extra="allow")


class Announcement(Said):
    """What the data of every event have."""

    version: int = Field(
        ge=1,
        title="Phiên bản",
        description="Counts the events of the subject, from 1; what you have with this version or a later one, you"
        " have heard. A reader who may not hear all of them sees gaps.",
    )
    client_id: str | None = Field(
        title="Ứng dụng đã ghi",
        description="Client that wrote it, as its token names it; null where a token names a person only.",
    )


def closed_list(codes: type[Enum], *labels_vi: str) -> WithJsonSchema:
    """One of these codes, each with its Vietnamese word; another one needs a new version of the event type."""
    labels = _labelled(codes, labels_vi)
    return WithJsonSchema({"type": "string", "enum": list(labels), "x-labels-vi": labels})


def open_list(codes: type[Enum], *labels_vi: str) -> WithJsonSchema:
    """One of these codes as of today, each with its Vietnamese word; law and reference data may bring others."""
    labels = _labelled(codes, labels_vi)
    return WithJsonSchema({"type": "string", "pattern": "^[a-z0-9_]+$", "x-known-values-vi": labels})


def _labelled(codes: type[Enum], labels_vi: Iterable[str]) -> dict[str, str]:
    return {str(code.value): label for code, label in zip(codes, labels_vi, strict=True)}


Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
UnitCode = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": "^([0-9]{2}|[0-9]{5})$", "examples": ["26491"]}),
]
ProvinceCode = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9]{2}$", "examples": ["75"]})]
PlanKey = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^([0-9]{2}|[0-9]{5})-[0-9]{4}-[a-z0-9]+(-[a-z0-9]+)*$",
            "examples": ["26491-2026-digital-transformation-state-agencies"],
        }
    ),
]


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: what happened, when it is announced, of what, who may hear it, and its data."""

    name: str
    payload: type[Announcement]
    title: Words
    when: Words
    subject: Words
    audience: Audience
    examples: Path

    @property
    def service(self) -> str:
        """The service that announces it."""
        return self.name.split(".")[2]

    @property
    def example_path(self) -> Path:
        """Where a real event of this type lies."""
        return self.examples / f"{self.name}.json"

    def example(self, public_url: str | None = None) -> dict[str, Any]:
        """A real event of this type, as it was announced once."""
        event: dict[str, Any] = dict(_read(self.example_path))
        base = public_url or ""
        return {**event, "source": base + event["source"], "dataschema": base + event["dataschema"]}


def by_name(*types: EventType) -> Mapping[str, EventType]:
    """Event types by their names."""
    return {each.name: each for each in types}


@cache
def _read(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event


def schema_address(service: str, name: str, public_url: str | None = None) -> str:
    """Where the schema of an event type (or the envelope) is served; `dataschema` of each event leads there."""
    return f"{public_url or ''}/v1/{service}/event-schemas/{name}"


class _Generator(GenerateJsonSchema):
    """Schemas whose titles are the Vietnamese words we gave, and none that repeats a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library gives it
        return False


def data_schema(kind: EventType, public_url: str | None = None) -> dict[str, Any]:
    """The JSON Schema of an event type's data."""
    made = _without_nothing(kind.payload.model_json_schema(schema_generator=_Generator))
    about = f"{kind.title.en} {kind.when.en} {made['description']} {OPEN}"
    return {
        "$schema": DIALECT,
        "$id": schema_address(kind.service, kind.name, public_url),
        **made,
        "title": kind.title.vi,
        "description": about,
    }


def _without_nothing(part: Any) -> Any:
    """A schema without `default: null`: what may be left out is nothing then, not null."""
    if isinstance(part, list):
        return [_without_nothing(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_nothing(value) for name, value in part.items() if not (name == "default" and value is None)}


def envelope_schema(service: str, public_url: str | None = None) -> dict[str, Any]:
    """The JSON Schema of the envelope of every event of a service: CloudEvents 1.0 in JSON, with four extensions."""
    address = schema_address(service, ENVELOPE, public_url)
    properties = {**_CONTEXT, **_EXTENSIONS, "data": {"type": "object", "description": "As `dataschema` says."}}
    return {
        "$schema": DIALECT,
        "$id": address,
        "title": "Phong bì sự kiện (CloudEvents 1.0)",
        "description": f"The envelope of every event, in CloudEvents' structured JSON form. {OPEN}",
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in ("province", "traceparent")],
        "additionalProperties": True,
    }


_CONTEXT: Mapping[str, Any] = {
    "specversion": {"const": "1.0", "type": "string"},
    "id": {"type": "string", "format": "uuid", "title": "Mã sự kiện", "description": "UUIDv7; never given twice."},
    "source": {
        "type": "string",
        "format": "uri-reference",
        "pattern": "/(plans|indicators|budget)$",
        "title": "Dịch vụ",
        "description": "The service; absolute in production.",
        "examples": ["/plans"],
    },
    "type": {
        "type": "string",
        "pattern": r"^vn\.chitieu\.(plans|indicators|budget)\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*$",
        "title": "Loại sự kiện",
        "description": "vn.chitieu.<service>.<entity>.<what happened>.v<version>.",
    },
    "subject": {"type": "string", "minLength": 1, "title": "Đối tượng", "description": "What it happened to."},
    "time": {
        "type": "string",
        "format": "date-time",
        "pattern": "Z$",
        "title": "Thời điểm",
        "description": "When it was written, UTC. Order is that of `sequence`, not of this.",
    },
    "datacontenttype": {"const": "application/json", "type": "string"},
    "dataschema": {
        "type": "string",
        "format": "uri-reference",
        "description": "Where the JSON Schema of `data` is served; absolute in production.",
    },
}
_EXTENSIONS: Mapping[str, Any] = {
    "sequence": {
        "type": "string",
        "pattern": "^[0-9]{20}$",
        "title": "Vị trí trong nhật ký",
        "description": "Position in the service's log, 20 digits as text: 1, 2, 3, … without a gap.",
        "examples": ["00000000000000000042"],
    },
    "partitionkey": {
        "type": "string",
        "minLength": 1,
        "description": "The subject: events of one key are delivered in their order.",
    },
    "province": {
        "type": "string",
        "pattern": "^[0-9]{2}$",
        "title": "Mã tỉnh",
        "description": "Province it concerns; absent: it concerns everybody.",
    },
    "traceparent": {
        "type": "string",
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C trace context of the request that wrote it; absent: no request did.",
    },
}
