"""The providers that keep the port's promises, each with a way to take its vendor away: a new one is one more line.

A stand is a provider that is ready to rent, with nothing rented. What differs between providers is told by values, so
that no promise has to ask for a name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from adapters.providers.local import LocalProvider, this_computer
from adapters.providers.local.far import machines
from adapters.providers.local.host import Host
from adapters.shell import Shells
from adapters.simulators.clock import SimClock
from adapters.simulators.machine import SimHost
from adapters.simulators.provider import WorldProvider
from adapters.simulators.world import World
from bot.domain.errors import Unreachable
from bot.domain.market import Access, Want
from bot.domain.money import Usd
from bot.ports import Provider, Ran
from tests.contracts.lambda_cloud_stand import simulated_lambda
from tests.contracts.runpod_stand import simulated_runpod
from tests.contracts.vast_stand import simulated_vast
from tests.support.sshd import KEY_REF, MemoryKeyring, RealSshd, find_sshd
from tests.support.worlds import SECOND, START, WorldLine

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJvNEGyhpBtNsGGc0ZsU2nZGx5Zz6zJKvZv3oIlQZj5"


class Line(Protocol):
    """The line to the vendor."""

    cut: bool
    """Nothing gets through."""
    deaf: bool
    """What we ask is done, and the answer is lost."""


@dataclass(frozen=True)
class Stand:
    """A provider under test. ``again`` is the same account seen by a process that has just started."""

    provider: Provider
    again: Callable[[], Provider]
    line: Line
    want: Want
    """Something that is surely on offer."""
    key_ref: str = "key-7"
    """The key that opens a machine which was ordered with ``key-7``."""
    impossible: Want = field(default_factory=lambda: Want(gpu="RTX 3090", count=64))
    exclusive: bool = True
    """What was taken cannot be had a second time."""
    becomes: timedelta = timedelta(seconds=20)
    """Time within which a launched machine runs, and a destroyed one is gone."""
    step: Callable[[], object] = lambda: None
    """Lets a little time pass in the vendor's world, where that has a clock of its own."""


Make = Callable[[Path], AbstractAsyncContextManager[Stand]]


class BreakableShell(Shells):
    """The house's shell with a line that can be cut."""

    def __init__(self, keyring: MemoryKeyring) -> None:
        super().__init__(keyring)
        self.cut = False
        self.deaf = False

    async def run(self, access: Access, argv: Sequence[str], *, limit: timedelta, stdin: bytes = b"") -> Ran:
        if self.cut:
            raise Unreachable("The line is cut.")
        ran = await super().run(access, argv, limit=limit, stdin=stdin)
        if self.deaf:
            raise Unreachable("The line was cut in the middle.")
        return ran


@asynccontextmanager
async def _stand(
    shell: BreakableShell, provider: Callable[[], LocalProvider], data: Path, key_ref: str = "key-7"
) -> AsyncIterator[Stand]:
    yield Stand(provider(), provider, shell, Want(cpu_ok=True, disk_gb=1), key_ref=key_ref)
    await shell.close()
    for left in machines.everything(data / "machines"):
        machines.destroy(data / "machines", data / "locks", left["label"])


def _no_tools(folder: Path) -> str:
    """A search path on which no GPU is found, whatever this computer has."""
    tools = folder / "no-gpu-tools"
    tools.mkdir()
    return str(tools)


def _needs_sshd() -> None:
    if find_sshd() is None:
        pytest.skip("OpenSSH's sshd is not installed")


@asynccontextmanager
async def _this_computer(folder: Path, way_in: str) -> AsyncIterator[Stand]:
    shell, tools = BreakableShell(MemoryKeyring({})), _no_tools(folder)
    make = partial(this_computer, shell, data_dir=folder / "data", way_in=way_in, tools=tools)
    async with _stand(shell, make, folder / "data") as stand:
        yield stand


@asynccontextmanager
async def local_over_process(folder: Path) -> AsyncIterator[Stand]:
    """This computer, entered directly."""
    async with _this_computer(folder, "process") as stand:
        yield stand


@asynccontextmanager
async def local_over_sshd(folder: Path) -> AsyncIterator[Stand]:
    """This computer, each machine with its own sshd."""
    _needs_sshd()
    async with _this_computer(folder, "ssh") as stand:
        yield stand


@asynccontextmanager
async def local_on_a_workstation(folder: Path) -> AsyncIterator[Stand]:
    """A computer reached by SSH."""
    _needs_sshd()
    tools, data = _no_tools(folder), folder / "data"
    async with RealSshd(folder / "sshd") as computer:
        shell = BreakableShell(computer.keyring())
        host = Host(
            computer.access(Path("/")),
            shell,
            title="ws1",
            root=f"{folder}/machines",
            locks=f"{folder}/locks",
            tools=tools,
        )
        make = partial(LocalProvider, "local/ws1", host, way_in="host")
        async with _stand(shell, make, data, key_ref=KEY_REF) as stand:
            yield stand


@asynccontextmanager
async def simulated_world(folder: Path) -> AsyncIterator[Stand]:
    """The world that crash tests and journeys stand on, without a lag."""
    clock = SimClock(START)
    world = World(clock)
    world.add_host(SimHost("h", "RTX 3090", Usd.of("0.20")))
    provider = partial(WorldProvider, world)
    yield Stand(provider(), provider, WorldLine(world), Want(), step=lambda: clock.advance(30 * SECOND))


PROVIDERS: tuple[Make, ...] = (
    simulated_world,
    local_over_process,
    local_over_sshd,
    local_on_a_workstation,
    simulated_lambda,
    simulated_runpod,
    simulated_vast,
)
