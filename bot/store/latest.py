"""The latest moment that any process has seen: by it a process that starts notices that the clock was set back."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.rows import MARKS, insert
from bot.store.session import reading, unbroken

_NAME = "latest"


@unbroken
class Latest:
    """One row, as text of one width, so that the database can compare it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def known(self) -> datetime | None:
        """What was noted; None before that."""
        async with reading(self._engine) as connection:
            text = (await connection.execute(select(MARKS.c.value).where(MARKS.c.name == _NAME))).scalar()
        return None if text is None else datetime.fromisoformat(text)

    async def note(self, now: datetime) -> datetime:
        """Note ``now`` where it is later than what was noted, and return the later of them."""
        await self._write(now, only_later=True)
        return await self.known() or now

    async def set(self, now: datetime) -> None:
        """What was noted was wrong, or does not matter any more."""
        await self._write(now, only_later=False)

    async def _write(self, now: datetime, *, only_later: bool) -> None:
        text = now.astimezone(UTC).isoformat(timespec="microseconds")
        async with self._engine.begin() as connection:
            statement = insert(connection, MARKS).values(name=_NAME, value=text)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"value": text},
                    where=MARKS.c.value < text if only_later else None,
                )
            )
