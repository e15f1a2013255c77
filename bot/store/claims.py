"""Claims: who works on which row, by a token and an end. A pass that lost its claim writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Case, Update, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain import budget
from bot.domain.allowance import Ask, Defaults, team_key, wants_approval
from bot.domain.errors import ClaimLost
from bot.domain.money import ZERO
from bot.domain.rental import Ending, Goal, Rental
from bot.store.admission import NotAdmitted, admit, team_rules
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
from bot.store.types import UsdMicros, UtcTime

_OTHERS = frozenset({"number", "strayed"})
"""What no pass writes: the number never changes, and what strayed is the sweep's to count."""
_APART = timedelta(minutes=2)
"""By so much the clocks of two processes may differ."""


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
        statement on SQLite (one writer) and PostgreSQL (SKIP LOCKED). A claim that ends later than one can, taken
        now, is from before the clock was set back: nobody's."""
        held = RENTALS.c.claim_until
        ripe = (
            select(RENTALS.c.id)
            .where(RENTALS.c.closed_at.is_(None), RENTALS.c.wake_at <= now)
            .where(or_(held.is_(None), held < now, held > until + _APART))
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

    async def wake_all(self, *, now: datetime) -> int:
        """Every open row that waits for a later moment is due; how many those were. For a clock that went back."""
        waiting = update(RENTALS).where(RENTALS.c.closed_at.is_(None), RENTALS.c.wake_at > now)
        async with self._engine.begin() as connection:
            return (await connection.execute(waiting.values(wake_at=now))).rowcount

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
        values |= _dearer(claim.rental, after, now)
        if after.closed_at is not None:
            values["charged_hourly"] = ZERO
        values |= {"claim_token": None, "claim_until": None}
        at_once, in_time = literal(now, UtcTime()), literal(wake_at, UtcTime())
        values["wake_at"] = case((RENTALS.c.rev != claim.rental.rev, at_once), else_=in_time)
        async with self._engine.begin() as connection:
            if rising is not None:
                values |= await self._risen(connection, after, rising, claim.rental.rev, now)
            await self._touch(connection, claim, values)
            await _write_attempts(connection, claim.rental, after)
            if after.closed_at is not None:
                await connection.execute(_charges(after, after.closed_at))
            await write_entries(connection, after.id, now, entries)
            await write_says(connection, after.id, now, says)

    async def _risen(
        self, connection: AsyncConnection, after: Rental, rising: Rising, rev: int, now: datetime
    ) -> dict[str, Any]:
        ask, offer = rising.ask, after.offer
        if ask is None:
            return _rise(rising, rev)
        rules = await team_rules(connection, team_key(ask.actor), self._defaults)
        price = (offer.hourly, offer.gpu) if offer is not None else (ZERO, "")
        try:
            if why := wants_approval(ask.worst, *price, rules):
                raise NotAdmitted(f"Somebody else has to agree: {why}.")
            charge = await admit(connection, after.id, ask, self._defaults)
        except NotAdmitted as refused:
            return {"note": str(refused), "wake_at": now} | _asks_a_person(after, now)
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


def _charges(after: Rental, closed_at: datetime) -> Update:
    """What it cost, with what strayed as the rows have it now: the sweep counts beside the passes. A statement after
    the one that took the row, so that it sees what was committed until then."""
    own = replace(after, attempts=tuple(replace(one, strayed=ZERO) for one in after.attempts))
    strayed = select(func.coalesce(func.sum(ATTEMPTS.c.strayed), literal(ZERO, UsdMicros()))).where(
        ATTEMPTS.c.rental == after.id
    )
    cost = strayed.scalar_subquery() + budget.spent(own, closed_at)
    return update(RENTALS).where(RENTALS.c.id == after.id).values(charged=cost)


def _asks_a_person(after: Rental, now: datetime) -> dict[str, Any]:
    """A quote waits for one by itself; one that has begun waits for a yes to its new price."""
    if after.began_at is None:
        return {}
    confirmed = after.confirmed_at
    return {"reasked_at": max(now, confirmed + timedelta(microseconds=1)) if confirmed else now}


def _dearer(before: Rental, after: Rental, now: datetime) -> dict[str, Any]:
    """A vendor raised the price of a machine that runs: the budgets are charged what it comes to, whether they cover
    it or not, because it is spent."""
    then, runs = before.attempt, after.attempt
    same = then is not None and runs is not None and then.number == runs.number
    if not same or then is None or runs is None or runs.offer.hourly <= then.offer.hourly:
        return {}
    left = max(timedelta(0), after.hard_end - now) if after.hard_end is not None else timedelta(0)
    most = (budget.spent(after, now) + runs.offer.hourly.over(left)).up_to_cent()
    charged, hourly = RENTALS.c.charged, RENTALS.c.charged_hourly
    rate = runs.offer.hourly
    return {
        "charged": case((charged < most, literal(most, charged.type)), else_=charged),
        "charged_hourly": case((hourly < rate, literal(rate, hourly.type)), else_=hourly),
    }


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
