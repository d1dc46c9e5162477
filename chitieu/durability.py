"""Serve only on a database that keeps what it has confirmed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from chassis.settings import Settings
from chitieu.migrate import Target, connected
from chitieu.troubles import Trouble

_OFF = text("""
SELECT name FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name
""")


async def refuse_unsafe(targets: Sequence[Target], settings: Settings) -> None:
    """Refuse a database that may lose confirmed transactions in a crash: positions of the log would be used again.

    Raises:
        Trouble: which service's database has which settings off, and what to do.
    """
    if settings.unsafe_database:
        return
    for target in targets:
        async with connected(target.login_url) as connection:
            off = (await connection.execute(_OFF)).scalars().all()
        if off:
            raise Trouble(
                f"PostgreSQL of {target.service} runs with {', '.join(off)} off, and would lose in a crash what it has "
                "confirmed: turn that on (or set CHITIEU_UNSAFE_DATABASE=true, where losing data does not matter)."
            )
