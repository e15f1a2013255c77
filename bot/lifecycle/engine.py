"""The engine: claims due rows and lets passes run side by side; keeps the claims of long ones; stops what is overtaken.

Driven from outside by ``tick``: there is no loop and no sleep in here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.errors import ClaimLost, ProviderError
from bot.domain.rental import Goal, Rental
from bot.lifecycle.hands import Hands
from bot.lifecycle.heartbeat import EVERY
from bot.lifecycle.reconcile import reconcile
from bot.lifecycle.timekeeper import Steady, Timekeeper
from bot.store import Claim

log = logging.getLogger("lastcall.engine")

AT_ONCE = 32
"""Passes of one process at a time."""


@dataclass(slots=True)
class _Running:
    claim: Claim
    task: asyncio.Task[None]
    began: datetime
    stopped: bool = False
    """Told to stop: its claim is not held any more, so that a pass that hangs cannot keep its row."""

    def stop(self) -> None:
        """Once is enough."""
        self.stopped = True
        self.task.cancel()


class Engine:
    """One per process; several processes share the rows by their claims."""

    def __init__(
        self, hands: Hands, *, after_pass: Callable[[], None] = lambda: None, steady: Steady | None = None
    ) -> None:
        """``after_pass`` is called when a pass has ended: its next step may be due already. ``steady``: the clock of
        ``hands``, where it is one that does not go back."""
        self.hands = hands
        self.time = Timekeeper(hands.clock, hands.store, steady)
        self._after_pass = after_pass
        self._running: dict[str, _Running] = {}
        self._beats: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def busy(self) -> int:
        """Passes that run now."""
        return len(self._running)

    async def tick(self) -> int:
        """Keep what is ours, claim what is due, start a pass for each. Returns how many were started; never waits
        for a pass."""
        try:
            await self.time.keep()
            await self.keep()
            if self._stopping or self.busy >= AT_ONCE:
                return 0
            claims = await self._claim(AT_ONCE - self.busy)
        except SQLAlchemyError:
            await self._last_resort()
            raise
        for claim in claims:
            task = asyncio.create_task(self._pass(claim), name=f"pass {claim.rental.id}")
            self._running[claim.rental.id] = _Running(claim, task, self.hands.clock.now())
        return len(claims)

    async def _claim(self, limit: int) -> list[Claim]:
        now = self.hands.clock.now()
        return await self.hands.store.claims.due(
            now=now, until=now + self.hands.limits.claim, token=self.hands.ids.token(), limit=limit
        )

    async def _last_resort(self) -> None:
        """Nothing can be written (a full disk): what should not run any more is ended all the same. Asking twice
        costs nothing, and the proof is written when there is room again."""
        now = self.hands.clock.now()
        for rental in await self.hands.store.rentals.open_ones():
            over = rental.goal is Goal.GONE or (rental.hard_end is not None and now >= rental.hard_end)
            for attempt in rental.attempts if over else ():
                provider = self.hands.providers.get(attempt.offer.provider)
                if provider is None or attempt.machine_id is None or attempt.gone_at is not None:
                    continue
                log.error(
                    "the database cannot be written to; ending machine %s without it", attempt.machine_id
                )
                try:
                    await provider.destroy(attempt.machine_id)
                except ProviderError as error:
                    log.warning("machine %s: %s", attempt.machine_id, error)

    async def run_due(self) -> int:
        """A beat, and its passes to their end; for whoever has no ticker."""
        started = await self.tick()
        await asyncio.gather(*(one.task for one in self._running.values()))
        return started

    async def _pass(self, claim: Claim) -> None:
        try:
            await reconcile(self.hands, claim)
        except ClaimLost:
            log.info("rental %s went to another process", claim.rental.id)
        except asyncio.CancelledError:
            log.info("the pass over rental %s was overtaken", claim.rental.id)
            await self._let_go(claim)
        except Exception:
            # The store itself failed (disk full, database away): the claim runs out and the row comes again.
            log.exception("the pass over rental %s could not be written", claim.rental.id)
        finally:
            mine = self._running.get(claim.rental.id)
            if mine is not None and mine.task is asyncio.current_task():
                self.hands.tally.passed(self.hands.clock.now() - mine.began)
                del self._running[claim.rental.id]
            self._after_pass()

    async def _let_go(self, claim: Claim) -> None:
        try:
            await self.hands.store.claims.release(claim, now=self.hands.clock.now())
        except Exception:
            log.exception("rental %s could not be let go; its claim runs out by itself", claim.rental.id)

    async def keep(self) -> None:
        """Hold the claims of passes that take long; stop a pass that a command or the hard end has overtaken."""
        now, limits = self.hands.clock.now(), self.hands.limits
        for running in [one for one in self._running.values() if not one.stopped]:
            try:
                # The token stays; only the end moves, so a pass in the middle of a write is not disturbed.
                fresh = await self.hands.store.claims.hold(running.claim, until=now + limits.claim)
            except ClaimLost:
                running.stop()  # it has ended just now, or somebody else has the row: it must not go on
                continue
            if _overtaken(running, fresh, now):
                running.stop()
            elif not timedelta(0) <= now - running.began < EVERY and self.hands.heart.is_due(fresh, now):
                # A pass that transfers for an hour must not look like a bot that is gone.
                beat = asyncio.create_task(self.hands.heart.beat_beside(self.hands, fresh))
                self._beats.add(beat)
                beat.add_done_callback(self._beats.discard)

    async def stop(self) -> None:
        """Start nothing new, let running passes go; their rows are free at once where possible."""
        self._stopping = True
        running = [*self._beats, *(one.task for one in self._running.values())]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _overtaken(running: _Running, fresh: Rental, now: datetime) -> bool:
    """The goal rose to GONE, or the hard end came, since the pass began."""
    if fresh.goal is Goal.GONE and running.claim.rental.goal is not Goal.GONE:
        return True
    return fresh.hard_end is not None and running.began < fresh.hard_end <= now
