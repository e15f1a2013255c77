"""The bot's side of the dead-man's switch: arm it when a machine becomes usable, and be heard from then on.

Neither is needed by the rental itself: what fails here is told and tried again, costs at most ``LONGEST``, and holds
nothing up. On the way down nothing is said any more; a switch that hears nothing does the right thing by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from bot.domain.deadman import GRACE, Ends
from bot.domain.errors import LastcallError, Unreachable
from bot.domain.market import Access
from bot.domain.rental import Attempt, Goal, Rental
from bot.lifecycle.switch import payload
from bot.ports import Clock, Provider, Shell

EVERY = timedelta(minutes=5)
"""Between two heartbeats."""
FIRST = timedelta(minutes=1)
"""From the arming to the first one, which brings back what the switch can really do there."""
AGAIN = timedelta(minutes=1)
"""After one that did not arrive."""
LONGEST = timedelta(seconds=10)
"""What a pass may lose by it."""
_KIND_LENGTH = 200

T = TypeVar("T")
Facts = dict[str, Any]
"""Fields of the attempt that changed."""
log = logging.getLogger("lastcall.heartbeat")


class Hands(Protocol):
    """What it works with."""

    @property
    def clock(self) -> Clock:
        """The passed clock."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """By name."""

    @property
    def shell(self) -> Shell:
        """The way in."""


@dataclass(frozen=True, slots=True)
class _Try:
    at: datetime
    end: datetime | None


class Heart:
    """One per process. What it remembers is only who was tried when; everything else is in the rows."""

    def __init__(self) -> None:
        self._tried: dict[str, _Try] = {}
        self._heard: dict[str, Facts] = {}

    async def arm(self, hands: Hands, rental: Rental, access: Access) -> Facts:
        """Start the switch. Repeating it on a machine that has one changes nothing there."""
        attempt, now = rental.attempt, hands.clock.now()
        provider = hands.providers.get(attempt.offer.provider) if attempt else None
        if attempt is None or provider is None or attempt.machine_id is None or rental.hard_end is None:
            return {}
        self._tried[attempt.label] = _Try(now, rental.hard_end)
        can = provider.switch(attempt.machine_id)
        left = (rental.hard_end - now).total_seconds()
        job = payload.job(access, can, left, GRACE.total_seconds())
        unit = "switch" if attempt.switch_at is None else f"switch-{int(now.timestamp())}"
        try:
            await _soon(hands.shell.start(access, unit, job))
        except LastcallError as error:
            log.warning("rental %s: the switch could not be armed: %s", rental.id, error)
            return {"switch_at": None, "switch_kind": _kind(Ends.NOTHING, str(error))}
        kind = attempt.switch_kind if attempt.switch_at is not None else _kind(can.ends, "")
        return {"switch_at": now, "switch_kind": kind, "switch_end": rental.hard_end, "beat_at": None}

    def is_due(self, rental: Rental, now: datetime) -> bool:
        """Whether the machine should hear of us: it has heard nothing for a while, or not of the end as it is now."""
        attempt = rental.attempt
        if attempt is None or attempt.ready_at is None or rental.goal is Goal.GONE:
            return False
        tried = self._tried.get(attempt.label)
        if tried is not None and tried.end == rental.hard_end and tried.at <= now < tried.at + AGAIN:
            return False
        if attempt.switch_at is None or attempt.switch_end != rental.hard_end:
            return True
        since, pause = (attempt.switch_at, FIRST) if attempt.beat_at is None else (attempt.beat_at, EVERY)
        # A clock that was set back must not make us silent: the machine's own switch counts on.
        return not since <= now < since + pause

    async def beat(self, hands: Hands, rental: Rental) -> Facts:
        """Say it where it is due, and return what to write down; also what was said during a long pass before."""
        attempt, now = rental.attempt, hands.clock.now()
        if attempt is None:
            return {}
        facts = self._heard.pop(attempt.label, {})
        if not self.is_due(rental, now) or attempt.access is None:
            return facts
        if attempt.switch_at is None:
            return facts | await self.arm(hands, rental, attempt.access)
        return facts | await self._tell(hands, rental, attempt, attempt.access)

    async def beat_beside(self, hands: Hands, rental: Rental) -> None:
        """The same while a long pass works: what comes of it is written by the next one."""
        attempt = rental.attempt
        facts = await self.beat(hands, rental)
        if attempt is not None and facts:
            self._heard[attempt.label] = facts

    async def _tell(self, hands: Hands, rental: Rental, attempt: Attempt, access: Access) -> Facts:
        now, end = hands.clock.now(), rental.hard_end
        assert end is not None
        self._tried[attempt.label] = _Try(now, end)
        argv, stdin = payload.beat(access, (end - now).total_seconds())
        try:
            ran = await _soon(hands.shell.run(access, argv, limit=LONGEST, stdin=stdin))
        except LastcallError as error:
            log.info("rental %s: a heartbeat did not arrive: %s", rental.id, error)
            return {}
        said = payload.answer(ran.stdout)
        if said is None:
            log.warning("rental %s: no answer to a heartbeat, exit %d", rental.id, ran.exit_code)
            return {}
        if said.state == "gone":
            # Killed, or the machine began anew: another one takes its place.
            log.warning("rental %s: the switch is gone from its machine; it is armed again", rental.id)
            return await self.arm(hands, rental, access)
        kind = _kind(said.ends, f"it fired: {said.why}" if said.state == "ending" else said.why)
        return {"beat_at": now, "switch_end": end, "switch_kind": kind}


async def _soon(call: Awaitable[T]) -> T:
    """Its answer, or ``Unreachable`` when that takes longer than a pass can wait."""
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            return await call
    except TimeoutError:
        raise Unreachable(f"no answer within {LONGEST.total_seconds():.0f} s") from None
    except LastcallError:
        raise
    except Exception:
        # A fault of ours here must not keep a pass from deciding, least of all one that tears down.
        log.exception("the switch on a machine")
        raise Unreachable("a fault of Lastcall, which is in its log") from None


def _kind(ends: Ends, why: str) -> str:
    text = f"{ends.value}: {why}" if why else ends.value
    return text if len(text) <= _KIND_LENGTH else text[: _KIND_LENGTH - 1] + "…"
