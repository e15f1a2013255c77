"""The metronome: APScheduler 3 with its memory job store. It beats and remembers nothing; all memory is in rows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.ports import Clock

log = logging.getLogger("lastcall.ticker")

_GUARD = timedelta(seconds=20)
_FURTHEST = timedelta(minutes=5)
"""No beat is due later than this."""


class Ticker:
    """Beats of one process. A beat that is still running when the next is due is not started twice."""

    def __init__(self, clock: Clock) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._clock = clock
        self._beating: dict[str, asyncio.Task[None]] = {}
        self._nudged: set[str] = set()
        """Beats that are wanted again as soon as they have ended."""
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self.well: dict[str, datetime] = {}
        """When each beat last ended without a fault."""
        self._ending = False
        self._guard: asyncio.TimerHandle | None = None

    def every(self, name: str, pace: Callable[[], timedelta], beat: Callable[[], Awaitable[object]]) -> None:
        """Call ``beat`` again and again, ``pace()`` after the last one ended (asked anew each time). A beat that
        raises is logged and comes again."""

        async def one() -> None:
            try:
                await beat()
                self.well[name] = self._clock.now()
            except Exception:
                log.exception("the beat %s failed and comes again", name)

        def again(_: asyncio.Task[None]) -> None:
            self._beating.pop(name, None)
            for waiting in self._waiting.pop(name, []):
                waiting.set()
            wanted = name in self._nudged
            self._nudged.discard(name)
            self._at(name, turn, self._clock.now() + (timedelta(0) if wanted else pace()))

        async def turn() -> None:
            # A task of its own: APScheduler's shutdown cancels what it runs, and a beat must not be cut in the
            # middle of a write.
            if not self._ending and name not in self._beating:
                task = self._beating[name] = asyncio.create_task(one(), name=f"beat {name}")
                task.add_done_callback(again)

        self._at(name, turn, self._clock.now())

    def _at(self, name: str, turn: Callable[[], Awaitable[None]], moment: datetime) -> None:
        if not self._ending:
            self._scheduler.add_job(
                turn,
                "date",
                run_date=moment,
                id=name,
                replace_existing=True,
                misfire_grace_time=None,
                max_instances=1,
            )

    def nudge(self, name: str) -> None:
        """Let this beat come now, or once more when it is running: it may have looked too early."""
        if name in self._beating:
            self._nudged.add(name)
        elif self._scheduler.get_job(name) is not None:
            self._scheduler.modify_job(name, next_run_time=self._clock.now())

    async def next(self, name: str) -> None:
        """Until this beat has ended once more."""
        ended = asyncio.Event()
        self._waiting.setdefault(name, []).append(ended)
        await ended.wait()

    async def rest(self, name: str) -> None:
        """Until this beat does not run (any more)."""
        while name in self._beating:
            await asyncio.wait({self._beating[name]})

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._scheduler.start()
        self._watch_the_clock()

    def _watch_the_clock(self) -> None:
        """Beats are moments; after the clock was set back they would lie far ahead. The loop's own clock never is."""
        soon = self._clock.now() + _FURTHEST
        for job in self._scheduler.get_jobs():
            if job.next_run_time is not None and job.next_run_time > soon:
                log.warning("the clock was set back; the beat %s comes now", job.id)
                job.modify(next_run_time=self._clock.now())
        self._scheduler.wakeup()
        self._guard = asyncio.get_running_loop().call_later(_GUARD.total_seconds(), self._watch_the_clock)

    async def stop(self, *, within: timedelta = timedelta(seconds=5)) -> None:
        """No beat begins any more; those that run may end by themselves, as far as that does not take long."""
        self._ending = True
        if self._guard is not None:
            self._guard.cancel()
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # of turns that were about to begin
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._beating:
            await asyncio.wait(set(self._beating.values()), timeout=within.total_seconds())
