"""The store: everything that is remembered, in one database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.allowance import Defaults
from bot.store.alerts import Alerts
from bot.store.approvals import Approvals
from bot.store.budgets import Budgets
from bot.store.claims import Claims
from bot.store.journal import Journal
from bot.store.leases import Leases
from bot.store.ledger import Ledger
from bot.store.orphans import Orphans
from bot.store.outbox import Outbox
from bot.store.outlets import Outlets
from bot.store.rentals import Rentals
from bot.store.rows import MARKS, insert
from bot.store.session import all_written, migrate, open_database, reading
from bot.store.vault import Vault

NO_LIMITS = Defaults()


class Store:
    """Rentals and their claims, orphans, outbox, journal, leases and vault on one engine."""

    def __init__(
        self, engine: AsyncEngine, key: Callable[[], bytes], keys: Path, defaults: Defaults = NO_LIMITS
    ) -> None:
        self.engine = engine
        self.rentals = Rentals(engine, defaults)
        self.claims = Claims(engine, defaults)
        self.budgets = Budgets(engine, defaults)
        self.approvals = Approvals(engine)
        self.alerts = Alerts(engine)
        self.outbox = Outbox(engine)
        self.outlets = Outlets(engine)
        self.journal = Journal(engine)
        self.leases = Leases(engine)
        self.orphans = Orphans(engine, defaults)
        self.ledger = Ledger(engine)
        self.vault = Vault(engine, key, keys)

    @classmethod
    async def open(
        cls, url: str, key: Callable[[], bytes], keys: Path, defaults: Defaults = NO_LIMITS
    ) -> Store:
        """Connect and migrate. ``defaults``: limits and roles where a team has said nothing. Raises SQLAlchemy's
        errors when the database cannot be reached."""
        engine = open_database(url)
        await migrate(engine)
        return cls(engine, key, keys, defaults)

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
