"""The real Vast.ai adapter over its simulated vendor, on a clock that every pause of the adapter moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.providers.vast import VastProvider
from adapters.simulators.clock import SimClock
from adapters.simulators.faces.face import Said, Wire, call_of
from adapters.simulators.faces.transport import FaceTransport
from adapters.simulators.faces.vast import VAST_TARIFF, VastFace
from adapters.simulators.machine import Fate, SimHost, SimMachine
from adapters.simulators.world import World
from bot.domain.market import LaunchOrder, Machine, Offer, Want
from bot.domain.money import Usd
from tests.support.worlds import START

URL = "https://console.vast.test"
KEY_LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJvNEGyhpBtNsGGc0ZsU2nZGx5Zz6zJKvZv3oIlQZj5 k7m2xq-1"
LABEL = "lc-team-k7m2xq-1-20260302T1200Z"
SECOND_LABEL = "lc-team-k7m2xq-2-20260302T1200Z"
RTX = Want(gpu="RTX 3090")


class VastStage:
    """An account on which nothing is rented, a market of the hosts that are put there, and the adapter."""

    def __init__(self, *hosts: SimHost, skew: timedelta = timedelta(0), balance: Usd | None = None) -> None:
        self.clock = SimClock(START)
        self.world = World(self.clock, tariff=VAST_TARIFF, balance=balance)
        for host in hosts or (vast_host(capacity=40),):
            self.world.add_host(host)
        self.face = VastFace(self.world, skew=skew)
        self.line = FaceTransport(self.face)
        self.paused: list[timedelta] = []
        self.provider = self.another()

    async def pause(self, length: timedelta) -> None:
        """No time passes but on the clock."""
        self.paused.append(length)
        self.clock.advance(length)

    def another(self, *, key: str = "sim-key", url: str = URL) -> VastProvider:
        """The same account, seen by a process that has just begun."""
        return VastProvider(key=key, url=url, clock=self.clock, transport=self.line, pause=self.pause)

    def order(self, label: str = LABEL, **more: Any) -> LaunchOrder:
        """An order under a label."""
        return replace(LaunchOrder(label, KEY_LINE, 20, key_ref="k7m2xq-1"), **more)

    async def offer(self, want: Want = RTX) -> Offer:
        """The cheapest."""
        return (await self.provider.offers(want))[0]

    async def launched(self, label: str = LABEL, want: Want = RTX) -> str:
        """The id of a machine that was just created."""
        return await self.provider.launch(await self.offer(want), self.order(label))

    async def running(self, label: str = LABEL, want: Want = RTX) -> str:
        """The id of one that runs."""
        machine_id = await self.launched(label, want)
        self.clock.advance(timedelta(minutes=5))
        return machine_id

    def put(self, many: int = 1, label: str = "by hand") -> None:
        """Machines that nobody rented through us."""
        host = next(iter(self.world.hosts.values()))
        for number in range(many):
            self.world.put(host, LaunchOrder(f"{label} {number}", "", 20))

    async def seen(self, machine_id: str) -> Machine:
        """The machine as it is told, which must be the same in the list and by itself."""
        machine = await self.provider.inspect(machine_id)
        assert machine is not None
        assert machine in await self.provider.machines()
        return machine

    def sim(self, machine_id: str) -> SimMachine:
        """The world's own machine."""
        machine = self.face.sim(machine_id)
        assert machine is not None
        return machine

    def fails(self, kind: str, wire: Wire, times: int = -1) -> None:
        """The wire breaks for calls of that kind from now on."""
        self.face.plan(kind, wire, times)

    def asks(self, method: str, path: str, body: bytes = b"", key: str = "sim-key") -> Said:
        """What the vendor says to a foreign client, a while after the last call."""
        self.clock.advance(timedelta(seconds=10))
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.face.handle(call_of(method, path, headers, body))


def vast_host(fingerprint: str = "h1", hourly: str = "0.20", **more: Any) -> SimHost:
    """A verified host in Stockholm, with a disk and traffic at the prices that hosts usually ask."""
    usual: dict[str, Any] = {
        "gpu": "RTX 3090",
        "where": "Stockholm",
        "disk_month": Usd.of("0.15"),
        "traffic_per_gb": Usd.of("0.02"),
    }
    return SimHost(fingerprint, hourly=Usd.of(hourly), **{**usual, **more})


def never_boots(words: str = "") -> Fate:
    """A host whose container is made and never starts."""
    return Fate(boot=None, words=words)
