"""The database engine: SQLite with WAL and one writer at a time, or PostgreSQL; and migrations at the start."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")

_CHANGES = 20
"""So often the journal's mode is asked for before a locked file is an error; each time waits for its writer."""
_MIGRATION_LOCK = 0x1A57CA11
"""PostgreSQL advisory lock: one replica migrates, the others wait."""


def open_database(url: str) -> AsyncEngine:
    """An engine for ``sqlite+aiosqlite`` or ``postgresql+asyncpg``. The folder of a SQLite file is made (0700)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_async_engine(url, connect_args={"timeout": 20}, pool_size=4, max_overflow=4)
        event.listen(engine.sync_engine, "connect", _sqlite_connected)
        event.listen(engine.sync_engine, "begin", _sqlite_begin)
        return engine
    return create_async_engine(url, pool_size=5, max_overflow=10, pool_pre_ping=True)


def _sqlite_connected(connection: Any, _record: Any) -> None:
    # FULL, not NORMAL: the written intent must survive a power cut, or a machine could bill unknown.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=20000")
    _write_ahead(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """The one change that does not wait for its lock: SQLite asks no busy handler when the journal's mode changes, so
    processes that start at once on a new file would fail. BEGIN IMMEDIATE waits; by then another has changed it."""
    for _ in range(_CHANGES):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")


def _sqlite_begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once, so that two writers queue instead of failing at commit.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


_AT_WORK: set[asyncio.Future[Any]] = set()


def unbroken(cls: type[T]) -> type[T]:
    """Class decorator: a public async method runs to its end even when its caller is cancelled.

    A connection that is cancelled in the middle of a statement is torn down by the driver, with the write lock in
    its hand; a pass may be overtaken at any moment, so its writes are finished behind its back."""
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and inspect.iscoroutinefunction(method):
            setattr(cls, name, _to_the_end(method))
    return cls


def _to_the_end(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    @functools.wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        task = asyncio.ensure_future(method(*args, **kwargs))
        _AT_WORK.add(task)
        task.add_done_callback(_AT_WORK.discard)
        return await asyncio.shield(task)

    return call


async def all_written() -> None:
    """Wait for writes whose callers are gone; before the engine is closed."""
    mine = [task for task in _AT_WORK if task.get_loop() is asyncio.get_running_loop()]
    await asyncio.gather(*mine, return_exceptions=True)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for queries: takes no write lock."""
    async with engine.connect() as raw:
        connection = await raw.execution_options(reading=True)
        yield connection


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest version; safe when several replicas start at once."""
    async with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
