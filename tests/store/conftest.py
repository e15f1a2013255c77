"""A migrated database for each test, copied from one that was migrated once; and a bot's store on it, or two."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.session import migrate, open_database
from tests.store.tabs import KEY
from tests.support.databases import DATABASES
from tests.support.postgres import Postgres


def _migrated(url: str) -> None:
    async def run() -> None:
        engine = open_database(url)
        await migrate(engine)
        await engine.dispose()

    asyncio.run(run())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows."""
    path = tmp_path_factory.mktemp("template") / "lastcall.db"
    _migrated(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a PostgreSQL database with all tables and no rows."""
    name = postgres.create()
    _migrated(postgres.url(name))
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database in a folder of its own."""
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy(sqlite_template, tmp_path / "data" / "lastcall.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lastcall.db'}"


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database without rows, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


async def _store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(open_database(url), lambda: KEY, tmp_path / "keys")
    yield store
    await store.close()


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A bot's store."""
    async for one in _store(url, tmp_path):
        yield one


@pytest.fixture
async def other(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A second bot's store on the same database, with an engine and connections of its own."""
    async for one in _store(url, tmp_path):
        yield one


@pytest.fixture
async def sqlite_store(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A bot's store on SQLite, for what only SQLite has."""
    async for one in _store(sqlite_url, tmp_path):
        yield one
