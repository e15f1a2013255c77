"""Claims: who works on which row, by a token and an end. A pass that lost its claim writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Case, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain import budget
from bot.domain.allowance import Ask, Defaults
from bot.domain.errors import ClaimLost
from bot.domain.money import ZERO
from bot.domain.rental import Ending, Goal, Rental
from bot.store.admission import NotAdmitted, admit
from bot.store.rows import (
    ATTEMPT_FIELDS,
    ATTEMPTS,
    PASS_FIELDS,
    RENTALS,
    Entry,
    Say,
    attempt_values,
    insert,
    rentals_from,
    write_entries,
    write_says,
)
from bot.store.session import reading, unbroken
from bot.store.types import UtcTime

_OTHERS = frozenset({"number", "strayed"})
"""What no pass writes: the number never changes, and what strayed is the sweep's to count."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A rental that is ours until ``until``; ``rental`` is how it was when it was claimed or last written."""

    rental: Rental
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Rising:
    """A goal that a pass raises, with why."""

    goal: Goal
    ending: Ending | None = None
    note: str = ""
    ask: Ask | None = None
    """What the budgets are charged by it."""


@unbroken
class Claims:
    """The statements a pass lives by."""

    def __init__(self, engine: AsyncEngine, defaults: Defaults) -> None:
        self._engine = engine
        self._defaults = defaults

    async def due(self, *, now: datetime, until: datetime, token: str, limit: int) -> list[Claim]:
        """Claim at most ``limit`` rows whose time has come and that nobody else holds, longest due first; the same
        statement on SQLite (one writer) and PostgreSQL (SKIP LOCKED)."""
        ripe = (
            select(RENTALS.c.id)
            .where(RENTALS.c.closed_at.is_(None), RENTALS.c.wake_at <= now)
            .where(or_(RENTALS.c.claim_until.is_(None), RENTALS.c.claim_until < now))
            .order_by(RENTALS.c.wake_at, RENTALS.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            update(RENTALS)
            .where(RENTALS.c.id.in_(select(ripe.c.id)))
            .values(claim_token=token, claim_until=until)
            .returning(RENTALS)
        )
        async with self._engine.begin() as connection:
            rows = (await connection.execute(statement)).mappings().all()
            in_order = sorted(rows, key=lambda row: (row["wake_at"], row["id"]))  # RETURNING keeps none
            rentals = await rentals_from(connection, in_order)
        return [Claim(rental, token, until) for rental in rentals]

    async def next_wake(self) -> datetime | None:
        """The earliest moment at which an open row wants to be looked at."""
        async with reading(self._engine) as connection:
            moment: datetime | None = (
                await connection.execute(
                    select(func.min(RENTALS.c.wake_at)).where(RENTALS.c.closed_at.is_(None))
                )
            ).scalar()
        return moment

    async def hold(self, claim: Claim, *, until: datetime) -> Rental:
        """Keep a claim that is still ours and return the row as it is now. Raises ``ClaimLost``."""
        async with self._engine.begin() as connection:
            rows = await self._touch(connection, claim, {"claim_until": until})
            return (await rentals_from(connection, rows))[0]

    async def record(
        self, claim: Claim, after: Rental, *, now: datetime, entries: Sequence[Entry] = (), until: datetime
    ) -> Claim:
        """Write facts in the middle of a pass and keep the claim: the written intent before a paid call."""
        async with self._engine.begin() as connection:
            values = _changes(claim.rental, after) | {"claim_until": until}
            await self._touch(connection, claim, values)
            await _write_attempts(connection, claim.rental, after)
            await write_entries(connection, after.id, now, entries)
        return Claim(after, claim.token, until)

    async def apply(
        self,
        claim: Claim,
        after: Rental,
        *,
        now: datetime,
        wake_at: datetime,
        rising: Rising | None = None,
        entries: Sequence[Entry] = (),
        says: Sequence[Say] = (),
    ) -> None:
        """Write what a pass found out, with its journal lines and messages, and let the row go.

        A command that came meanwhile (``rev`` moved) makes the row due at once, and ``rising`` is left to the next
        pass. A rising that no budget covers is not made: the row says why and waits for a person. Raises
        ``ClaimLost``."""
        values: dict[str, Any] = _changes(claim.rental, after)
        if after.closed_at is not None:
            values |= {"charged": budget.spent(after, after.closed_at), "charged_hourly": ZERO}
        values |= {"claim_token": None, "claim_until": None}
        at_once, in_time = literal(now, UtcTime()), literal(wake_at, UtcTime())
        values["wake_at"] = case((RENTALS.c.rev != claim.rental.rev, at_once), else_=in_time)
        async with self._engine.begin() as connection:
            if rising is not None:
                values |= await self._risen(connection, after, rising, claim.rental.rev, now)
            await self._touch(connection, claim, values)
            await _write_attempts(connection, claim.rental, after)
            await write_entries(connection, after.id, now, entries)
            await write_says(connection, after.id, now, says)

    async def _risen(
        self, connection: AsyncConnection, after: Rental, rising: Rising, rev: int, now: datetime
    ) -> dict[str, Any]:
        if rising.ask is None:
            return _rise(rising, rev)
        try:
            charge = await admit(connection, after.id, rising.ask, self._defaults)
        except NotAdmitted as refused:
            return {"note": str(refused), "wake_at": now}
        # Charged whether it rises or not: where a command came between, it is the end, which settles it.
        return _rise(rising, rev) | charge

    async def release(self, claim: Claim, *, now: datetime) -> None:
        """Let a row go in the middle, due at once; somebody else's is left alone."""
        statement = update(RENTALS).where(
            RENTALS.c.id == claim.rental.id, RENTALS.c.claim_token == claim.token
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement.values(claim_token=None, claim_until=None, wake_at=now))

    async def _touch(
        self, connection: AsyncConnection, claim: Claim, values: dict[str, Any]
    ) -> Sequence[Any]:
        statement = (
            update(RENTALS)
            .where(RENTALS.c.id == claim.rental.id, RENTALS.c.claim_token == claim.token)
            .values(values)
            .returning(RENTALS)
        )
        rows: Sequence[Any] = (await connection.execute(statement)).mappings().all()
        if not rows:
            raise ClaimLost(claim.rental.id)
        return rows


def risen(rental: Rental, rising: Rising) -> Rental:
    """The rental as it will read after ``rising``: a goal only rises, the first ending stays."""
    if rental.goal >= rising.goal:
        return rental
    return replace(
        rental,
        goal=rising.goal,
        ending=rental.ending or rising.ending,
        ending_note=rental.ending_note if rental.ending else rising.note,
    )


def _rise(rising: Rising, rev: int) -> dict[str, Any]:
    # Decided on a row that a command changed meanwhile (an extension at the last second), it is decided anew.
    higher = and_(RENTALS.c.goal < rising.goal, RENTALS.c.rev == rev)

    def when_higher(value: Any, column: Any) -> Case[Any]:
        return case((higher, literal(value, column.type)), else_=column)

    values: dict[str, Any] = {"goal": when_higher(rising.goal, RENTALS.c.goal)}
    if rising.ending is not None:
        values["ending"] = when_higher(rising.ending, RENTALS.c.ending)
        values["ending_note"] = when_higher(rising.note, RENTALS.c.ending_note)
    return values


def _changes(before: Rental, after: Rental) -> dict[str, Any]:
    return {
        name: getattr(after, name) for name in PASS_FIELDS if getattr(after, name) != getattr(before, name)
    }


async def _write_attempts(connection: AsyncConnection, before: Rental, after: Rental) -> None:
    known = {attempt.number: attempt for attempt in before.attempts}
    for attempt in after.attempts:
        if known.get(attempt.number) == attempt:
            continue
        values = attempt_values(after.id, attempt)
        changing = {name: values[name] for name in ATTEMPT_FIELDS if name not in _OTHERS}
        statement = insert(connection, ATTEMPTS).values(values)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["rental", "number"], set_=changing)
        )
