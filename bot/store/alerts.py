"""Alerts: raised once, made louder once for each level, settled once, whoever and however many try.

Each of these is one statement that changes a row or does not, and what is to be said is written with it or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.alert import SNOOZE, Alert, Loudness
from bot.domain.rental import Goal
from bot.domain.talk import Reply
from bot.store.rows import (
    ALERTS,
    ATTEMPTS,
    JOURNAL,
    OUTBOX,
    RENTALS,
    REQUESTS,
    Entry,
    Say,
    first_time,
    insert,
    write_entries,
    write_says,
)
from bot.store.session import reading, unbroken

_FIELDS = tuple(field.name for field in fields(Alert))
_PAGING = timedelta(minutes=2)
"""So long somebody may take to tell the second medium before another one does."""


def key_of(alert: Alert, level: Loudness, whom: str = "") -> str:
    """The outbox key of an alert at a level; ``whom`` tells direct messages apart."""
    return f"alert:{alert.rental}:{alert.rung}:{level.value}:{alert.rev}" + (f":{whom}" if whom else "")


_WORDS = ("asked", "approved", "declined", "adopt")
"""Kinds of journal lines that are somebody's command about a rental."""


@unbroken
class Alerts:
    """Statements of the reminders."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, rentals: Sequence[str]) -> dict[str, list[Alert]]:
        """All alerts of these rentals, oldest first."""
        query = select(ALERTS).where(ALERTS.c.rental.in_(rentals)).order_by(ALERTS.c.raised_at, ALERTS.c.rev)
        found: dict[str, list[Alert]] = defaultdict(list)
        async with reading(self._engine) as connection:
            for row in (await connection.execute(query)).mappings():
                found[row["rental"]].append(_alert(row))
        return found

    async def unsettled(self) -> set[str]:
        """Rentals with an alert that nobody answered, closed ones too."""
        query = select(ALERTS.c.rental).where(ALERTS.c.settled_at.is_(None)).distinct()
        async with reading(self._engine) as connection:
            return {row.rental for row in await connection.execute(query)}

    async def raise_(
        self, alert: Alert, covers: Sequence[str], says: Sequence[Say], *, goal: Goal | None
    ) -> bool:
        """Raise a rung, once; ``covers`` are rungs that count as said by it. False when somebody was quicker, or when
        the rental is not any more as it was when this was decided (``rev``; a goal below ``goal``)."""
        async with self._engine.begin() as connection:
            query = select(RENTALS.c.rev, RENTALS.c.goal).where(RENTALS.c.id == alert.rental)
            row = (await connection.execute(query)).first()
            if row is None or row.rev != alert.rev or (goal is not None and row.goal >= goal):
                return False
            if not await _new(connection, alert):
                return False
            for rung in covers:
                covered = Alert(alert.rental, rung, alert.rev, alert.raised_at, alert.level, alert.level_at)
                await _new(connection, covered, settled_at=alert.raised_at)
            await write_says(connection, alert.rental, alert.raised_at, says)
        return True

    async def louder(self, alert: Alert, level: Loudness, says: Sequence[Say], *, now: datetime) -> bool:
        """Make it louder, once; False when it was answered or somebody was quicker."""
        async with self._engine.begin() as connection:
            done = await connection.execute(
                update(ALERTS).where(_open(alert)).values(level=level, level_at=now)
            )
            if done.rowcount:
                await write_says(connection, alert.rental, now, says)
            return bool(done.rowcount)

    async def anchor(self, alert: Alert, *, now: datetime) -> None:
        """Count its patience anew."""
        async with self._engine.begin() as connection:
            await connection.execute(update(ALERTS).where(_open(alert)).values(level_at=now))

    async def was_heard(self, alert: Alert) -> bool:
        """Whether what it says at its level was said to anybody, or can never be; False while it only waits."""
        query = select(OUTBOX.c.ref, OUTBOX.c.due_at).where(_said_at(alert, alert.level))
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        waits = any(row.ref is None and row.due_at is not None for row in rows)
        return not waits or any(row.ref is not None for row in rows)

    async def words(self, alert: Alert) -> Reply | None:
        """What was said of it first, as it reads now."""
        query = select(OUTBOX.c.reply).where(_messages(alert)).order_by(OUTBOX.c.seq).limit(1)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return row.reply if row is not None else None

    async def may_page(self, alert: Alert, *, now: datetime) -> bool:
        """Whether the caller is the one to tell the second medium now."""
        until = ALERTS.c.page_until
        free = or_(until.is_(None), until <= now, until > now + _PAGING)
        statement = update(ALERTS).where(_this(alert), ALERTS.c.paged_at.is_(None), free)
        async with self._engine.begin() as connection:
            done = await connection.execute(statement.values(page_until=now + _PAGING))
            return bool(done.rowcount)

    async def paged(self, alert: Alert, *, now: datetime, entry: Entry, says: Sequence[Say] = ()) -> None:
        """The second medium was told; it is not told twice. ``says``: what the team's own channels are to hear."""
        async with self._engine.begin() as connection:
            await connection.execute(update(ALERTS).where(_this(alert)).values(paged_at=now))
            await write_entries(connection, alert.rental, now, [entry])
            await write_says(connection, alert.rental, now, says)

    async def settle(
        self,
        alert: Alert,
        *,
        now: datetime,
        by: str,
        what: str,
        shown: Callable[[Reply], Reply] | None,
    ) -> bool:
        """It is over, once. What was said of it reads ``shown`` from now on (None: as it did); what was not said yet
        needs not be said any more."""
        async with self._engine.begin() as connection:
            still = and_(_this(alert), ALERTS.c.settled_at.is_(None))
            done = await connection.execute(
                update(ALERTS).where(still).values(settled_at=now, settled_by=by, what=what)
            )
            if not done.rowcount:
                return False
            if shown is not None:
                await _rewrite(connection, alert, shown, now)
            # What is being said in this moment is rewritten afterwards, as it has been said.
            nobodys = or_(OUTBOX.c.claim_until.is_(None), OUTBOX.c.claim_until < now)
            unsaid = and_(_messages(alert), OUTBOX.c.ref.is_(None), OUTBOX.c.due_at.is_not(None), nobodys)
            await connection.execute(
                update(OUTBOX)
                .where(unsaid)
                .values(due_at=None, dropped=what or "something louder took its place")
            )
        return True

    async def snooze(
        self, rental: str, *, until: datetime, by: str, now: datetime, key: str, entry: Entry,
        shown: Callable[[Reply], Reply],
    ) -> bool:  # fmt: skip
        """Quiet until then; a later word about the same rental takes its place. False when the request key was used
        before, or the rental is over."""
        async with self._engine.begin() as connection:
            if not await first_time(connection, key, now, rental):
                return False
            query = select(RENTALS.c.rev).where(RENTALS.c.id == rental, RENTALS.c.goal < Goal.GONE)
            rev = (await connection.execute(query)).scalar()
            if rev is None:
                await connection.execute(update(REQUESTS).where(REQUESTS.c.key == key).values(effect=False))
                return False
            values = {"snoozed_until": until, "settled_at": now, "settled_by": by, "raised_at": now}
            usual = {"rental": rental, "rung": SNOOZE, "rev": rev, "level": Loudness.THREAD, "level_at": now}
            statement = insert(connection, ALERTS).values({**usual, **values, "what": "snoozed"})
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["rental", "rung", "rev"], set_=values)
            )
            await write_entries(connection, rental, now, [entry])
            query_open = select(ALERTS).where(ALERTS.c.rental == rental, ALERTS.c.settled_at.is_(None))
            for row in (await connection.execute(query_open)).mappings().all():
                await _rewrite(connection, _alert(row), shown, now)
        return True

    async def last_word(self, alert: Alert) -> tuple[str, str]:
        """Who commanded what since it was raised: the person's key and the journal's words; empty when nobody did."""
        query = (
            select(JOURNAL.c.actor, JOURNAL.c.text)
            .where(
                JOURNAL.c.rental == alert.rental,
                JOURNAL.c.actor != "",
                JOURNAL.c.kind.in_(_WORDS),
                JOURNAL.c.at >= alert.raised_at,
            )
            .order_by(JOURNAL.c.seq.desc())
            .limit(1)
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return (row.actor, row.text) if row is not None else ("", "")

    # --- idle ------------------------------------------------------------------------------------

    async def idle(self, rentals: Sequence[str], *, seen_since: datetime) -> dict[str, datetime]:
        """Since when the machines of these rentals' last attempts are idle; those that are not are left out, and those
        that were seen idle last before ``seen_since``: nobody knows what they did then."""
        last = select(ATTEMPTS.c.rental, func.max(ATTEMPTS.c.number).label("number"))
        last_of = last.where(ATTEMPTS.c.rental.in_(rentals)).group_by(ATTEMPTS.c.rental).subquery()
        query = (
            select(ATTEMPTS.c.rental, ATTEMPTS.c.idle_since)
            .join(
                last_of,
                and_(last_of.c.rental == ATTEMPTS.c.rental, last_of.c.number == ATTEMPTS.c.number),
            )
            .where(ATTEMPTS.c.idle_since.is_not(None), ATTEMPTS.c.idle_seen_at >= seen_since)
        )
        async with reading(self._engine) as connection:
            return {row.rental: row.idle_since for row in await connection.execute(query)}

    async def mark_idle(self, rental: str, number: int, since: datetime | None, *, now: datetime) -> None:
        """What the look at a machine found ``now``."""
        statement = update(ATTEMPTS).where(ATTEMPTS.c.rental == rental, ATTEMPTS.c.number == number)
        async with self._engine.begin() as connection:
            await connection.execute(statement.values(idle_since=since, idle_seen_at=now))


def _alert(row: Any) -> Alert:
    return Alert(**{name: row[name] for name in _FIELDS})


def _this(alert: Alert) -> ColumnElement[bool]:
    return and_(ALERTS.c.rental == alert.rental, ALERTS.c.rung == alert.rung, ALERTS.c.rev == alert.rev)


def _open(alert: Alert) -> ColumnElement[bool]:
    """As it was read: at this level, and not answered."""
    return and_(_this(alert), ALERTS.c.level == alert.level, ALERTS.c.settled_at.is_(None))


async def _new(connection: AsyncConnection, alert: Alert, **more: Any) -> bool:
    values = {name: getattr(alert, name) for name in _FIELDS} | more
    statement = insert(connection, ALERTS).values(values)
    done = await connection.execute(
        statement.on_conflict_do_nothing(index_elements=["rental", "rung", "rev"])
    )
    return bool(done.rowcount)


def _messages(alert: Alert) -> ColumnElement[bool]:
    return or_(*(_said_at(alert, level) for level in Loudness))


def _said_at(alert: Alert, level: Loudness) -> ColumnElement[bool]:
    key = key_of(alert, level)
    begins = (OUTBOX.c.key.startswith(f"{key}{mark}", autoescape=True) for mark in ":@")
    return or_(OUTBOX.c.key == key, *begins)


async def _rewrite(
    connection: AsyncConnection, alert: Alert, shown: Callable[[Reply], Reply], now: datetime
) -> None:
    """What was said of it, at every level, reads like this from now on."""
    query = select(OUTBOX.c.seq, OUTBOX.c.reply).where(_messages(alert), OUTBOX.c.dropped == "")
    for row in (await connection.execute(query)).all():
        newer = {"reply": shown(row.reply), "version": OUTBOX.c.version + 1, "due_at": now}
        await connection.execute(update(OUTBOX).where(OUTBOX.c.seq == row.seq).values(newer))
