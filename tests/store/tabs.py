"""Tabs, messages and moments that the store's tests begin from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.market import Offer, Want
from bot.domain.money import Usd
from bot.domain.rental import Attempt, Goal, Rental
from bot.domain.talk import Actor, Channel, Kind, Reply
from bot.store import Claim, Store
from bot.store.rows import Entry, Say
from bot.store.session import reading

KEY = b"3J0mLk1wTzqgKc0gqv9o3mWn0m3z5n8wG7bq0m1c2eA="
T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LEASE = MINUTE
"""How long a claim lasts here."""
ANN = Actor("sim", "acme", "ann", "ann")
HERE = Channel("sim", "general")
ASKED = Entry("asked", "asked for it", ANN.key)


def offer(**changed: Any) -> Offer:
    return replace(Offer("sim", "offer-1", "RTX 3090", 1, 24.0, Usd.of("0.20")), **changed)


def attempt(number: int = 1, *, rental: str = "abc234", **changed: Any) -> Attempt:
    label = f"lc-test-{rental}-{number}-20260303T0900Z"
    return replace(Attempt(number, label, offer(), T0), **changed)


def tab(id: str = "abc234", **changed: Any) -> Rental:
    """A quote that was asked for at ``T0``."""
    fresh = Rental(
        id=id, namespace="test", owner=ANN, channel=HERE, created_at=T0, want=Want(gpu="RTX 3090"), job=None,
        budget=Usd.of(5), lifetime=4 * HOUR, goal=Goal.QUOTED,
    )  # fmt: skip
    return replace(fresh, **changed)


async def opened(store: Store, id: str = "abc234", **changed: Any) -> Rental:
    """A tab that is in the database."""
    rental = tab(id, **changed)
    await store.rentals.open(rental, key=f"open-{id}", entry=ASKED)
    return rental


async def claimed(store: Store, *, now: datetime = T0, token: str = "mine") -> Claim:
    """The claim of the one row that is due."""
    [claim] = await store.claims.due(now=now, until=now + LEASE, token=token, limit=1)
    return claim


async def begun(store: Store, id: str = "abc234", **changed: Any) -> Rental:
    """A tab that runs since ``T0``, waiting for nothing before an hour is over."""
    await opened(store, id, goal=Goal.READY, worst_case=Usd.of(1), began_at=T0, **changed)
    await store.claims.apply(claim := await claimed(store), claim.rental, now=T0, wake_at=T0 + HOUR)
    return claim.rental


async def found(store: Store, id: str = "abc234") -> Rental:
    """The tab as the database has it."""
    rental = await store.rentals.get(id)
    assert rental is not None
    return rental


def say(key: str, text: str = "hello", *, channel: Channel = HERE, kind: Kind = Kind.NOTICE) -> Say:
    return Say(key, channel, Reply(kind, text))


async def texts(store: Store, rental: str = "") -> list[str]:
    """The journal."""
    return [line.text for line in await store.journal.lines(rental=rental, limit=1000)]


async def count(engine: AsyncEngine, table: Table) -> int:
    """How many rows are committed."""
    async with reading(engine) as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())
