"""Refused rows of imports: kept in packed parts, read part by part, so that any number of them fits."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from chassis.database import ReadSession, Session
from services.indicators.domain.import_errors import ErrorPart


async def add_parts(db: Session, import_id: UUID, parts: Sequence[ErrorPart]) -> None:
    """Keep parts, in one statement."""
    await db.execute(
        text(
            "INSERT INTO import_error_part (import_id, last_row, content) SELECT :import_id, last_row, content"
            " FROM unnest(CAST(:rows AS bigint[]), CAST(:contents AS bytea[])) AS p(last_row, content)"
        ),
        {
            "import_id": import_id,
            "rows": [part.last_row for part in parts],
            "contents": [part.content for part in parts],
        },
    )


async def count_parts(db: ReadSession, import_id: UUID) -> int:
    """How many parts are kept."""
    found = await db.execute(
        text("SELECT count(*) FROM import_error_part WHERE import_id = :import_id"), {"import_id": import_id}
    )
    return int(found.scalar_one())


async def load_parts(db: ReadSession, import_id: UUID, after_row: int, limit: int) -> list[ErrorPart]:
    """The next parts that hold rows after a row, in their order."""
    found = await db.execute(
        text(
            "SELECT last_row, content FROM import_error_part WHERE import_id = :import_id AND last_row > :after"
            " ORDER BY last_row LIMIT :limit"
        ),
        {"import_id": import_id, "after": after_row, "limit": limit},
    )
    return [ErrorPart(row.last_row, row.content) for row in found]
