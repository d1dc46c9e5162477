"""`make snapshots`: write the contracts anew. A breaking change is refused; it belongs into a new version."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from graphql import build_schema
from graphql.utilities import find_breaking_changes

from chassis.settings import SERVICES, Settings
from chitieu.compose import compose, service_of
from gateway.schema import sdl
from tests.contracts.openapi import breaking_changes

HERE = Path(__file__).parent
SCHEMA = HERE / "schema.graphql"
_NOWHERE = dict.fromkeys(SERVICES, "postgresql://nobody@localhost/none")


def openapi_documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of every service, as served."""
    composition = compose(Settings(), _NOWHERE, with_gateway=False)
    return {name: app.openapi() for name, app in composition.services.items()}


def event_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every event type."""
    return {kind: payload.model_json_schema() for name in SERVICES for kind, payload in service_of(name).events.items()}


def graphql_schema() -> str:
    """The printed GraphQL schema."""
    return sdl()


def path_of(name: str) -> Path:
    """Where a contract lies."""
    return HERE / (f"events/{name}.json" if name.startswith("vn.") else f"openapi.{name}.json")


def text_of(document: dict[str, Any]) -> str:
    """A document in the form it is kept in."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def breaks() -> list[str]:
    """Every breaking change against what is kept."""
    found = []
    for name, document in openapi_documents().items():
        if path_of(name).exists():
            found += breaking_changes(json.loads(path_of(name).read_text(encoding="utf-8")), document)
    for name, document in event_schemas().items():
        if path_of(name).exists():
            old = json.loads(path_of(name).read_text(encoding="utf-8"))
            wrap = [
                {"paths": {}, "components": {"schemas": {name: part, **part.get("$defs", {})}}}
                for part in (old, document)
            ]
            found += breaking_changes(*wrap)
    if SCHEMA.exists():
        old_schema = build_schema(SCHEMA.read_text(encoding="utf-8"))
        found += [change.description for change in find_breaking_changes(old_schema, build_schema(graphql_schema()))]
    return found


def _as_document(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"paths": {}, "components": {"schemas": {name: schema, **schema.get("$defs", {})}}}


def main() -> None:
    """Write every contract, or say what would break."""
    broken = breaks()
    if broken:
        print("Refused, these would break a caller:", *broken, sep="\n- ")
        sys.exit(1)
    for name, document in {**openapi_documents(), **event_schemas()}.items():
        path_of(name).parent.mkdir(exist_ok=True)
        path_of(name).write_text(text_of(document), encoding="utf-8")
    SCHEMA.write_text(graphql_schema(), encoding="utf-8")


if __name__ == "__main__":
    main()
