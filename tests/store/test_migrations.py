"""The schema: made from nothing at the start, equal to the models, and never in the way of what is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, column, inspect, table, text
from sqlmodel import SQLModel

from bot.domain.rental import Goal
from bot.store import Store, session
from bot.store.rows import ATTEMPTS, RENTALS, attempt_values, rental_values
from bot.store.session import migrate, open_database
from tests.store.tabs import ASKED, KEY, T0, attempt, found, opened, tab, texts


def differences(connection: Connection) -> list[object]:
    """What alembic would have to do to make the database what the models say: tables, columns, types, indexes."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


WENT = {"reminded": 50}
"""Columns that a later release took away, and what stood in them."""


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
    """Eight replicas that start in the same moment on an empty database wait for the one that migrates."""
    engines = [open_database(database_url) for _ in range(8)]
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


async def test_an_older_database_is_brought_up_with_what_is_in_it(database_url: str, tmp_path: Path):
    """A rental that runs while the bot is replaced by a newer one is found as it was."""
    engine, running = open_database(database_url), tab(goal=Goal.READY, began_at=T0, attempts=(attempt(),))
    async with engine.begin() as connection:
        await connection.run_sync(first_release)
        await connection.run_sync(put_down, RENTALS, rental_values(running) | {"wake_at": T0})
        await connection.run_sync(put_down, ATTEMPTS, attempt_values(running.id, running.attempts[0]))
    await engine.dispose()
    store = await Store.open(database_url, lambda: KEY, tmp_path)
    assert await found(store, running.id) == running
    await store.close()


def first_release(connection: Connection) -> None:
    """The tables as they were then."""
    config = Config()
    config.set_main_option("script_location", str(Path(session.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def put_down(connection: Connection, now: Table, values: dict[str, Any]) -> None:
    """A row as it was written then: without the columns that came later, with those that went."""
    there = {one["name"] for one in inspect(connection).get_columns(now.name)}
    went = there & WENT.keys()
    assert there - went < set(now.c.keys())
    then = table(now.name, *(column(name, now.c[name].type) for name in there - went), *map(column, went))
    row = {name: values[name] for name in there & values.keys()} | {name: WENT[name] for name in went}
    connection.execute(then.insert().values(row))
