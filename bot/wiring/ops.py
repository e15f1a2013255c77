"""What operators may ask this process, and the door they ask at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from adapters import registry
from adapters.clock import SystemClock
from adapters.ops.tally import Counts
from bot.domain.clocktime import short
from bot.domain.vitals import Line, Part, Rows, Vitals
from bot.settings import Settings
from bot.store.numbers import Numbers
from bot.wiring.app import App
from bot.wiring.chats import Front, FrontEnds

if TYPE_CHECKING:
    from adapters.ops.door import Door

log = logging.getLogger("lastcall.ops")

_ANSWER_S = 3
"""Shorter than what probes wait; a database that takes longer is of no use to the engine either."""
_PASS = timedelta(seconds=60)
"""The engine looks every two seconds at most; so long without a look is a fault."""
_SWEEP = timedelta(minutes=15)
"""Sweeps come every minute, with own computers only every five."""


class Watch:
    """Keeps the ``Watched`` port for one process."""

    def __init__(self, app: App, fronts: Sequence[Front], front_ends: FrontEnds) -> None:
        self._app, self._fronts, self._front_ends = app, fronts, front_ends
        self._numbers = Numbers(app.store.engine, app.settings.limits)
        self._wall = SystemClock()
        self.stopping = False

    @property
    def counts(self) -> Counts:
        """What the engine counts into."""
        tally = self._app.engine.hands.tally
        return tally if isinstance(tally, Counts) else Counts()

    async def ready(self) -> Sequence[Part]:
        """Engine, database, sweep and each chat; and whether it is on its way out."""
        stopping = (Part("process", ok=False, said="it is stopping"),) if self.stopping else ()
        chats = (self._chat(name, line) for name, line in self._lines().items())
        return (*stopping, self._engine(), await self._database(), self._sweep(), *chats)

    async def vitals(self) -> Vitals:
        """Rows as far as the database answers."""
        now, wall = self._app.clock.now(), self._wall.now()
        asked = {name: registry.vendor_calls(one) for name, one in self._app.providers.items()}
        return Vitals(
            namespace=self._app.house.namespace,
            rows=await self._rows(),
            chats=self._lines(),
            calls={(name, kind): many for name, (calls, _) in asked.items() for kind, many in calls.items()},
            errors={(name, what): many for name, (_, wrong) in asked.items() for what, many in wrong.items()},
            beats={name: wall - at for name, at in self._app.ticker.well.items()},
            sweeps={name: now - at for name, at in self.counts.sweeps.items()},
        )

    async def _rows(self) -> Rows | None:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._numbers.rows(self._app.clock.now())
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("the numbers of the database cannot be had: %s", type(error).__name__)
            return None

    def _lines(self) -> Mapping[str, Line]:
        return {one.chat.name: one.line for one in self._fronts}

    def _engine(self) -> Part:
        at = self._app.ticker.well.get("engine")
        if at is None:
            return Part("engine", ok=False, said="no look at the rentals has ended yet")
        ago = self._wall.now() - at
        return Part("engine", ago < _PASS, f"the last look at the rentals was {_ago(ago)}")

    async def _database(self) -> Part:
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._numbers.answers()
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            return Part("database", ok=False, said=f"it does not answer ({type(error).__name__})")
        return Part("database", ok=True, said="it answers")

    def _sweep(self) -> Part:
        """Of any account, and where there is none of this computer: one vendor that is down is not our fault, and has
        its own metric."""
        counts, now = self.counts, self._app.clock.now()
        if counts.elsewhere is not None and now - counts.elsewhere < _SWEEP:
            return Part("sweep", ok=True, said="another process sweeps")
        accounts = {name for name, one in self._app.providers.items() if not one.profile.owned}
        swept = [at for name, at in counts.sweeps.items() if name in accounts or not accounts]
        if not swept:
            return Part("sweep", ok=False, said="no sweep has succeeded yet")
        ago = now - max(swept)
        return Part("sweep", ago < _SWEEP, f"the last good one was {_ago(ago)}")

    def _chat(self, name: str, line: Line) -> Part:
        if name in self._front_ends.aside:
            return Part(f"chat {name}", ok=True, said="another process listens")
        return Part(f"chat {name}", line.connected, "connected" if line.connected else "not connected")


def door_of(settings: Settings, watch: Watch) -> Door | None:
    """None where no port is set; what it needs is loaded only then."""
    if settings.ops_port is None:
        return None
    from adapters.ops.door import Door  # noqa: PLC0415

    return Door(watch, watch.counts, settings.ops_host, settings.ops_port)


def _ago(length: timedelta) -> str:
    return f"{short(max(timedelta(0), length))} ago"
