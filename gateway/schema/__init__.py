"""The schema: its roots, put together with the types they lead to."""

from __future__ import annotations

from importlib import metadata

import strawberry
from strawberry.schema.config import StrawberryConfig

from gateway.types.fields import told
from gateway.types.scalars import SCALARS


def _version() -> str:
    return metadata.version("chitieu")


@strawberry.type
class Query:
    """Where every reading starts."""

    version: str = told("Version of the software.", _version)


def build_schema() -> strawberry.Schema:
    """The whole schema, ready to run."""
    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
