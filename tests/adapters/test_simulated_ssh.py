"""Simulated machines as our real shell meets them: an SSH server, keys, files, units, and an end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from adapters.shell import Shells
from adapters.simulators.clock import SimClock
from adapters.simulators.machine import Fate, SimHost, SimMachine
from adapters.simulators.ssh_hosts import SshHosts
from adapters.simulators.world import World
from bot.domain.errors import KeyRefused, Unreachable
from bot.domain.market import Access, LaunchOrder
from bot.domain.money import Usd
from bot.ports import UnitJob, UnitState
from tests.support.sshd import KEY_REF, MemoryKeyring, new_key, private_text, public_line
from tests.support.worlds import SECOND, START

BOOT = 90 * SECOND


@dataclass
class Room:
    """A machine in a world, its servers, and a shell with the right key."""

    clock: SimClock
    world: World
    hosts: SshHosts
    shell: Shells
    machine: SimMachine

    @property
    def access(self) -> Access:
        """As an adapter gives it."""
        return Access("ssh", "~/lastcall/one", self.machine.address, self.machine.port, "root", KEY_REF)

    async def pass_time(self, length: timedelta) -> None:
        """Let the world go on, and the servers with it."""
        self.clock.advance(length)
        await self.hosts.look()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A machine that boots in 90 s."""
    key, clock = new_key(), SimClock(START)
    world = World(clock)
    host = world.add_host(SimHost("h", "RTX 3090", Usd.of("0.20")))
    machine = world.put(host, LaunchOrder("label", f"{public_line(key)} {KEY_REF}", 20))
    shell = Shells(MemoryKeyring({KEY_REF: private_text(key), "other": private_text(new_key())}))
    hosts = SshHosts(world, tmp_path / "machines")
    await hosts.look()
    yield Room(clock, world, hosts, shell, machine)
    await shell.close()
    await hosts.__aexit__(None, None, None)


async def test_nobody_answers_before_it_runs_and_a_workdir_below_home_is_made_absolute(
    room: Room, tmp_path: Path
):
    """Refused while it boots; afterwards the key is accepted and ``~`` is the machine's own home."""
    with pytest.raises(Unreachable):
        await room.shell.pin(room.access)
    await room.pass_time(BOOT)
    pinned = await room.shell.pin(room.access)
    assert pinned.workdir == f"{tmp_path}/machines/{room.machine.id}/lastcall/one"
    assert pinned.host_keys


async def test_it_says_what_is_in_it(room: Room):
    """``nvidia-smi`` names the card of its host."""
    await room.pass_time(BOOT)
    pinned = await room.shell.pin(room.access)
    query = ["nvidia-smi", "--query-gpu=index,name", "--format=csv,noheader"]
    ran = await room.shell.run(pinned, query, limit=timedelta(seconds=10))
    assert (ran.exit_code, b"NVIDIA GeForce RTX 3090" in ran.stdout) == (0, True)


async def test_another_key_is_refused_and_told_apart_from_a_closed_port(room: Room):
    """The port is open, and the key is not the one."""
    await room.pass_time(BOOT)
    with pytest.raises(KeyRefused):
        await room.shell.pin(replace(room.access, key_ref="other"))


async def test_a_machine_whose_sshd_never_comes_refuses_for_ever(room: Room):
    """It runs, as far as its vendor is concerned."""
    room.machine.fate = Fate(ssh=None)
    await room.pass_time(BOOT)
    with pytest.raises(Unreachable):
        await room.shell.pin(room.access)


async def test_what_runs_on_a_machine_ends_with_it(room: Room):
    """A detached unit survives the connection and not the machine's end."""
    await room.pass_time(BOOT)
    pinned = await room.shell.pin(room.access)
    await room.shell.start(pinned, "long", UnitJob(("sleep", "300")))
    assert (await room.shell.look(pinned, "long")).state is UnitState.RUNNING
    assert _processes(room.machine.id)
    room.world.destroy(room.machine.id)
    await room.pass_time(SECOND)
    assert not _processes(room.machine.id)
    with pytest.raises(Unreachable):
        await room.shell.pin(room.access)


def _processes(machine: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.environ().get("LASTCALL_SIMULATED") == machine
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
