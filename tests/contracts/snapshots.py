"""`make snapshots`: write the contracts anew. A breaking change is refused; it belongs into a new version."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from graphql import build_schema
from graphql.utilities import find_breaking_changes

from chassis.asyncapi import merged_document, service_document
from chassis.event_types import ENVELOPE, data_schema, envelope_schema
from chassis.settings import SERVICES, Settings
from chitieu.compose import compose, service_of
from gateway.schema import sdl
from tests.contracts.compatible import event_breaks
from tests.contracts.openapi import breaking_changes

HERE = Path(__file__).parent
SCHEMA = HERE / "schema.graphql"
EVENTS = HERE.parents[1] / "docs" / "events"
KEPT_SCHEMAS = EVENTS / "schemas"
ASYNCAPI = EVENTS / "asyncapi.json"
GATEWAY = "gateway"
_NOWHERE = dict.fromkeys(SERVICES, "postgresql://nobody@localhost/none")


@cache
def openapi_documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of every service, and of the gateway, as served; nobody changes them."""
    composition = compose(Settings(), _NOWHERE)
    assert composition.gateway
    apps = {**composition.services, GATEWAY: composition.gateway.own}
    return {name: app.openapi() for name, app in apps.items()}


def event_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every event type's data, and of the envelope they share."""
    types = [kind for name in SERVICES for kind in service_of(name).events.values()]
    return {ENVELOPE: envelope_schema(SERVICES[0]), **{kind.name: data_schema(kind) for kind in types}}


def asyncapi_document() -> dict[str, Any]:
    """The AsyncAPI document of all services, as the gateway serves it."""
    return merged_document([service_document(name, service_of(name).events) for name in SERVICES])


def graphql_schema() -> str:
    """The printed GraphQL schema."""
    return sdl()


def path_of(name: str) -> Path:
    """Where a contract lies."""
    return HERE / f"openapi.{name}.json" if name in (*SERVICES, GATEWAY) else KEPT_SCHEMAS / f"{name}.json"


def text_of(document: dict[str, Any]) -> str:
    """A document in the form it is kept in."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def breaks(kept_schemas: Path = KEPT_SCHEMAS) -> list[str]:
    """Every breaking change against what is kept."""
    found = []
    for name, document in openapi_documents().items():
        if path_of(name).exists():
            found += breaking_changes(json.loads(path_of(name).read_text(encoding="utf-8")), document)
    kept = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in kept_schemas.glob("*.json")}
    found += event_breaks(kept, event_schemas())
    if SCHEMA.exists():
        old_schema = build_schema(SCHEMA.read_text(encoding="utf-8"))
        found += [change.description for change in find_breaking_changes(old_schema, build_schema(graphql_schema()))]
    return found


def main() -> None:
    """Write every contract, or say what would break."""
    broken = breaks()
    if broken:
        print("Refused, these would break a caller:", *broken, sep="\n- ")
        sys.exit(1)
    for name, document in {**openapi_documents(), **event_schemas()}.items():
        path_of(name).parent.mkdir(parents=True, exist_ok=True)
        path_of(name).write_text(text_of(document), encoding="utf-8")
    ASYNCAPI.write_text(text_of(asyncapi_document()), encoding="utf-8")
    SCHEMA.write_text(graphql_schema(), encoding="utf-8")


if __name__ == "__main__":
    main()
