"""A whole bot on one simulated cloud: the real adapter over the vendor's own dialect, on a passed clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from adapters.providers.lambda_cloud import LambdaProvider
from adapters.providers.runpod import RunpodProvider
from adapters.providers.vast import VastProvider
from adapters.simulators.clock import SimClock, SimIds
from adapters.simulators.faces.face import Face
from adapters.simulators.faces.lambda_cloud import LAMBDA_TARIFF, LambdaFace, lambda_host
from adapters.simulators.faces.runpod import RUNPOD_TARIFF, RunpodFace
from adapters.simulators.faces.transport import FaceTransport
from adapters.simulators.faces.vast import VAST_TARIFF, VastFace
from adapters.simulators.machine import Fate, SimHost, Tariff
from adapters.simulators.shell import WorldShell
from adapters.simulators.world import World
from bot.commands.desk import Desk
from bot.commands.house import House, Terms
from bot.domain.money import Usd
from bot.domain.rental import Rental
from bot.domain.talk import Actor, Channel, Reply, Request
from bot.lifecycle.engine import Engine
from bot.lifecycle.hands import Hands, Limits
from bot.lifecycle.heartbeat import Heart
from bot.lifecycle.line import LaunchLine
from bot.lifecycle.purse import Purse
from bot.lifecycle.sweep import EVERY, Sweep
from bot.lifecycle.watch import Watch
from bot.ports import Provider
from bot.store import Store
from bot.store.session import migrate, open_database
from tests.support.quick_sqlite import quicken
from tests.support.runpod import runpod_host
from tests.support.town import shipped
from tests.support.vast import vast_host
from tests.support.worlds import MINUTE, SECOND, START

Pause = Callable[[timedelta], Awaitable[None]]
ANN = Actor("sim", "acme", "ann", "ann")
HERE = Channel("sim", "general")
KEY = b"3J0mLk1wTzqgKc0gqv9o3mWn0m3z5n8wG7bq0m1c2eA="
API_KEY = "sim-key-of-the-tests"
NAMESPACE = "test"


@dataclass(frozen=True)
class Vendor:
    """One vendor's dialect, its way to bill, its market, and our adapter."""

    name: str
    gpu: str
    face: type[Face]
    tariff: Tariff
    hosts: Callable[[], list[SimHost]]
    adapter: Callable[[SimClock, httpx.AsyncBaseTransport, Pause], Provider]


VENDORS = {
    "vast": Vendor(
        "vast",
        "3090",
        VastFace,
        VAST_TARIFF,
        lambda: [vast_host(f"h{number}", capacity=400) for number in range(6)],
        lambda clock, line, pause: VastProvider(
            key=API_KEY, url="https://vast.test", clock=clock, transport=line, pause=pause
        ),
    ),
    "runpod": Vendor(
        "runpod",
        "3090",
        RunpodFace,
        RUNPOD_TARIFF,
        lambda: [
            runpod_host(f"h{number}", capacity=400, extra={"dc": centre})
            for number, centre in enumerate(
                ("EU-SE-1", "EU-RO-1", "US-TX-3", "US-KS-2", "CA-MTL-1", "EUR-IS-1")
            )
        ],
        lambda clock, line, pause: RunpodProvider(
            key=API_KEY,
            url="https://runpod.test/v2",
            graphql_url="https://runpod.test/graphql",
            clock=clock,
            transport=line,
            pause=pause,
            patience=timedelta(milliseconds=20),
        ),
    ),
    "lambda": Vendor(
        "lambda",
        "a10",
        LambdaFace,
        LAMBDA_TARIFF,
        lambda: [
            lambda_host(region=region, capacity=400)
            for region in ("us-west-1", "us-east-1", "europe-central-1", "us-south-1")
        ],
        lambda clock, line, pause: LambdaProvider(
            key=API_KEY, url="https://lambda.test/api/v1", clock=clock, transport=line, pause=pause
        ),
    ),
}


