"""What is to be said: claimed like rentals, said at least once, in order per rental, recognised by its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.talk import Channel, Reply
from bot.store.rows import OUTBOX, Say, write_says
from bot.store.session import reading, unbroken

_PAGE = 500
_FURTHEST = timedelta(minutes=15)
"""Nothing is claimed or put off for so long: what lies further ahead was written before the clock was set back."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message to be said now. ``ref`` is set when it was said before (edit it); ``retried`` when a try of what
    is to be said now may have been said without our knowing."""

    seq: int
    key: str
    rental: str
    channel: Channel
    reply: Reply
    version: int
    ref: str | None
    retried: bool
    tries: int
    token: str


@unbroken
class Outbox:
    """Statements of delivery."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, say: Say, *, now: datetime, rental: str = "") -> None:
        """Something to say outside any pass."""
        async with self._engine.begin() as connection:
            await write_says(connection, rental, now, [say])

    async def waiting(self, *, now: datetime, serves: Callable[[Channel], bool], limit: int) -> list[int]:
        """Sequence numbers that are due, unclaimed and for a channel that ``serves``; a cheap look before claiming.
        What nobody here serves is read past, however much it is."""
        query = (
            select(OUTBOX.c.seq, OUTBOX.c.channel)
            .where(_may_be_said(now))
            .order_by(OUTBOX.c.seq)
            .limit(_PAGE)
        )
        found: list[int] = []
        last = 0
        async with reading(self._engine) as connection:
            while len(found) < limit:
                rows = (await connection.execute(query.where(OUTBOX.c.seq > last))).all()
                found += [row.seq for row in rows if serves(row.channel)]
                if len(rows) < _PAGE:
                    break
                last = rows[-1].seq
        return found[:limit]

    async def claim(self, seqs: list[int], *, now: datetime, until: datetime, token: str) -> list[Due]:
        """Take these rows, as far as nobody else did and none of them would overtake another, and note that a try
        begins."""
        # Locked first, in order: the second statement then sees what a claimer who was quicker has written.
        lock = select(OUTBOX.c.seq).where(OUTBOX.c.seq.in_(seqs)).order_by(OUTBOX.c.seq).with_for_update()
        statement = (
            update(OUTBOX)
            .where(OUTBOX.c.seq.in_(seqs), _may_be_said(now))
            .values(claim_token=token, claim_until=until, tries=OUTBOX.c.tries + 1)
            .returning(OUTBOX)
        )
        async with self._engine.begin() as connection:
            await connection.execute(lock)
            rows = (await connection.execute(statement)).mappings().all()
            fresh = [row["seq"] for row in rows if row["tried_at"] is None]
            if fresh:
                await connection.execute(update(OUTBOX).where(OUTBOX.c.seq.in_(fresh)).values(tried_at=now))
        due = [
            Due(
                seq=row["seq"],
                key=row["key"],
                rental=row["rental"],
                channel=row["channel"],
                reply=row["reply"],
                version=row["version"],
                ref=row["ref"],
                retried=row["tried_at"] is not None,
                tries=row["tries"],
                token=token,
            )
            for row in rows
        ]
        return sorted(due, key=lambda one: one.seq)

    async def said(self, due: Due, ref: str) -> None:
        """It was said in this version; a newer version that came meanwhile stays due."""
        await self._finish(
            due,
            said=due.version,
            ref=ref,
            tries=0,
            tried_at=None,
            due_at=case((OUTBOX.c.version > due.version, OUTBOX.c.due_at), else_=None),
        )

    async def later(self, due: Due, at: datetime) -> None:
        """It could not be said; try again at ``at``."""
        await self._finish(due, due_at=at)

    async def drop(self, due: Due, why: str) -> None:
        """It can never be said; ``why`` is kept."""
        await self._finish(due, due_at=None, dropped=why)

    async def move(self, due: Due, channel: Channel, *, at: datetime) -> None:
        """Its place is lost: it is said in another from now on, as if it had never been said."""
        place = {"channel": channel, "chat": channel.chat}
        await self._finish(due, due_at=at, ref=None, said=0, tries=0, tried_at=None, **place)

    async def ref(self, key: str, channel: Channel) -> str | None:
        """By what the chat knows the message under this key, if it was said in this channel."""
        query = select(OUTBOX.c.ref, OUTBOX.c.channel).where(OUTBOX.c.key == key)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return row.ref if row is not None and row.channel == channel else None

    async def _finish(self, due: Due, **values: object) -> None:
        statement = (
            update(OUTBOX)
            .where(OUTBOX.c.seq == due.seq, OUTBOX.c.claim_token == due.token)
            .values(claim_token=None, claim_until=None, **values)
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def unsaid(self) -> int:
        """How many messages wait (for status and tests)."""
        async with reading(self._engine) as connection:
            query = select(func.count()).where(OUTBOX.c.due_at.is_not(None))
            return int((await connection.execute(query)).scalar_one())


def _may_be_said(now: datetime) -> ColumnElement[bool]:
    """Due, unclaimed, and no earlier message of the same rental to the same place is being said or put off."""
    horizon = now + _FURTHEST
    earlier = OUTBOX.alias("earlier")
    put_off = and_(earlier.c.due_at > now, earlier.c.due_at <= horizon)
    being_said = earlier.c.claim_until.between(now, horizon)
    overtaken = (
        select(earlier.c.seq)
        .where(
            earlier.c.rental == OUTBOX.c.rental, earlier.c.channel == OUTBOX.c.channel, earlier.c.rental != ""
        )
        .where(earlier.c.seq < OUTBOX.c.seq, or_(put_off, being_said))
        .where(earlier.c.due_at.is_not(None))
    )
    held, due = OUTBOX.c.claim_until, OUTBOX.c.due_at
    free = or_(held.is_(None), held < now, held > horizon)
    return and_(or_(due <= now, due > horizon), free, ~overtaken.exists())
