"""What commands do to rentals: open, raise the goal, extend; and the queries behind what people see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.allowance import Ask, Defaults
from bot.domain.market import Offer
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Ending, Goal, Rental
from bot.store.admission import admit
from bot.store.rows import (
    ATTEMPTS,
    RENTALS,
    REQUESTS,
    Entry,
    Say,
    first_time,
    insert,
    rental_values,
    rentals_from,
    write_entries,
    write_says,
)
from bot.store.session import reading, unbroken


@unbroken
class Rentals:
    """Every change is one transaction with its request key and its journal line: done once, or not at all."""

    def __init__(self, engine: AsyncEngine, defaults: Defaults) -> None:
        self._engine = engine
        self._defaults = defaults
        self._line = asyncio.Lock()
        """Admissions of one process wait here and not with a connection in hand: the database takes them one by one
        anyway, and a rush of them must leave connections to everybody else."""

    async def open(self, rental: Rental, *, key: str, entry: Entry, says: Sequence[Say] = ()) -> str:
        """Open a tab and return its id; the same request key returns the tab that it opened before."""
        async with self._engine.begin() as connection:
            if not await first_time(connection, key, rental.created_at, rental.id):
                return await self._rental_of(connection, key)
            values = rental_values(rental) | {"wake_at": rental.created_at}
            await connection.execute(insert(connection, RENTALS).values(values))
            await write_entries(connection, rental.id, rental.created_at, [entry])
            await write_says(connection, rental.id, rental.created_at, says)
        return rental.id

    async def raise_goal(
        self,
        id: str,
        goal: Goal,
        *,
        now: datetime,
        key: str,
        entry: Entry,
        ending: Ending | None = None,
        note: str = "",
        confirmed_by: str = "",
        ask: Ask | None = None,
    ) -> bool:
        """Raise the goal and wake the row. False when it stood there already, or the key was used before.

        ``ask`` is what the budgets are charged by it. Raises ``NotAdmitted`` when they do not cover it."""
        values: dict[str, Any] = {"goal": goal, "rev": RENTALS.c.rev + 1, "wake_at": now}
        if ending is not None:
            values |= {"ending": ending, "ending_note": note}
        if confirmed_by:
            values |= {"confirmed_by": confirmed_by, "confirmed_at": now}
        guard = [RENTALS.c.goal < goal, RENTALS.c.closed_at.is_(None)]
        return await self._change(id, values, guard, now=now, key=key, entry=entry, ask=ask)

    async def confirm_again(
        self, id: str, *, now: datetime, key: str, entry: Entry, by: str, ask: Ask | None = None
    ) -> bool:
        """Yes to the dearer price that was put to the owner after the first confirm. False when nothing is asked.
        Raises ``NotAdmitted`` when the budgets do not cover what it is more."""
        values = {"confirmed_by": by, "confirmed_at": now, "rev": RENTALS.c.rev + 1, "wake_at": now}
        asked = RENTALS.c.reasked_at
        guard = [
            asked.is_not(None),
            RENTALS.c.confirmed_at.is_(None) | (RENTALS.c.confirmed_at < asked),
            RENTALS.c.goal < Goal.GONE,
            RENTALS.c.closed_at.is_(None),
        ]
        return await self._change(id, values, guard, now=now, key=key, entry=entry, ask=ask)

    async def extend(
        self,
        id: str,
        *,
        by: timedelta,
        budget: Usd,
        now: datetime,
        key: str,
        entry: Entry,
        rev: int,
        ask: Ask | None = None,
    ) -> bool:
        """Move the hard end by ``by`` and raise the budget by ``budget``; refused (False) when anything about the
        tab changed since ``rev`` was read, so that two people at once cannot extend past what was checked.

        Raises ``ValueError`` for less time or less money (what was promised is never taken back) and ``NotAdmitted``
        when the budgets do not cover ``ask``: the new worst case as a whole."""
        if by < timedelta(0) or budget < ZERO:
            raise ValueError("a rental is extended, never shortened")
        values: dict[str, Any] = {
            "lifetime": RENTALS.c.lifetime + by,
            "budget": RENTALS.c.budget + budget,
            "rev": RENTALS.c.rev + 1,
            "wake_at": now,
            "worst_case": RENTALS.c.worst_case + budget,  # NULL stays NULL
        }
        guard = [RENTALS.c.rev == rev, RENTALS.c.goal < Goal.GONE, RENTALS.c.closed_at.is_(None)]
        return await self._change(id, values, guard, now=now, key=key, entry=entry, ask=ask)

    async def _change(
        self,
        id: str,
        values: dict[str, Any],
        guard: Sequence[Any],
        *,
        now: datetime,
        key: str,
        entry: Entry,
        ask: Ask | None = None,
    ) -> bool:
        async with self._line if ask is not None else nullcontext(), self._engine.begin() as connection:
            if not await first_time(connection, key, now, id):
                return False
            if ask is not None:
                values |= await admit(connection, id, ask, self._defaults)
            done = await connection.execute(update(RENTALS).where(RENTALS.c.id == id, *guard).values(values))
            if not done.rowcount:
                # The key stays used: the same words delivered again get the same no, whatever happened since.
                await connection.execute(update(REQUESTS).where(REQUESTS.c.key == key).values(effect=False))
                return False
            await write_entries(connection, id, now, [entry])
        return True

    async def done_before(self, key: str) -> bool:
        """Whether a request with this key had its effect already."""
        query = select(REQUESTS.c.key).where(REQUESTS.c.key == key, REQUESTS.c.effect)
        async with reading(self._engine) as connection:
            return (await connection.execute(query)).first() is not None

    async def _rental_of(self, connection: AsyncConnection, key: str) -> str:
        found: str = (
            await connection.execute(select(REQUESTS.c.rental).where(REQUESTS.c.key == key))
        ).scalar_one()
        return found

    async def get(self, id: str) -> Rental | None:
        """One rental, or None."""
        found = await self._select(select(RENTALS).where(RENTALS.c.id == id))
        return found[0] if found else None

    async def open_ones(self, *, owner: str | None = None, team: str | None = None) -> list[Rental]:
        """All that are not proven closed, oldest first; of one person if ``owner`` (their key) is given, of one
        ``team`` by its key."""
        query = select(RENTALS).where(*_open(owner, team)).order_by(RENTALS.c.created_at)
        return await self._select(query)

    async def count_open(self, *, team: str) -> int:
        """How many of a team are not proven closed; without reading one of them."""
        query = select(func.count()).select_from(RENTALS).where(*_open(None, team))
        async with reading(self._engine) as connection:
            return int((await connection.execute(query)).scalar_one())

    async def closed_ones(self, *, limit: int, owner: str | None = None) -> list[Rental]:
        """The last closed ones, newest first."""
        query = select(RENTALS).where(RENTALS.c.closed_at.is_not(None)).order_by(RENTALS.c.closed_at.desc())
        return await self._select(
            (query.where(RENTALS.c.owner_key == owner) if owner else query).limit(limit)
        )

    async def bad_hosts(self, *, since: datetime) -> frozenset[str]:
        """Hosts whose machine was given up before it was ready, in any rental, since that moment. A place with many
        hosts is not bad for one of them."""
        query = select(ATTEMPTS.c.offer).where(
            ATTEMPTS.c.tried_at >= since,
            ATTEMPTS.c.condemned.is_not(None),
            ATTEMPTS.c.machine_id.is_not(None),
            ATTEMPTS.c.ready_at.is_(None),
        )
        async with reading(self._engine) as connection:
            offers: list[Offer] = [row.offer for row in await connection.execute(query)]
        return frozenset(one.host for one in offers if one.host and not one.pool)

    async def labels(self) -> dict[str, bool]:
        """Every label that was ever used, and whether its machine may live."""
        query = select(ATTEMPTS.c.label, ATTEMPTS.c.gone_at, RENTALS.c.closed_at).join(
            RENTALS, RENTALS.c.id == ATTEMPTS.c.rental
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return {row.label: row.gone_at is None and row.closed_at is None for row in rows}

    async def _select(self, query: Any) -> list[Rental]:
        async with reading(self._engine) as connection:
            rows: Sequence[Any] = (await connection.execute(query)).mappings().all()
            return await rentals_from(connection, rows)


def _open(owner: str | None, team: str | None) -> list[ColumnElement[bool]]:
    """What an open rental of this person, or of this team, has in its row."""
    found: list[ColumnElement[bool]] = [RENTALS.c.closed_at.is_(None)]
    if owner:
        found.append(RENTALS.c.owner_key == owner)
    if team:
        found.append(RENTALS.c.team_key == team)
    return found
