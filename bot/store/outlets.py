"""Notification channels of teams: which there are, what is copied to them, and what could not be said elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.outlet import Outlet, copy_key
from bot.domain.talk import Actor, Channel, Reply
from bot.store.rows import OUTBOX, OUTLETS, RENTALS, Entry, Say, first_time, write_entries, write_says
from bot.store.session import reading, unbroken

_FIELDS = tuple(field.name for field in fields(Outlet))
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Echo:
    """A message of a rental that its team's channels may want to hear."""

    seq: int
    key: str
    rental: str
    version: int
    channel: Channel
    reply: Reply
    owner: Actor
    team_key: str


@unbroken
class Outlets:
    """Every change is one transaction with its request key and its journal line."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, team: str) -> list[Outlet]:
        """Those of one team, the oldest first."""
        query = select(OUTLETS).where(OUTLETS.c.team_key == team).order_by(OUTLETS.c.id)
        async with reading(self._engine) as connection:
            return [_outlet(row) for row in (await connection.execute(query)).mappings()]

    async def add(self, outlet: Outlet, *, now: datetime, key: str, entry: Entry) -> Outlet | None:
        """The outlet with its number. None when the request key was used before."""
        values = {name: getattr(outlet, name) for name in _FIELDS if name != "id"}
        async with self._engine.begin() as connection:
            if not await first_time(connection, key, now, ""):
                return None
            statement = OUTLETS.insert().values(values).returning(OUTLETS.c.id)
            number = int((await connection.execute(statement)).scalar_one())
            await write_entries(connection, "", now, [replace(entry, text=f"{entry.text} as {number}")])
        return replace(outlet, id=number)

    async def remove(self, outlet: Outlet, *, now: datetime, key: str, entry: Entry) -> bool:
        """Forget it; what waits for it is not said any more. False when the request key was used before."""
        async with self._engine.begin() as connection:
            if not await first_time(connection, key, now, ""):
                return False
            await connection.execute(delete(OUTLETS).where(OUTLETS.c.id == outlet.id))
            unsaid = and_(OUTBOX.c.key.endswith(f"@{outlet.id}"), OUTBOX.c.due_at.is_not(None))
            await connection.execute(
                update(OUTBOX).where(unsaid).values(due_at=None, dropped="the channel was taken away")
            )
            await write_entries(connection, "", now, [entry])
        return True

    async def told(self, outlet: int, *, now: datetime) -> None:
        """It took something."""
        await self._note(outlet, told_at=now, why="")

    async def failed(self, outlet: int, why: str, *, now: datetime) -> None:
        """It took nothing."""
        await self._note(outlet, failed_at=now, why=why)

    async def _note(self, outlet: int, **values: object) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(update(OUTLETS).where(OUTLETS.c.id == outlet).values(**values))

    async def waiting(self, outlet: int) -> datetime | None:
        """Since when something waits to be said there for the first time."""
        unsaid = (OUTBOX.c.ref.is_(None), OUTBOX.c.due_at.is_not(None))
        query = select(func.min(OUTBOX.c.created_at)).where(OUTBOX.c.key.endswith(f"@{outlet}"), *unsaid)
        async with reading(self._engine) as connection:
            found: datetime | None = (await connection.execute(query)).scalar()
        return found

    async def to_echo(self) -> list[Echo]:
        """What was said or changed since it was copied last, the oldest first."""
        query = _messages().where(OUTBOX.c.echo_at.is_not(None), OUTBOX.c.dropped == "")
        return await self._echoes(query.order_by(OUTBOX.c.echo_at, OUTBOX.c.seq))

    async def unsaid(self, *, before: datetime) -> list[Echo]:
        """Alerts that are due since before that moment, were never said, and of which nobody else was asked yet."""
        waits = (OUTBOX.c.ref.is_(None), OUTBOX.c.due_at.is_not(None), OUTBOX.c.created_at <= before)
        louder = or_(OUTBOX.c.key.startswith("alert:"), OUTBOX.c.key.startswith("stuck:"))
        some = select(OUTLETS.c.id).where(OUTLETS.c.team_key == RENTALS.c.team_key).exists()
        query = _messages().where(*waits, OUTBOX.c.relayed_at.is_(None), louder, some)
        return await self._echoes(query.order_by(OUTBOX.c.seq))

    async def _echoes(self, query: Any) -> list[Echo]:
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query.limit(_AT_ONCE))).mappings().all()
        return [Echo(**row) for row in rows]

    async def echoed(self, one: Echo, says: Sequence[Say], *, now: datetime) -> None:
        """Say the copies; a version that came meanwhile is copied again."""
        async with self._engine.begin() as connection:
            same = (OUTBOX.c.seq == one.seq, OUTBOX.c.version == one.version)
            await connection.execute(update(OUTBOX).where(*same).values(echo_at=None))
            await write_says(connection, one.rental, now, says)

    async def asked(self, one: Echo) -> tuple[list[int], bool]:
        """The outlets that were asked to say this, and whether it was said anywhere."""
        stem = copy_key(one.key, 0).rpartition("@")[0]
        begins = (OUTBOX.c.key.startswith(f"{stem}{mark}", autoescape=True) for mark in ":@")
        query = select(OUTBOX.c.key, OUTBOX.c.ref).where(or_(OUTBOX.c.key == stem, *begins))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        asked = [int(row.key.rpartition("@")[2]) for row in rows if "@" in row.key]
        return asked, any(row.ref is not None for row in rows)

    async def relayed(self, one: Echo, says: Sequence[Say], *, now: datetime) -> None:
        """Another outlet is asked, once for each message."""
        async with self._engine.begin() as connection:
            free = (OUTBOX.c.seq == one.seq, OUTBOX.c.relayed_at.is_(None))
            done = await connection.execute(update(OUTBOX).where(*free).values(relayed_at=now))
            if done.rowcount:
                await write_says(connection, one.rental, now, says)


def _messages() -> Any:
    columns = [OUTBOX.c[name] for name in ("seq", "key", "rental", "version", "channel", "reply")]
    return select(*columns, RENTALS.c.owner, RENTALS.c.team_key).join(
        RENTALS, RENTALS.c.id == OUTBOX.c.rental
    )


def _outlet(row: Any) -> Outlet:
    return Outlet(**{name: row[name] for name in _FIELDS})
