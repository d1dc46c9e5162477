"""Versions of aggregates beside their rows, so that a follower that lists first knows what it has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from services.plans.store.tables import Base

_HEAD = Base.metadata.tables["plans.aggregate_head"]


def version_column(subject: Any) -> ColumnElement[int]:
    """The present version of the aggregate a row belongs to; 0 before its first event."""
    version = select(_HEAD.c.version).where(_HEAD.c.subject == subject).scalar_subquery()
    return func.coalesce(version, 0).label("version")
