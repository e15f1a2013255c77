"""Admission: what budgets are charged, judged in the transaction that charges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.allowance import (
    Ask,
    Charges,
    Defaults,
    Rules,
    Scope,
    channel_key,
    day_of,
    judge,
    month_of,
    team_key,
)
from bot.domain.errors import Refused
from bot.domain.money import ZERO, Usd
from bot.store.rows import ALLOWANCES, RENTALS, TEAMS, insert


class NotAdmitted(Refused):
    """No budget covers it; nothing was changed."""


async def admit(connection: AsyncConnection, rental: str, ask: Ask, defaults: Defaults) -> dict[str, Any]:
    """The column values that charge this rental. ``ask`` is what it may cost as a whole; what it was charged before
    is not asked for again. Raises ``NotAdmitted``.

    Until the transaction ends nobody else of this team is judged, so that what was judged here is what is charged."""
    await _lock(connection, team_key(ask.actor))
    query = select(RENTALS.c.charged, RENTALS.c.charged_hourly, RENTALS.c.charged_at)
    before = (await connection.execute(query.where(RENTALS.c.id == rental))).first()
    more = ask
    if before is not None and before.charged_at is not None:
        worst = max(ZERO, ask.worst - before.charged)
        more = replace(ask, worst=worst, hourly=max(ZERO, ask.hourly - before.charged_hourly), machines=0)
    rules = await team_rules(connection, team_key(ask.actor), defaults)
    verdict = judge(more, await charges(connection, ask), rules)
    if verdict.sentence:
        raise NotAdmitted(verdict.sentence, help=verdict.help)
    began = before.charged_at if before is not None else None
    return {"charged": ask.worst, "charged_hourly": ask.hourly, "charged_at": began or ask.at}


async def _lock(connection: AsyncConnection, team: str) -> None:
    # SQLite has one writer anyway. On PostgreSQL the row is the lock, and what is read after it is what others wrote.
    await connection.execute(insert(connection, TEAMS).values(team_key=team).on_conflict_do_nothing())
    await connection.execute(select(TEAMS.c.team_key).where(TEAMS.c.team_key == team).with_for_update())


async def team_rules(connection: AsyncConnection, team: str, defaults: Defaults) -> Rules:
    """What the team's admins have set, over what the settings say. An empty value takes a limit of the settings
    away."""
    query = select(ALLOWANCES).where(ALLOWANCES.c.team_key == team)
    said = {(row.scope, row.subject, row.kind): row.value for row in await connection.execute(query)}
    return {key: value for key, value in {**defaults.rules, **said}.items() if value != ""}


async def charges(connection: AsyncConnection, ask: Ask) -> Mapping[Scope, Charges]:
    """What the three scopes of this request are charged."""
    day, month = day_of(ask.at), month_of(ask.at)
    mine: Mapping[Scope, ColumnElement[bool] | None] = {
        Scope.PERSON: RENTALS.c.owner_key == ask.actor.key,
        Scope.CHANNEL: RENTALS.c.channel_key == channel_key(ask.channel),
        Scope.TEAM: None,
    }
    alive = RENTALS.c.closed_at.is_(None)
    columns: list[Any] = []
    for whose in mine.values():
        in_day, in_month = or_(alive, RENTALS.c.charged_at >= day), or_(alive, RENTALS.c.charged_at >= month)
        columns += [
            _sum(RENTALS.c.charged, whose, in_day),
            _sum(RENTALS.c.charged, whose, in_month),
            _sum(RENTALS.c.charged_hourly, whose, alive),
            func.count(case((_all(whose, alive), RENTALS.c.id))),
        ]
    query = select(*columns).where(
        RENTALS.c.team_key == team_key(ask.actor),
        RENTALS.c.charged_at.is_not(None),
        or_(alive, RENTALS.c.charged_at >= month),
    )
    found = tuple((await connection.execute(query)).one())
    quarters = zip(range(0, len(columns), 4), mine, strict=True)
    return {scope: _charges(found[at : at + 4]) for at, scope in quarters}


def _charges(four: Sequence[Any]) -> Charges:
    day, month, rate, machines = four
    return Charges(_usd(day), _usd(month), _usd(rate), int(machines))


def _all(whose: ColumnElement[bool] | None, when: ColumnElement[bool]) -> ColumnElement[bool]:
    return when if whose is None else and_(whose, when)


def _sum(column: Any, whose: ColumnElement[bool] | None, when: ColumnElement[bool]) -> Any:
    return func.sum(case((_all(whose, when), column)))


def _usd(value: Any) -> Usd:
    """PostgreSQL sums whole numbers to a Decimal, and nothing to NULL."""
    if value is None:
        return ZERO
    return Usd(int(value.micros if isinstance(value, Usd) else value))
