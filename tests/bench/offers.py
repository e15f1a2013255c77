"""What our own work adds to ``/gpu offers 3090`` over three vendors that take their time, beside a bare wait."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bot.commands.desk import Desk
from bot.domain.market import Offer
from bot.domain.talk import Kind
from tests.commands.vendors import Vendor, offer
from tests.support.town import Town

TAKES = {"quick": 0.1, "usual": 0.2, "slow": 0.3}
"""Seconds until a vendor answers."""
OFFERS = 100
"""In each answer: a page of a market that is full."""


async def beyond_the_slowest(folder: Path, runs: int) -> tuple[float, float]:
    """Seconds beyond the slowest vendor, from the line that is typed to the reply, and those of three bare waits at
    once: medians."""
    town = Town(f"sqlite+aiosqlite:///{folder}/offers.db", folder)
    life = await town.life()
    try:
        vendors = [_vendor(name, seconds) for name, seconds in TAKES.items()]
        house = dataclasses.replace(
            life.desk.house,
            providers={one.name: one for one in vendors},
            profiles=[one.profile for one in vendors],
        )
        desk = Desk(house)

        async def ours() -> None:
            reply = await desk.handle(town.request("/gpu offers 3090"))
            assert reply.kind is Kind.ANSWER and len(reply.data["offers"]) == OFFERS * len(vendors), reply

        async def bare() -> None:
            await asyncio.gather(*(asyncio.sleep(seconds) for seconds in TAKES.values()))

        return await _median(ours, runs), await _median(bare, runs)
    finally:
        await life.store.close()


def _vendor(name: str, seconds: float) -> Vendor:
    offers = [offer(name, f"{name}-{number}", f"0.{200 + number}") for number in range(OFFERS)]
    return Vendor(name, answer=functools.partial(_late, offers, seconds))


async def _late(offers: Sequence[Offer], seconds: float) -> Sequence[Offer]:
    await asyncio.sleep(seconds)
    return offers


async def _median(what: Callable[[], Awaitable[None]], runs: int) -> float:
    await what()
    taken = []
    for _ in range(runs):
        began = time.monotonic()
        await what()
        taken.append(time.monotonic() - began - max(TAKES.values()))
    return statistics.median(taken)
