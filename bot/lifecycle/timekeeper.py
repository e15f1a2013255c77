"""The watch over our own clock: one that is set back must not let machines run longer.

Within a process a steady clock does that by itself. What was seen by other processes, and before a restart, is a row.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.orphan import Fate
from bot.ports import Clock
from bot.store import Store
from bot.store.latest import Latest

log = logging.getLogger("lastcall.clock")

EVERY = timedelta(seconds=15)
"""Between two notes: what a restart with a clock that was set back may lose, beside the time it takes."""


class Steady(Clock, Protocol):
    """A clock that does not go back by itself."""

    def not_before(self, moment: datetime) -> bool:
        """Go on from ``moment``; False where that is too far ahead to be true."""

    def follow(self) -> bool:
        """Take the computer's clock as it is; True where that is behind."""


class Timekeeper:
    """One per process. ``steady`` None: the clock is a plain one, and only woken up after when it goes back."""

    def __init__(self, clock: Clock, store: Store, steady: Steady | None = None) -> None:
        self._clock, self._store, self._steady = clock, store, steady
        self._latest = Latest(store.engine)
        self._seen: datetime | None = None
        self._noted: datetime | None = None

    async def keep(self) -> None:
        """Before anything is decided by what time it is. Costs nothing between two notes."""
        now = self._clock.now()
        if self._seen is not None and now < self._seen:
            await self._wake()
        self._seen = now
        if self._steady is None or (self._noted is not None and self._noted <= now < self._noted + EVERY):
            return
        await self._note(self._steady)
        self._seen = self._noted = self._clock.now()

    async def _note(self, steady: Steady) -> None:
        if not await self._anything_open():
            # Nothing runs that could run longer: only now may the calendar be lived twice.
            if steady.follow() or self._noted is None:
                await self._latest.set(steady.now())
            return
        known = await self._latest.note(steady.now())
        if not steady.not_before(known):
            log.error("the clock is at %s and was at %s before; it is taken as it is", steady.now(), known)
            await self._latest.set(steady.now())
            await self._wake()

    async def _anything_open(self) -> bool:
        """A rental, or a machine that is nobody's and has a moment at which it is ended."""
        if await self._store.claims.next_wake() is not None:
            return True
        return any(one.fate is not Fate.IGNORE for one in await self._store.orphans.unfinished())

    async def _wake(self) -> None:
        woken = await self._store.claims.wake_all(now=self._clock.now())
        log.warning("the clock went back; %d rentals are looked at now", woken)
