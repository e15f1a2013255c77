"""The real Lambda adapter over its simulated vendor, on a clock that only a test moves."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from adapters.providers.lambda_cloud import LambdaProvider
from adapters.simulators.clock import SimClock
from adapters.simulators.faces.face import Call, Said, Wire
from adapters.simulators.faces.lambda_cloud import LambdaFace, lambda_host, lambda_world
from adapters.simulators.faces.transport import FaceTransport
from adapters.simulators.machine import SimHost, SimMachine
from adapters.simulators.world import World
from bot.domain.market import LaunchOrder, Machine, Offer, Want
from bot.domain.money import Usd
from tests.support.worlds import START

URL = "https://cloud.lambda.test/api/v1"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJvNEGyhpBtNsGGc0ZsU2nZGx5Zz6zJKvZv3oIlQZj5 k7m2xq-1"
LABEL = "lc-team-k7m2xq-1-20260302T1200Z"
SECOND_LABEL = "lc-team-k7m2xq-2-20260302T1200Z"
A10 = Want(gpu="A10")


class _Noting(LambdaFace):
    """Remembers what was asked of it."""

    def __init__(self, world: World, skew: timedelta) -> None:
        super().__init__(world, skew=skew)
        self.asked: list[Call] = []

    def handle(self, call: Call) -> Said:
        self.asked.append(call)
        return super().handle(call)


class LambdaStage:
    """One account with stock of its own, and providers that talk to it. Pauses of the adapter move the clock."""

    def __init__(self, *hosts: SimHost, skew: timedelta = timedelta(0)) -> None:
        self.clock = SimClock(START)
        self.world = lambda_world(self.clock, *(hosts or (lambda_host(capacity=3),)))
        self.face = _Noting(self.world, skew)
        self.line = FaceTransport(self.face)
        self.paused: list[timedelta] = []
        self._waiting: list[datetime] = []
        self.provider = self.another()

    async def pause(self, length: timedelta) -> None:
        """Whoever wakes first moves the clock, and only so far."""
        self.paused.append(length)
        wake = self.clock.now() + length
        self._waiting.append(wake)
        while self.clock.now() < wake:
            await asyncio.sleep(0)
            if wake == min(self._waiting):
                self.clock.set(max(wake, self.clock.now()))
        self._waiting.remove(wake)

    def another(
        self,
        *,
        key: str = "sim-key",
        url: str = URL,
        ssh_port: int = 22,
        transport: FaceTransport | None = None,
    ) -> LambdaProvider:
        """The same account, seen by a process that has just begun."""
        line = transport or self.line
        return LambdaProvider(
            key=key, clock=self.clock, url=url, ssh_port=ssh_port, transport=line, pause=self.pause
        )

    def order(self, label: str = LABEL, most_hourly: Usd | None = None) -> LaunchOrder:
        """An order under a label."""
        return LaunchOrder(label, PUBLIC_KEY, 20, key_ref="k7m2xq-1", most_hourly=most_hourly)

    async def offer(self, want: Want = A10) -> Offer:
        """The cheapest."""
        return (await self.provider.offers(want))[0]

    async def launched(self, label: str = LABEL) -> str:
        """A machine that was just created; its id on the wire."""
        return await self.provider.launch(await self.offer(), self.order(label))

    async def running(self, label: str = LABEL) -> str:
        """A machine that runs; its id on the wire."""
        machine_id = await self.launched(label)
        self.clock.advance(timedelta(minutes=5))
        return machine_id

    async def seen(self, machine_id: str) -> Machine:
        """The machine as the provider tells it, which must be the same in the list and by itself."""
        machine = await self.provider.inspect(machine_id)
        assert machine is not None
        assert machine in await self.provider.machines()
        return machine

    def sim(self, machine_id: str) -> SimMachine:
        """The world's own machine."""
        machine = self.face.machine(machine_id)
        assert machine is not None
        return machine

    def launches(self) -> list[dict[str, Any]]:
        """The bodies of the launches that were sent, whatever became of them."""
        return [call.json for call in self.face.asked if call.path.endswith("/launch")]

    def odd(self, machine_id: str, **fields: object) -> None:
        """Its row says this instead; ``...`` takes a field away."""
        self.face.rows[self.sim(machine_id).id] = fields

    def refuses(
        self, kind: str, status: int, code: str, message: str = "No.", *, after: bool = False
    ) -> None:
        """The next call of that kind is refused in Lambda's envelope."""
        said = Said(status, {"error": {"code": code, "message": message}})
        self.face.script(kind, said, after=after)

    def fails(self, kind: str, wire: Wire, times: int = -1) -> None:
        """The wire to the vendor breaks for calls of that kind, from now on."""
        self.face.plan(kind, wire, times)
