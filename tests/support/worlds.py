"""Small simulated worlds that tests begin from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from adapters.simulators.clock import SimClock
from adapters.simulators.faults import ALWAYS, Fault, FaultKind
from adapters.simulators.machine import SimHost
from adapters.simulators.provider import WorldProvider, access_to
from adapters.simulators.shell import WorldShell
from adapters.simulators.world import World
from bot.domain.market import LaunchOrder, Want
from bot.domain.money import Usd

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
LABEL = "lc-dev-team-k7m2xq-1-20260302T1200Z"
SECOND_LABEL = "lc-dev-team-k7m2xq-2-20260302T1200Z"


def order(label: str = LABEL) -> LaunchOrder:
    """An order under a label."""
    return LaunchOrder(label=label, public_key="ssh-ed25519 AAAA", disk_gb=20, key_ref="key-1")


class Street:
    """A cheap host with much room, a dear one with little, and a provider."""

    def __init__(
        self,
        *,
        list_lag: timedelta = timedelta(0),
        unlist_lag: timedelta = timedelta(0),
        destroy_lag: timedelta = timedelta(0),
    ) -> None:
        self.clock = SimClock(START)
        self.world = World(
            self.clock, seed=1, list_lag=list_lag, unlist_lag=unlist_lag, destroy_lag=destroy_lag
        )
        self.cheap = self.world.add_host(SimHost("cheap", "RTX 3090", Usd.of("0.20"), capacity=5))
        self.dear = self.world.add_host(SimHost("dear", "RTX 4090", Usd.of("0.40")))
        self.provider = WorldProvider(self.world)

    async def launch(self, label: str = LABEL, gpu: str | None = None) -> str:
        offers = await self.provider.offers(Want(gpu=gpu))
        return await self.provider.launch(offers[0], order(label))


class WorldLine:
    """The line to a world's vendor, for ``tests/contracts``: ``cut`` lets nothing through, ``deaf`` loses answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cut = self._deaf = False

    @property
    def cut(self) -> bool:
        return self._cut

    @cut.setter
    def cut(self, on: bool) -> None:
        self._cut = on
        self._plan()

    @property
    def deaf(self) -> bool:
        return self._deaf

    @deaf.setter
    def deaf(self, on: bool) -> None:
        self._deaf = on
        self._plan()

    def _plan(self) -> None:
        self._world.faults.clear()
        if self._cut or self._deaf:
            kind = FaultKind.LOST_BEFORE if self._cut else FaultKind.LOST_AFTER
            for call in ("offers", "launch", "inspect", "machines", "destroy", "account"):
                self._world.plan(call, Fault(kind, times=ALWAYS))


class Room:
    """A machine with two GPUs that boots in 90 s, and a shell into it."""

    def __init__(self) -> None:
        self.clock = SimClock(START)
        self.world = World(self.clock)
        host = self.world.add_host(SimHost("h", "RTX 3090", Usd.of("0.20"), count=2))
        self.machine = self.world.put(host, order())
        self.access = access_to(self.machine)
        self.shell = WorldShell(self.world)

    def boot(self) -> None:
        self.clock.advance(90 * SECOND)
