"""The store: everything that is remembered, in one database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.claims import Claims
from bot.store.journal import Journal
from bot.store.leases import Leases
from bot.store.orphans import Orphans
from bot.store.outbox import Outbox
from bot.store.rentals import Rentals
from bot.store.rows import MARKS, insert
from bot.store.session import all_written, migrate, open_database, reading
from bot.store.vault import Vault


class Store:
    """Rentals and their claims, orphans, outbox, journal, leases and vault on one engine."""

    def __init__(self, engine: AsyncEngine, key: Callable[[], bytes], keys: Path) -> None:
        self.engine = engine
        self.rentals = Rentals(engine)
        self.claims = Claims(engine)
        self.outbox = Outbox(engine)
        self.journal = Journal(engine)
        self.leases = Leases(engine)
        self.orphans = Orphans(engine)
        self.vault = Vault(engine, key, keys)

    @classmethod
    async def open(cls, url: str, key: Callable[[], bytes], keys: Path) -> Store:
        """Connect and migrate. Raises SQLAlchemy's errors when the database cannot be reached."""
        engine = open_database(url)
        await migrate(engine)
        return cls(engine, key, keys)

    async def mark(self, name: str, otherwise: str) -> str:
        """A fact about this deployment; the first to ask decides it."""
        async with self.engine.begin() as connection:
            statement = insert(connection, MARKS).values(name=name, value=otherwise).on_conflict_do_nothing()
            await connection.execute(statement)
        async with reading(self.engine) as connection:
            value: str = (
                await connection.execute(select(MARKS.c.value).where(MARKS.c.name == name))
            ).scalar_one()
        return value

    async def close(self) -> None:
        """Let all connections go."""
        await all_written()
        await self.engine.dispose()