@dataclass
class CloudTown:
    """One deployment on one vendor. Time passes only in ``run_until``, and in the adapter's own pauses."""

    vendor: Vendor
    store: Store
    folder: Path
    seed: int = 0
    skew: timedelta = timedelta(0)
    asked: int = 0
    next_sweep: datetime = field(default=START)

    def __post_init__(self) -> None:
        self.clock = SimClock(START)
        self.world = World(self.clock, self.seed, tariff=self.vendor.tariff, balance=Usd.of(100_000))
        self.world.usual = Fate(boot=90 * SECOND)
        for host in self.vendor.hosts():
            self.world.add_host(host)
        self.face = self.vendor.face(self.world, key=API_KEY, skew=self.skew)
        self.line = FaceTransport(self.face)
        self.provider = self.vendor.adapter(self.clock, self.line, self.pause)
        self.shell = WorldShell(self.world)
        self.ids = SimIds(self.seed)
        self.again()

    async def pause(self, length: timedelta) -> None:
        # Those who wait at the same time wait for the same time to pass.
        until = self.clock.now() + length
        await asyncio.sleep(0)
        if self.clock.now() < until:
            self.clock.set(until)

    def again(self) -> None:
        """A new process on the same rows and the same account."""
        providers = {self.provider.name: self.provider}
        hands = Hands(
            clock=self.clock,
            ids=self.ids,
            store=self.store,
            providers=providers,
            shell=self.shell,
            watch=Watch(providers, self.clock),
            line=LaunchLine(providers),
            recipes=shipped(),
            results=self.folder / "results",
            limits=Limits(max_lifetime=timedelta(hours=24), auto_confirm=Usd.of(1000)),
            heart=Heart(),
        )
        house = House(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            providers=providers,
            profiles=[self.provider.profile],
            recipes=shipped(),
            shell=self.shell,
            namespace=NAMESPACE,
            data=self.folder,
            terms=Terms(Usd.of(50), timedelta(hours=4), timedelta(hours=24)),
        )
        self.engine, self.desk = Engine(hands), Desk(house)
        self.sweep, self.purse = Sweep(hands, NAMESPACE), Purse(hands)

    async def ask(self, text: str) -> Reply:
        """Type a line."""
        self.asked += 1
        return await self.desk.handle(
            Request(
                ANN,
                HERE,
                text,
                f"request-{self.seed}-{self.asked}",
                self.clock.now(),
                folder=str(self.folder),
            )
        )

    async def rental(self, id: str) -> Rental:
        """As the store has it."""
        found = await self.store.rentals.get(id)
        assert found is not None
        return found

    async def run_until(self, end: datetime, *, stop: Callable[[], Awaitable[bool]] | None = None) -> bool:
        """Let engine and sweep work until the moment ``end``, or until ``stop`` says so (then True)."""
        while self.clock.now() < end:
            while await self.engine.run_due():
                pass
            if self.clock.now() >= self.next_sweep:
                self.next_sweep = self.clock.now() + EVERY
                await self.sweep.tick()
                await self.purse.tick()
                continue
            if stop is not None and await stop():
                return True
            wake = await self.store.claims.next_wake()
            now = self.clock.now()
            moments = [end, self.next_sweep, *([wake] if wake else [])]
            self.clock.set(max(now + timedelta(milliseconds=1), min(one for one in moments if one > now)))
        return False

    async def closes(self, id: str, within: timedelta) -> bool:
        """Whether it is proven closed in time."""

        async def closed() -> bool:
            return (await self.rental(id)).closed_at is not None

        return await self.run_until(self.clock.now() + within, stop=closed)

    def ours(self) -> list[str]:
        """Machines of our namespace that are billed now."""
        return [one.id for one in self.world.alive() if one.label.startswith(f"lc-{NAMESPACE}-")]


@asynccontextmanager
async def founded(vendor: str, folder: Path, *, seed: int = 0, **town: Any) -> AsyncIterator[CloudTown]:
    """A town on a database of its own."""
    engine = quicken(open_database(f"sqlite+aiosqlite:///{folder / 'lastcall.db'}"))
    await migrate(engine)
    store = Store(engine, lambda: KEY, folder / "keys")
    try:
        yield CloudTown(VENDORS[vendor], store, folder, seed=seed, **town)
    finally:
        await store.close()


__all__ = ["MINUTE", "SECOND", "VENDORS", "CloudTown", "Vendor", "founded"]
