"""Who was asked to agree to a rental, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.approval import Approval, Verdict
from bot.domain.rental import Goal
from bot.domain.talk import Actor
from bot.store.rows import APPROVALS, RENTALS, Entry, Say, first_time, insert, write_entries, write_says
from bot.store.session import reading, unbroken

_FIELDS = tuple(field.name for field in fields(Approval))


@unbroken
class Approvals:
    """Every change is one transaction with its journal line and its card."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, rental: str) -> Approval | None:
        """The newest request for this rental, or None."""
        query = select(APPROVALS).where(APPROVALS.c.rental == rental)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).mappings().first()
        return Approval(**{name: row[name] for name in _FIELDS}) if row is not None else None

    async def waiting(self, team: str, now: datetime) -> list[Approval]:
        """What somebody of the team, by its key, is asked to agree to and still may; the oldest first."""
        query = (
            select(APPROVALS)
            .join(RENTALS, RENTALS.c.id == APPROVALS.c.rental)
            .where(
                APPROVALS.c.verdict.is_(None),
                APPROVALS.c.until > now,
                RENTALS.c.team_key == team,
                RENTALS.c.goal < Goal.GONE,
            )
            .order_by(APPROVALS.c.asked_at)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Approval(**{name: row[name] for name in _FIELDS}) for row in rows]

    async def overtaken(self) -> list[str]:
        """Rentals that are over while somebody is still asked to agree to them."""
        query = (
            select(APPROVALS.c.rental)
            .join(RENTALS, RENTALS.c.id == APPROVALS.c.rental)
            .where(APPROVALS.c.verdict.is_(None), RENTALS.c.goal == Goal.GONE)
        )
        async with reading(self._engine) as connection:
            return list((await connection.execute(query)).scalars())

    async def ask(self, approval: Approval, *, key: str, entry: Entry, says: Sequence[Say]) -> bool:
        """Put it to the approvers and let the quote live as long. False when the request key was used before, or
        the rental is not waiting any more."""
        values = {name: getattr(approval, name) for name in _FIELDS}
        async with self._engine.begin() as connection:
            if not await first_time(connection, key, approval.asked_at, approval.rental):
                return False
            open_ = (RENTALS.c.id == approval.rental, RENTALS.c.goal < Goal.GONE)
            done = await connection.execute(
                update(RENTALS)
                .where(*open_)
                .values(approval_until=approval.until, rev=RENTALS.c.rev + 1, wake_at=approval.asked_at)
            )
            if not done.rowcount:
                return False
            statement = insert(connection, APPROVALS).values(values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["rental"], set_=values))
            await write_entries(connection, approval.rental, approval.asked_at, [entry])
            await write_says(connection, approval.rental, approval.asked_at, says)
        return True

    async def decide(
        self,
        approval: Approval,
        verdict: Verdict,
        *,
        by: Actor | None,
        said: str,
        now: datetime,
        entry: Entry,
        says: Sequence[Say],
    ) -> Approval | None:
        """Write the verdict of the first who gives one. None when somebody was faster, or it was asked anew."""
        after = replace(approval, verdict=verdict, decided_by=by, decided_at=now, said=said)
        statement = (
            update(APPROVALS)
            .where(
                APPROVALS.c.rental == approval.rental,
                APPROVALS.c.asked_at == approval.asked_at,
                APPROVALS.c.verdict.is_(None),
            )
            .values(verdict=verdict, decided_by=by, decided_at=now, said=said)
        )
        async with self._engine.begin() as connection:
            if not (await connection.execute(statement)).rowcount:
                return None
            await write_entries(connection, approval.rental, now, [entry])
            await write_says(connection, approval.rental, now, says)
        return after
