"""Work that goes on after an acknowledgement, and what was heard before.

A chat's library may take an acknowledgement back when a handler raises right after it, as Bolt does (chat-platforms.md,
1): so the work is a task of its own, and nothing that it raises gets there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import LastcallError
from bot.ports import Clock

log = logging.getLogger("lastcall.chat")

_DRAIN_S = 5
_REMEMBER = timedelta(minutes=15)
"""Slack redelivers for about six minutes, and a signed request can be replayed for five."""
_MANY = 20_000


class Work:
    """Tasks that are waited for, shortly, when the process ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin it; what it raises is logged."""
        task = asyncio.get_running_loop().create_task(_guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def idle(self) -> None:
        """Until there is nothing left to do."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def drain(self) -> None:
        """Let what was begun end; what takes longer is cancelled."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=_DRAIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except LastcallError as error:
        log.warning("work after an acknowledgement: %s", error)
    except Exception:
        log.exception("work after an acknowledgement")


class Recent:
    """Keys that were heard in the last minutes. The store knows them for ever; this keeps us from answering twice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: OrderedDict[str, datetime] = OrderedDict()

    def first(self, key: str, within: timedelta = _REMEMBER) -> bool:
        """Whether it is heard for the first time in so long."""
        now = self._clock.now()
        while self._heard and (
            len(self._heard) > _MANY or now - next(iter(self._heard.values())) > _REMEMBER
        ):
            self._heard.popitem(last=False)
        last = self._heard.get(key)
        if last is not None and timedelta(0) <= now - last < within:
            return False
        self._heard[key] = now
        self._heard.move_to_end(key)
        return True
