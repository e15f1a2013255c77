"""The demo's stage: three simulated clouds on loopback, with real HTTP, real SSH and meters of their own.

What happens there is arranged: an offer that vanishes at the launch, a machine that is another card than it says.
The clock runs faster than the world's; nothing is paid.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from adapters.clock import FastClock, SystemClock
from adapters.simulators.faces.face import Face
from adapters.simulators.faces.lambda_cloud import LambdaFace, lambda_host, lambda_world
from adapters.simulators.faces.runpod import CONTAINER_DISK_MONTH, RUNPOD_TARIFF, RunpodFace
from adapters.simulators.faces.server import FaceServer
from adapters.simulators.faces.vast import VAST_TARIFF, VastFace
from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.machine import Fate, SimHost
from adapters.simulators.ssh_hosts import SshHosts, free_port
from adapters.simulators.world import World
from bot.domain.money import Usd
from bot.ports import Clock
from bot.settings import Settings
from bot.store import Store
from bot.store.vault import deployment_key

SPEED = 10
TRAININGS = (
    "train tiny-lora quick on local",
    "train tiny-lora quick on vast 3090 for 30m",
    "train tiny-lora quick on runpod 4090 for 30m",
)
BY_HAND = "up lambda a10 for 4m"
"""What is rented in the demo, in order."""
_KEY = "simulated-key"
_BOOT = timedelta(seconds=40)
_CREDIT = Usd.of(25)


@dataclass(frozen=True, slots=True)
class Metered:
    """What a simulated vendor's own books say."""

    vendor: str
    machines: int
    """That were ever created there."""
    running: int
    billed: Usd


class Stage:
    """Begun and ended with ``async with``; in between ``settings`` points a bot at it."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self.speed = SPEED
        self.clock: Clock = FastClock(SPEED, start)
        self._folder = folder
        self._worlds = {
            "Vast.ai": _vast(self.clock),
            "RunPod": _runpod(self.clock),
            "Lambda": _lambda(self.clock),
        }
        self._lambda_port = free_port()
        self._urls: dict[str, str] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for vendor, world in self._worlds.items():
            face: Face = _FACES[vendor](world, key=_KEY)
            server = await self._open.enter_async_context(FaceServer(face))
            self._urls[vendor] = server.url
            # Lambda tells an address and no port: all its machines answer at one.
            port = self._lambda_port if vendor == "Lambda" else 0
            hosts = SshHosts(world, self._folder / "simulated" / vendor.lower(), port=port)
            await self._open.enter_async_context(hosts)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def settings(self, own: Settings) -> Settings:
        """The same with the simulated clouds instead of real ones, in a data folder of the demo's own."""
        key = SecretStr(_KEY)
        return own.model_copy(
            update={
                "data_dir": self._folder,
                "database_url": "",
                "vast_api_key": key,
                "vast_api_url": self._urls["Vast.ai"],
                "runpod_api_key": key,
                "runpod_api_url": f"{self._urls['RunPod']}/v2",
                "runpod_graphql_url": f"{self._urls['RunPod']}/graphql",
                "lambda_api_key": key,
                "lambda_api_url": f"{self._urls['Lambda']}/api/v1",
                "lambda_ssh_port": self._lambda_port,
            }
        )

    def meters(self) -> tuple[Metered, ...]:
        """The books of all three, now."""
        return tuple(
            Metered(vendor, len(world.ever()), len(world.alive()), world.bill())
            for vendor, world in self._worlds.items()
        )


_FACES = {"Vast.ai": VastFace, "RunPod": RunpodFace, "Lambda": LambdaFace}


async def stage(own: Settings) -> Stage:
    """A stage whose clock goes on where that of the last demo stopped: its rows must not lie in the future."""
    folder = own.data / "demo"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = SystemClock().now()
    if not (folder / "lastcall.db").exists():
        return Stage(folder, now)
    url = own.model_copy(update={"data_dir": folder, "database_url": ""}).database
    store = await Store.open(url, deployment_key(own.secret_key, folder), folder / "keys")
    try:
        last = await store.journal.lines(limit=1)
    finally:
        await store.close()
    return Stage(folder, max([now, *(line.at + timedelta(minutes=1) for line in last)]))


def _vast(clock: Clock) -> World:
    """Two hosts at one price; the first is taken by somebody else at the moment it is rented."""
    world = World(clock, tariff=VAST_TARIFF, balance=_CREDIT)
    world.usual = Fate(boot=_BOOT)
    for name, city in (("44102", "Stockholm"), ("51733", "Oslo")):
        world.add_host(
            SimHost(
                name,
                "RTX 3090",
                Usd.of("0.20"),
                where=city,
                disk_month=Usd.of("0.15"),
                traffic_per_gb=Usd.of("0.02"),
            )
        )
    world.add_host(SimHost("60218", "RTX 4090", Usd.of("0.36"), where="Stockholm", disk_month=Usd.of("0.15")))
    world.plan("launch", Fault(FaultKind.NO_CAPACITY, reason="somebody else took it"))
    return world


def _runpod(clock: Clock) -> World:
    """The first pod has another card than was promised."""
    world = World(clock, tariff=RUNPOD_TARIFF, balance=_CREDIT)
    world.usual = Fate(boot=_BOOT)
    world.fates.append(Fate(boot=_BOOT, real_gpu="RTX 3090"))
    world.add_host(SimHost("one", "RTX 4090", Usd.of("0.34"), capacity=4, disk_month=CONTAINER_DISK_MONTH))
    return world


def _lambda(clock: Clock) -> World:
    world = lambda_world(clock, lambda_host(capacity=2))
    world.usual = Fate(boot=_BOOT)
    return world
