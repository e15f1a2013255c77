"""Fixtures that found small towns, each on its own copy of an empty SQLite database."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.store.session import migrate, open_database
from tests.support.postgres import Postgres
from tests.support.small_town import SmallTown

Found = Callable[..., Awaitable[SmallTown]]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"

    async def made() -> None:
        engine = open_database(f"sqlite+aiosqlite:///{path}")
        await migrate(engine)
        await engine.dispose()

    asyncio.run(made())
    return path


@pytest.fixture
async def found(empty_database: Path, tmp_path: Path) -> AsyncIterator[Found]:
    """Call it to have a town with its own world and rows, as often as you like."""
    towns: list[SmallTown] = []

    async def new(**town: Any) -> SmallTown:
        folder = tmp_path / str(len(towns))
        await asyncio.to_thread(folder.mkdir)
        await asyncio.to_thread(shutil.copyfile, empty_database, folder / "lastcall.db")
        towns.append(SmallTown(f"sqlite+aiosqlite:///{folder / 'lastcall.db'}", folder, **town))
        return towns[-1]

    yield new
    for town in towns:
        await town.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def found_anywhere(
    request: pytest.FixtureRequest, found: Found, tmp_path: Path
) -> AsyncIterator[Found]:
    """The same, on both databases."""
    if request.param == "sqlite":
        yield found
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = await asyncio.to_thread(server.create)
    engine = open_database(server.url(name))
    await migrate(engine)
    await engine.dispose()
    towns: list[SmallTown] = []

    async def new(**town: Any) -> SmallTown:
        towns.append(SmallTown(server.url(name), tmp_path, **town))
        return towns[-1]

    yield new
    for town in towns:
        await town.close()
    await asyncio.to_thread(server.drop, name)


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """A town where nobody has to confirm."""
    return await found()
