"""The journal: who asked what, what the engine did, what it cost. Append-only, held by triggers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.money import Usd
from bot.store.rows import JOURNAL, Entry, write_entries
from bot.store.session import reading, unbroken


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was written."""

    seq: int
    at: datetime
    rental: str
    actor: str
    kind: str
    text: str
    cost: Usd | None


@unbroken
class Journal:
    """Add and read; nothing else exists."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, entries: Sequence[Entry], *, now: datetime, rental: str = "") -> None:
        """Lines that belong to no other change."""
        async with self._engine.begin() as connection:
            await write_entries(connection, rental, now, entries)

    async def lines(self, *, rental: str = "", limit: int = 200) -> list[Line]:
        """The newest ``limit`` lines (of one rental), oldest first."""
        query = select(JOURNAL).order_by(JOURNAL.c.seq.desc()).limit(limit)
        if rental:
            query = query.where(JOURNAL.c.rental == rental)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Line(**row) for row in reversed(rows)]
