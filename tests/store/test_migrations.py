"""The schema: made from nothing at the start, equal to the models, and never in the way of what is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from bot.store import Store
from bot.store.session import migrate, open_database
from tests.store.tabs import ASKED, KEY, found, opened, texts


def differences(connection: Connection) -> list[object]:
    """What alembic would have to do to make the database what the models say: tables, columns, types, indexes."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_migrations_make_what_the_models_say(database_url: str):
    """From an empty database, with nothing too much and nothing missing."""
    engine = open_database(database_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences)
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_again_and_at_once_is_fine(database_url: str):
    """Four replicas that start in the same moment on an empty database wait for the one that migrates."""
    engines = [open_database(database_url) for _ in range(4)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    await migrate(engines[0])
    async with engines[1].connect() as connection:
        assert await connection.run_sync(differences) == []
        versions = await connection.execute(text("SELECT count(*) FROM alembic_version"))
        assert versions.scalar_one() == 1
    for engine in engines:
        await engine.dispose()


async def test_what_is_there_is_kept(database_url: str, tmp_path: Path):
    """A bot that starts again on its database finds its tabs and its journal."""
    first = await Store.open(database_url, lambda: KEY, tmp_path)
    rental = await opened(first)
    await first.close()
    again = await Store.open(database_url, lambda: KEY, tmp_path)
    assert await found(again) == rental
    assert await texts(again) == [ASKED.text]
    await again.close()
