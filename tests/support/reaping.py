"""Accounts at the three clouds for the reaper: the real adapters over the vendors' dialects, no bot and no database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from adapters.registry import vendor_skew
from adapters.simulators.clock import SimClock
from adapters.simulators.faces.transport import FaceTransport
from adapters.simulators.machine import SimMachine
from adapters.simulators.world import World
from bot.domain.label import make
from bot.domain.market import LaunchOrder
from bot.domain.money import Usd
from bot.domain.reaped import Fate, Visit
from bot.lifecycle.reap import Reaper
from bot.ports import Provider
from tests.support.cloud_town import API_KEY, VENDORS
from tests.support.worlds import MINUTE, START

NAMESPACE = "test"


class Accounts:
    """One account at each vendor that is named, on one clock; every pause moves it. ``meanwhile`` is called in each."""

    def __init__(self, *vendors: str, skew: timedelta = timedelta(0), key: str = API_KEY) -> None:
        self.clock = SimClock(START)
        self.meanwhile: Callable[[], object] = lambda: None
        self.worlds = {
            name: World(self.clock, tariff=VENDORS[name].tariff, balance=Usd.of(1000)) for name in vendors
        }
        for name, world in self.worlds.items():
            for host in VENDORS[name].hosts():
                world.add_host(host)
        self.faces = {
            name: VENDORS[name].face(world, key=key, skew=skew) for name, world in self.worlds.items()
        }
        self.lines = {name: FaceTransport(face) for name, face in self.faces.items()}
        self.providers: dict[str, Provider] = {
            name: VENDORS[name].adapter(self.clock, line, self.pause) for name, line in self.lines.items()
        }

    async def pause(self, length: timedelta) -> None:
        """Who waits at the same time waits for the same time to pass."""
        until = self.clock.now() + length
        await asyncio.sleep(0)
        if self.clock.now() < until:
            self.clock.set(until)
        self.meanwhile()

    def put(
        self, vendor: str, *, label: str | None = None, due: timedelta = -MINUTE, namespace: str = NAMESPACE
    ) -> SimMachine:
        """A machine that somebody rented; due a minute ago if nothing else is said."""
        world = self.worlds[vendor]
        count = len(world.ever())
        name = label if label is not None else make(namespace, f"abc{count:03d}", 1, self.clock.now() + due)
        return world.put(world.free_hosts()[0], LaunchOrder(name, "ssh-ed25519 AAAA", 20))

    def later(self, length: timedelta) -> datetime:
        """Let time go by before the reaper comes."""
        return self.clock.advance(length)

    def alive(self, vendor: str) -> list[str]:
        """What is billed there now."""
        return [one.id for one in self.worlds[vendor].alive()]

    async def reap(self, *, dry: bool = False, namespace: str | None = NAMESPACE) -> list[Visit]:
        """One run of the reaper over all accounts."""
        reaper = Reaper(self.clock, self.pause, namespace, vendor_skew, 5 * MINUTE, dry)
        return await reaper.reap(tuple(self.providers.values()))


def fates(visits: Sequence[Visit]) -> list[Fate]:
    """What became of every machine that was told of."""
    return [machine.fate for visit in visits for machine in visit.machines]
