"""RunPod's real adapter over its simulated vendor, on a clock that only moves when somebody waits or says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.providers.runpod import RunpodProvider
from adapters.simulators.clock import SimClock
from adapters.simulators.faces.runpod import CONTAINER_DISK_MONTH, RUNPOD_TARIFF, RunpodFace
from adapters.simulators.faces.transport import FaceTransport
from adapters.simulators.machine import SimHost, SimMachine
from adapters.simulators.world import World
from bot.domain.market import LaunchOrder, Offer, Want
from bot.domain.money import Usd
from tests.support.worlds import SECOND, START

KEY = "rpa_SECRETSECRETSECRET"
LABEL = "lc-team-k7m2xq-1-20260302T1200Z"
RTX = Want(gpu="RTX 3090")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJvNEGyhpBtNsGGc0ZsU2nZGx5Zz6zJKvZv3oIlQZj5 k7m2xq-1"


def runpod_host(name: str = "h", gpu: str = "RTX 3090", hourly: str = "0.20", **more: Any) -> SimHost:
    """One place for one pod, in Sweden unless said otherwise."""
    return SimHost(name, gpu, Usd.of(hourly), disk_month=CONTAINER_DISK_MONTH, **more)


def order(label: str = LABEL, **more: Any) -> LaunchOrder:
    """What the engine orders."""
    return LaunchOrder(label=label, public_key=PUBLIC_KEY, disk_gb=20, **more)


class RunpodStage:
    """A world, its face, and an adapter that speaks to it."""

    def __init__(self, *hosts: SimHost, key: str = KEY, **world: Any) -> None:
        self.clock = SimClock(START)
        self.world = World(self.clock, tariff=RUNPOD_TARIFF, **world)
        for host in hosts or (runpod_host(),):
            self.world.add_host(host)
        self.face = RunpodFace(self.world, key=KEY)
        self.quirks = self.face.quirks
        self.line = FaceTransport(self.face)
        self.waited: list[timedelta] = []
        self.provider = self.another(key)

    def another(self, key: str = KEY) -> RunpodProvider:
        """The same account seen by a process that has just started."""
        return RunpodProvider(
            key=key,
            url="https://runpod.invalid/v2/",
            graphql_url="https://runpod.invalid/graphql",
            clock=self.clock,
            transport=self.line,
            pause=self._pause,
            patience=timedelta(milliseconds=30),
        )

    async def offer(self, want: Want = RTX) -> Offer:
        """The cheapest."""
        return (await self.provider.offers(want))[0]

    async def launch(self, label: str = LABEL, **more: Any) -> SimMachine:
        """A pod of the cheapest offer, as the world knows it."""
        pod_id = await self.provider.launch(await self.offer(), order(label, **more))
        return self.world.machine(pod_id)

    async def running(self) -> SimMachine:
        """One that is up."""
        machine = await self.launch()
        self.clock.advance(120 * SECOND)
        return machine

    def put(self, label: str = "somebody-elses") -> SimMachine:
        """A pod that was made by hand, on a host of its own."""
        host = replace(runpod_host(f"by-hand-{len(self.world.ever())}"), withdrawn=True)
        return self.world.put(self.world.add_host(host), order(label))

    async def _pause(self, length: timedelta) -> None:
        self.waited.append(length)
        self.clock.advance(length)
