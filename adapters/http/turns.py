"""Waiting one's turn: a vendor's published limits are kept whatever the number of rentals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.domain.errors import TryLater
from bot.ports import Clock

_PATIENCE = timedelta(seconds=12)
"""A call whose turn comes later than this is put off instead of waited for."""

Pause = Callable[[timedelta], Awaitable[None]]


async def wait(length: timedelta) -> None:
    """The real pause."""
    await asyncio.sleep(max(0.0, length.total_seconds()))


class Turns:
    """One queue per kind of call, so that a vendor's published limit is kept whatever the number of rentals."""

    def __init__(self, clock: Clock, pause: Pause, every: Mapping[str, timedelta]) -> None:
        self._clock, self._pause, self._every = clock, pause, every
        self._free: dict[str, datetime] = {}
        self._held: dict[str, datetime] = {}
        self._seen: datetime | None = None

    async def take(self, *kinds: str) -> None:
        """Wait for the turn of a call that counts for all of ``kinds``. Raises ``TryLater`` when that is far off."""
        paced = tuple(kind for kind in kinds if kind in self._every)
        now = self._clock.now()
        if self._seen is not None and now < self._seen:
            self._free.clear()  # the clock was set back: nobody waits for the old future
            self._held.clear()
        self._seen = now
        turn = max([now, *(self._free.get(kind, now) for kind in paced), *self._holds(kinds)])
        if turn - now > _PATIENCE:
            raise TryLater("too many calls are waiting for this vendor", after=turn - now)
        for kind in paced:
            self._free[kind] = turn + self._every[kind]
        if turn > now:
            await self._pause(turn - now)
        late = [until - self._clock.now() for until in self._holds(kinds)]
        if late and max(late) > timedelta(0):
            raise TryLater("the vendor asked to wait", after=max(late))

    def _holds(self, kinds: tuple[str, ...]) -> list[datetime]:
        return [self._held[kind] for kind in kinds if kind in self._held]

    def hold(self, kind: str, length: timedelta) -> None:
        """The vendor asked to wait: nobody's turn comes before, not even one that was given already."""
        until = self._clock.now() + length
        self._held[kind] = max(self._held.get(kind, until), until)
