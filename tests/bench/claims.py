"""How fast rows are claimed and let go, beside a bare ``SELECT 1`` over the same engine."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from bot.domain.market import Want
from bot.domain.money import Usd
from bot.domain.rental import Goal, Rental
from bot.domain.talk import Actor, Channel
from bot.store import Store
from bot.store.rows import Entry
from bot.store.session import reading

OPEN = 50
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def rates(url: str, keys: Path, seconds: float) -> tuple[float, float]:
    """Claims a second (claimed, held against others, let go) and bare queries a second."""
    store = await Store.open(url, lambda: b"", keys)
    try:
        for number in range(OPEN):
            await store.rentals.open(_rental(number), key=uuid4().hex, entry=Entry("asked", "bench"))
        return await _claims(store, seconds), await _bare(store, seconds)
    finally:
        await store.close()


async def _claims(store: Store, seconds: float) -> float:
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        (claim,) = await store.claims.due(
            now=NOW, until=NOW + timedelta(minutes=1), token=uuid4().hex, limit=1
        )
        await store.claims.release(claim, now=NOW)
        count += 1
    return count / (time.monotonic() - began)


async def _bare(store: Store, seconds: float) -> float:
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        async with reading(store.engine) as connection:
            await connection.execute(text("SELECT 1"))
        count += 1
    return count / (time.monotonic() - began)


def _rental(number: int) -> Rental:
    return Rental(
        id=f"b{number:05}",
        namespace="bench",
        owner=Actor("bench", "bench", "ann", "ann"),
        channel=Channel("bench", "bench"),
        created_at=NOW,
        want=Want(provider="local"),
        job=None,
        budget=Usd.of(5),
        lifetime=timedelta(hours=4),
        goal=Goal.QUOTED,
    )
