"""Sessions: the only commit in the house.

`ReadSession` and `Session` are different types, so that the type checker keeps a reading path from writing.
Both are function-scoped dependencies: the transaction ends before the reply leaves, and a failed commit is a 500.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any, NewType

import asyncpg
import msgspec
from fastapi import Depends, Query, Request
from sqlalchemy import MetaData, event, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from chassis.replies import encode
from chassis.settings import Settings
from chassis.tables import ledger_tables
from chassis.webhook_tables import webhook_tables

ReadSession = NewType("ReadSession", AsyncSession)
Session = NewType("Session", ReadSession)  # a writer may do all a reader may

CONNECT_SECONDS = 5
# Numbers in JSON come back as the decimals they were, never as floats.
exact_json = msgspec.json.Decoder(float_hook=Decimal)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def model_base(schema: str) -> type[SQLModel]:
    """The base class of one service's tables: its own registry and metadata, ledger tables included."""
    tables = MetaData(schema=schema, naming_convention=NAMING)
    ledger_tables(tables)
    webhook_tables(tables)

    class Base(SQLModel, registry=registry(metadata=tables)):
        metadata = tables

    return Base


class Database:
    """One service's database: an engine whose connections see that service's schema only."""

    def __init__(self, url: str, service: str, settings: Settings) -> None:
        self.service = service
        self.url = make_url(url).set(drivername="postgresql+asyncpg")
        timeouts = {
            "statement_timeout": settings.statement_timeout_seconds,
            "lock_timeout": settings.lock_timeout_seconds,
            "idle_in_transaction_session_timeout": settings.request_timeout_seconds,
        }
        self._session = {
            "application_name": f"chitieu-{service}",
            "search_path": service,
            "timezone": "UTC",
            "jit": "off",
            **{name: str(int(seconds * 1000)) for name, seconds in timeouts.items()},
        }
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=settings.database_pool_timeout_seconds,
            pool_pre_ping=True,
            json_serializer=lambda value: encode(value).decode(),
            json_deserializer=exact_json.decode,
            connect_args={"timeout": CONNECT_SECONDS, "server_settings": self._session},
        )
        event.listen(self.engine.sync_engine, "handle_error", _note_confusion)
        self._after_commit: list[Any] = []
        self._listeners: list[list[str]] = []
        self._aside: list[Any] = []

    def on_commit(self, wake: Any) -> None:
        """Call `wake()` after each commit that wrote (the sequencer's bell)."""
        self._after_commit.append(wake)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """A session in one read-only snapshot."""
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with AsyncSession(engine, expire_on_commit=False) as session:
            session.info["note_copy"] = self._note
            yield ReadSession(session)

    @asynccontextmanager
    async def write(self, *, keep: bool = True) -> AsyncIterator[Session]:
        """A session whose transaction is committed when the block ends well (`keep`), else rolled back."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            session.info["note_copy"] = self._note
            yield Session(ReadSession(session))
            if not keep:
                await session.rollback()
                return
            await session.commit()
            for wake in self._after_commit:  # now, not when the session is put away: others wait for these events
                wake()

    def beside(self, settings: Settings) -> Database:
        """The same database by connections of its own, under other limits; its commits wake the same listeners."""
        other = Database(self.url.render_as_string(hide_password=False), self.service, settings)
        other._after_commit = self._after_commit
        other._listeners = self._listeners
        return other

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Any]:
        """A connection of the pool as the driver knows it, for reading much: every statement is a transaction.

        Its errors are SQLAlchemy's, so that one place turns them into problems.
        """
        async with self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                with driver.query_logger(lambda query: self._note(query.query)):
                    yield driver
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
                is_lost = driver.is_closed() or isinstance(error, asyncpg.InternalClientError)
                if is_lost:
                    await connection.invalidate(error)
                raise DBAPIError("", None, error, connection_invalidated=is_lost) from error

    async def connect_aside(self, **session: str) -> Any:
        """A connection of the driver's own kind beside the pool, for who needs one for long; closed with the database.

        `session` are settings of PostgreSQL for it.
        """
        self._aside = [connection for connection in self._aside if not connection.is_closed()]
        _, place = self.engine.dialect.create_connect_args(self.url)
        connection = await asyncpg.connect(
            **place, timeout=CONNECT_SECONDS, server_settings={**self._session, **session}
        )
        self._aside.append(connection)
        return connection

    async def close(self) -> None:
        """Give every connection back."""
        for connection in self._aside:
            connection.terminate()
        await self.engine.dispose()

    def listen(self, statements: list[str]) -> Any:
        """Append every statement to a list until the returned function is called (tests count with it)."""

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        event.listen(self.engine.sync_engine, "before_cursor_execute", note)
        self._listeners.append(statements)

        def stop() -> None:
            event.remove(self.engine.sync_engine, "before_cursor_execute", note)
            self._listeners.remove(statements)

        return stop

    def _note(self, statement: str) -> None:
        """Note a statement that goes past SQLAlchemy (COPY)."""
        for statements in self._listeners:
            statements.append(statement)


def _note_confusion(context: ExceptionContext) -> None:
    """Cut off at a bad moment the driver no longer knows what it was doing: that connection is lost as well."""
    if isinstance(context.original_exception, AsyncAdapt_asyncpg_dbapi.InternalClientError):
        context.is_disconnect = True


@asynccontextmanager
async def released(db: Session) -> AsyncIterator[None]:
    """Give the connection of a session that has only read back to the pool while the block lasts.

    Who waits for something that itself needs a connection must not hold one: a few such waits would leave the
    pool empty. Locks and what was read end here, so whatever rests on them is read again after the block.

    Raises:
        RuntimeError: something was written already, which would be lost.
    """
    if await db.scalar(text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")):
        raise RuntimeError("a session that has written cannot be released")
    await db.close()
    yield
    for again in db.info.get("on_return", ()):
        await again()


def on_return(db: Session, again: Callable[[], Awaitable[None]]) -> None:
    """Call `again()` whenever the session comes back from being released: what it held has to be taken anew."""
    db.info.setdefault("on_return", []).append(again)


def _describe(session: AsyncSession, request: Request) -> None:
    session.info["request_id"] = getattr(request.state, "request_id", None)
    session.info["traceparent"] = getattr(request.state, "traceparent", None)
    session.info["caller"] = getattr(request.state, "caller", None)


async def _reading(request: Request) -> AsyncIterator[ReadSession]:
    async with request.app.state.house.database.read() as session:
        _describe(session, request)
        yield session


DryRun = Annotated[bool, Query(description="Run everything, answer the same, and keep nothing.")]


async def _writing(request: Request, dry_run: DryRun = False) -> AsyncIterator[Session]:
    async with request.app.state.house.database.write(keep=not dry_run) as session:
        session.info["dry_run"] = dry_run
        _describe(session, request)
        yield session


Reading = Annotated[ReadSession, Depends(_reading, scope="function")]
Writing = Annotated[Session, Depends(_writing, scope="function")]
