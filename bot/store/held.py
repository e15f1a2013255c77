"""Claims and leases of processes that are known to be dead: let go at once instead of when they run out."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.rows import LEASES, OUTBOX, RENTALS
from bot.store.session import reading


async def let_go(engine: AsyncEngine, is_dead: Callable[[str], bool]) -> int:
    """Take claims and leases from every token that ``is_dead``; returns how many there were. A token is never used
    twice, so that a claim that was taken anew meanwhile is left alone."""
    freed = 0
    for table in (RENTALS, OUTBOX):
        query = select(table.c.claim_token).where(table.c.claim_token.is_not(None)).distinct()
        async with reading(engine) as connection:
            tokens = [row.claim_token for row in await connection.execute(query)]
        dead = [token for token in tokens if is_dead(token)]
        if dead:
            freed += len(dead)
            statement = update(table).where(table.c.claim_token.in_(dead))
            async with engine.begin() as connection:
                await connection.execute(statement.values(claim_token=None, claim_until=None))
    async with reading(engine) as connection:
        held = [row.token for row in await connection.execute(select(LEASES.c.token).distinct())]
    dead = [token for token in held if is_dead(token)]
    if dead:
        freed += len(dead)
        async with engine.begin() as connection:
            await connection.execute(delete(LEASES).where(LEASES.c.token.in_(dead)))
    return freed
