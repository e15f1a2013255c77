"""Leases: one process at a time for a task, by a token and an end; and which processes are alive."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.rows import LEASES, insert
from bot.store.session import reading, unbroken

_APART = timedelta(minutes=2)
"""By so much the clocks of two processes may differ."""
_LONGEST = timedelta(minutes=15)
"""No lease is taken for so long: one that ends later was taken before the clock was set back."""


@unbroken
class Leases:
    """A lease that ended belongs to whoever takes it next."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, name: str, *, token: str, now: datetime, until: datetime) -> bool:
        """Take or keep a lease; False while somebody else holds it. One that ends later than what is asked for is from
        before the clock was set back."""
        async with self._engine.begin() as connection:
            statement = insert(connection, LEASES).values(name=name, token=token, until=until)
            statement = statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"token": token, "until": until},
                where=or_(LEASES.c.token == token, LEASES.c.until <= now, LEASES.c.until > until + _APART),
            )
            return bool((await connection.execute(statement)).rowcount)

    async def release(self, name: str, *, token: str) -> None:
        """Give it back early; somebody else's is left alone."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(LEASES).where(LEASES.c.name == name, LEASES.c.token == token))

    async def all(self, prefix: str) -> dict[str, datetime]:
        """Every lease under ``prefix`` that was not given back, with its end, also when that is over."""
        query = select(LEASES.c.name, LEASES.c.until).where(LEASES.c.name.startswith(prefix, autoescape=True))
        async with reading(self._engine) as connection:
            return {row.name: row.until for row in await connection.execute(query)}

    async def live(self, prefix: str, *, now: datetime) -> frozenset[str]:
        """Names of the leases under ``prefix`` that have not ended."""
        query = select(LEASES.c.name).where(
            LEASES.c.name.startswith(prefix, autoescape=True),
            LEASES.c.until > now,
            LEASES.c.until <= now + _LONGEST,
        )
        async with reading(self._engine) as connection:
            return frozenset(row.name for row in await connection.execute(query))
