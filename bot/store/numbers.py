"""What operators watch, counted by the database: a handful of small queries, none of which takes a write lock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.alert import SNOOZE
from bot.domain.allowance import Defaults, Kind, Scope, money, month_of
from bot.domain.cards import status
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.domain.vitals import Left, Rows, Waiting
from bot.store.admission import team_rules
from bot.store.rows import ALERTS, ORPHANS, OUTBOX, RENTALS, TEAMS, rentals_from
from bot.store.session import reading, unbroken

_NONE = timedelta(0)


@unbroken
class Numbers:
    """For one look at everything."""

    def __init__(self, engine: AsyncEngine, defaults: Defaults) -> None:
        self._engine = engine
        self._defaults = defaults

    async def answers(self) -> None:
        """Raises what SQLAlchemy or the driver raises when the database does not answer."""
        async with reading(self._engine) as connection:
            await connection.execute(select(1))

    async def rows(self, now: datetime) -> Rows:
        """All of it, as of ``now``."""
        async with reading(self._engine) as connection:
            found = await connection.execute(select(RENTALS).where(RENTALS.c.closed_at.is_(None)))
            open_ones = await rentals_from(connection, [dict(row) for row in found.mappings()])
            orphans = [row.hourly for row in await connection.execute(_ORPHANS)]
            free = or_(RENTALS.c.claim_until.is_(None), RENTALS.c.claim_until < now)
            wake = await connection.execute(
                select(func.min(RENTALS.c.wake_at)).where(RENTALS.c.closed_at.is_(None), free)
            )
            due: datetime | None = wake.scalar()
            return Rows(
                rentals=Counter(status(one) for one in open_ones),
                closed=await _by(connection, _CLOSED),
                hourly=_hourly(open_ones),
                budgets=await self._budgets(connection, now),
                reminders=await _reminders(connection),
                teardowns=_teardowns(open_ones, now),
                outbox=await _outbox(connection, now),
                orphans=len(orphans),
                orphans_hourly=sum((one for one in orphans if one is not None), ZERO),
                lag=max(_NONE, now - due) if due is not None else _NONE,
                overdue=max((now - one.hard_end for one in open_ones if one.hard_end), default=_NONE),
            )

    async def _budgets(self, connection: AsyncConnection, now: datetime) -> Mapping[str, Left]:
        charged = (
            select(func.sum(RENTALS.c.charged))
            .where(RENTALS.c.team_key == TEAMS.c.team_key, RENTALS.c.charged_at.is_not(None))
            .where(or_(RENTALS.c.closed_at.is_(None), RENTALS.c.charged_at >= month_of(now)))
            .scalar_subquery()
        )
        found: dict[str, Left] = {}
        for row in (await connection.execute(select(TEAMS.c.team_key, charged.label("charged")))).all():
            rules = await team_rules(connection, row.team_key, self._defaults)
            limit = money(rules.get((Scope.TEAM, "", Kind.MONTH)))
            if limit is not None:
                found[row.team_key] = Left(limit, limit - _usd(row.charged))
        return found


_CLOSED = (
    select(RENTALS.c.ending, func.count()).where(RENTALS.c.closed_at.is_not(None)).group_by(RENTALS.c.ending)
)
_ORPHANS = select(ORPHANS.c.hourly).where(ORPHANS.c.gone_at.is_(None))


async def _by(connection: AsyncConnection, query: Any) -> dict[str, int]:
    return {str(word or "none"): int(many) for word, many in (await connection.execute(query)).all()}


def _hourly(rentals: Iterable[Rental]) -> dict[str, Usd]:
    """Also of a launch whose answer was lost: what is not proven gone is counted as billed."""
    found: dict[str, Usd] = defaultdict(lambda: ZERO)
    for rental in rentals:
        for one in rental.attempts:
            if one.gone_at is None and one.ended_at is None and not one.refused:
                found[one.offer.provider] += one.offer.hourly
    return found


def _teardowns(rentals: Iterable[Rental], now: datetime) -> dict[str, Waiting]:
    asked: dict[str, list[datetime]] = defaultdict(list)
    for rental in rentals:
        for one in rental.attempts:
            if one.gone_at is None and one.destroy_asked_at is not None:
                asked[one.offer.provider].append(one.destroy_asked_at)
    return {name: Waiting(len(many), max(_NONE, now - min(many))) for name, many in asked.items()}


async def _outbox(connection: AsyncConnection, now: datetime) -> dict[str, Waiting]:
    """Since the first try, or since it is due; a card is one old row that is due anew at each change."""
    since = func.coalesce(OUTBOX.c.tried_at, OUTBOX.c.due_at)
    query = (
        select(OUTBOX.c.chat, func.count(), func.min(since, type_=OUTBOX.c.due_at.type))
        .where(OUTBOX.c.due_at.is_not(None))
        .group_by(OUTBOX.c.chat)
    )
    rows = (await connection.execute(query)).all()
    return {chat: Waiting(int(many), max(_NONE, now - oldest)) for chat, many, oldest in rows}


async def _reminders(connection: AsyncConnection) -> dict[str, int]:
    """Those that another one covered were never said. A spell (``idle-0302T0915``) counts as its kind."""
    said = or_(ALERTS.c.settled_at.is_(None), ALERTS.c.settled_at > ALERTS.c.raised_at)
    query = select(ALERTS.c.rung, func.count()).where(said, ALERTS.c.rung != SNOOZE).group_by(ALERTS.c.rung)
    found: Counter[str] = Counter()
    for rung, many in (await connection.execute(query)).all():
        found[rung if rung.startswith("T-") else rung.partition("-")[0]] += int(many)
    return found


def _usd(value: Any) -> Usd:
    """PostgreSQL sums whole numbers to a Decimal, and nothing to NULL."""
    if value is None:
        return ZERO
    return Usd(int(value.micros if isinstance(value, Usd) else value))
