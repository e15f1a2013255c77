"""What was spent and what vendors billed: the rentals of a time, their people, and settlements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import budget
from bot.domain.allowance import team_key
from bot.domain.attempt import Attempt
from bot.domain.market import Machine
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.domain.talk import Actor
from bot.store.rows import ATTEMPTS, RENTALS, Entry, attempts_of, rentals_from, write_entries
from bot.store.session import reading, unbroken

_AT_ONCE = 500
"""Rentals whose attempts are asked for in one statement; a database takes only so many values in one."""
_OF_A_STRAY = ("rental", "machine_id", "tried_at", "gone_at", "offer")


@dataclass(frozen=True, slots=True)
class Owed:
    """An attempt of a closed rental whose bill is not settled."""

    rental: str
    attempt: Attempt


@unbroken
class Ledger:
    """Queries over everything that ever cost something, and the one column group that a settlement writes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def between(self, since: datetime, until: datetime, *, team: str | None = None) -> list[Rental]:
        """Rentals that can have cost anything between these moments, oldest first."""
        query = (
            select(RENTALS)
            .where(
                RENTALS.c.began_at < until, or_(RENTALS.c.closed_at.is_(None), RENTALS.c.closed_at >= since)
            )
            .order_by(RENTALS.c.created_at, RENTALS.c.id)
        )
        found: list[Rental] = []
        async with reading(self._engine) as connection:
            rows: Sequence[Any] = (await connection.execute(_of(query, team))).mappings().all()
            rows = [row for row in rows if team is None or row["team_key"] == team]
            for start in range(0, len(rows), _AT_ONCE):
                found += await rentals_from(connection, rows[start : start + _AT_ONCE])
        return found

    async def stray(self, machine: Machine, since: datetime, counted: datetime, *, now: datetime) -> Usd:
        """Count what a machine that should not be was billed between these moments, when it can have been there from
        ``since`` on, but for what its attempt counts already. A closed tab is charged it, too. Returns what it added;
        nothing for a label that no attempt has."""
        async with self._engine.begin() as connection:
            query = select(*(ATTEMPTS.c[name] for name in _OF_A_STRAY)).where(
                ATTEMPTS.c.label == machine.label
            )
            row = (await connection.execute(query)).first()
            if row is None:
                return ZERO
            own = row.gone_at is not None and row.machine_id == machine.id
            since = max(since, row.gone_at if own else row.tried_at)
            cost = budget.stray(row.offer, machine, since=since, counted=counted, now=now)
            # The rental's row first, as a pass locks them: a tab that just closes takes it in, or is charged after.
            await connection.execute(select(RENTALS.c.id).where(RENTALS.c.id == row.rental).with_for_update())
            more = update(ATTEMPTS).where(ATTEMPTS.c.label == machine.label)
            await connection.execute(more.values(strayed=ATTEMPTS.c.strayed + cost))
            closed = and_(RENTALS.c.id == row.rental, RENTALS.c.closed_at.is_not(None))
            await connection.execute(update(RENTALS).where(closed).values(charged=RENTALS.c.charged + cost))
        return cost

    async def people(self, team: str) -> list[Actor]:
        """Everybody of a team who ever asked for anything, under the name that they had last."""
        query = select(RENTALS.c.owner).order_by(RENTALS.c.created_at)
        async with reading(self._engine) as connection:
            owners: list[Actor] = [row.owner for row in await connection.execute(_of(query, team))]
        return list({one.key: one for one in owners if team_key(one) == team}.values())

    async def unsettled(self, *, ended_by: datetime, since: datetime) -> list[Owed]:
        """Attempts that had a machine, are gone for good between these moments and wait for the vendor's bill, longest
        gone first. Only of closed rentals: no pass writes to those any more."""
        query = (
            select(ATTEMPTS.c.rental, ATTEMPTS.c.number)
            .join(RENTALS, RENTALS.c.id == ATTEMPTS.c.rental)
            .where(
                RENTALS.c.closed_at.is_not(None),
                ATTEMPTS.c.machine_id.is_not(None),
                ATTEMPTS.c.settled_at.is_(None),
                and_(ATTEMPTS.c.gone_at >= since, ATTEMPTS.c.gone_at <= ended_by),
            )
            .order_by(ATTEMPTS.c.gone_at, ATTEMPTS.c.rental, ATTEMPTS.c.number)
        )
        async with reading(self._engine) as connection:
            wanted = [(row.rental, row.number) for row in await connection.execute(query)]
            ids, known = sorted({rental for rental, _ in wanted}), dict[str, list[Attempt]]()
            for start in range(0, len(ids), _AT_ONCE):
                known |= await attempts_of(connection, ids[start : start + _AT_ONCE])
        by_number = {(rental, one.number): one for rental, ones in known.items() for one in ones}
        return [Owed(rental, by_number[rental, number]) for rental, number in wanted]

    async def told(
        self,
        owed: Owed,
        billed: Usd,
        *,
        billed_at: datetime,
        settled_at: datetime | None,
        entries: Sequence[Entry] = (),
    ) -> bool:
        """Write down what the vendor said; our own count is left alone. False when another process was quicker, and
        then nothing is written."""
        before = owed.attempt
        same = (
            ATTEMPTS.c.billed_at.is_(None)
            if before.billed_at is None
            else ATTEMPTS.c.billed_at == before.billed_at
        )
        statement = (
            update(ATTEMPTS)
            .where(ATTEMPTS.c.rental == owed.rental, ATTEMPTS.c.number == before.number)
            .where(ATTEMPTS.c.settled_at.is_(None), same)
            .values(billed=billed, billed_at=billed_at, settled_at=settled_at)
        )
        async with self._engine.begin() as connection:
            if not (await connection.execute(statement)).rowcount:
                return False
            await write_entries(connection, owed.rental, settled_at or billed_at, entries)
        return True


def _of(query: Any, team: str | None) -> Any:
    """Narrowed to a team: its people see each other's spend, and nobody else's."""
    return query if team is None else query.where(RENTALS.c.team_key == team)
