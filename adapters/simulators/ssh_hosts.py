"""Real SSH servers for simulated machines: whoever logs in runs real commands in a folder of this computer.

A machine of a world gets a server on loopback while it runs there, lets in the keys that the vendor was given, and
loses everything that runs on it when it stops or is destroyed. A stand-in for ``nvidia-smi`` says what is in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

from adapters.simulators.machine import SimMachine
from adapters.simulators.probe import gpu_lines
from adapters.simulators.strays import end_all
from adapters.simulators.world import World
from bot.domain.market import MachineState

_LOOK_S = 0.05
_MARK = "LASTCALL_SIMULATED"
_QUERY = "--query-gpu"


class SshHosts:
    """The servers of all machines of one world; machines have their home below ``folder``."""

    def __init__(self, world: World, folder: Path, *, port: int = 0) -> None:
        """``port``: every machine answers there, each at a loopback address of its own (Linux has many); 0: each has
        a port of its own at 127.0.0.1."""
        self._world = world
        self._folder = folder
        self._port = port
        self._up: dict[str, asyncssh.SSHAcceptor] = {}
        self._addresses = _loopback()
        self._known: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="simulated SSH hosts")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for machine in self._world.ever():
            await self._down(machine)

    async def _keep(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Start and stop servers as the world's clock says."""
        now = self._world.clock.now()
        for machine in self._world.ever():
            span, late = machine.span(now), machine.fate.ssh
            if machine.id not in self._known:
                self._known.add(machine.id)
                machine.address, machine.port = self._place()
            answers = (
                span is not None
                and span.state(now) is MachineState.RUNNING
                and span.running_at is not None
                and late is not None
                and now >= span.running_at + late
            )
            if answers and machine.id not in self._up:
                await self._start(machine)
            elif not answers and machine.id in self._up:
                await self._down(machine)

    def _place(self) -> tuple[str, int]:
        if self._port:
            return (next(self._addresses) if sys.platform == "linux" else "127.0.0.1"), self._port
        return "127.0.0.1", free_port()

    async def _start(self, machine: SimMachine) -> None:
        home = self._folder / machine.id
        await asyncio.to_thread(_furnish, home, machine)
        server = await asyncssh.create_server(
            lambda: _Server(machine),
            machine.address,
            machine.port,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            process_factory=lambda process: _run(process, home, machine),
            encoding=None,
            reuse_address=True,
        )
        self._up[machine.id] = server

    async def _down(self, machine: SimMachine) -> None:
        server = self._up.pop(machine.id, None)
        if server is None:
            return
        server.close()
        home = self._folder / machine.id
        await asyncio.to_thread(end_all, f"{_MARK}={machine.id}", str(home))
        await asyncio.to_thread(shutil.rmtree, home, True)


class _Server(asyncssh.SSHServer):
    """Any user, and the keys that the vendor was given for this machine."""

    def __init__(self, machine: SimMachine) -> None:
        self._machine = machine

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        if not self._machine.fate.key:
            return False
        offered = key.export_public_key("openssh").decode().split()[:2]
        return any(line.split()[:2] == offered for line in (self._machine.public_key, *self._machine.keys))


async def _run(process: asyncssh.SSHServerProcess[bytes], home: Path, machine: SimMachine) -> None:
    """One command, in a session of its own: a cut connection does not end what it left behind."""
    pipe = asyncio.subprocess.PIPE
    command = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        process.command or "true",
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        cwd=home,
        env=_environment(home, machine),
        start_new_session=True,
    )
    assert command.stdin is not None
    assert command.stdout is not None
    assert command.stderr is not None
    inward = asyncio.create_task(_pump(process.stdin, command.stdin))
    await asyncio.gather(_pump(command.stdout, process.stdout), _pump(command.stderr, process.stderr))
    code = await command.wait()
    inward.cancel()
    await asyncio.wait({inward})
    with contextlib.suppress(OSError):
        process.exit(code)


async def _pump(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError, asyncssh.Error, ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError, asyncssh.Error, AttributeError):
        if isinstance(sink, asyncio.StreamWriter):
            sink.close()


def _environment(home: Path, machine: SimMachine) -> dict[str, str]:
    """What a fresh container would have; our Python comes first, since it has what the demo's trainer needs. The
    vendor's part is here as well, since our processes have no container whose first process could be asked."""
    path = os.pathsep.join(
        (f"{home}/bin", str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
    )
    return {
        "HOME": str(home),
        "PATH": path,
        "USER": "root",
        "LANG": "C.UTF-8",
        **machine.env,
        _MARK: machine.id,
    }


def _furnish(home: Path, machine: SimMachine) -> None:
    """A home, and an ``nvidia-smi`` that says what is really in the machine."""
    tools = home / "bin"
    tools.mkdir(mode=0o700, parents=True, exist_ok=True)
    if machine.host.cpu_only:
        return
    lines = shlex.quote("\n".join(gpu_lines(machine)))
    script = f'#!/bin/sh\ncase "$*" in *{_QUERY}*) printf "%s\\n" {lines};; *) echo "| CUDA Version: 13.0 |";; esac\n'
    smi = tools / "nvidia-smi"
    smi.write_text(script)
    smi.chmod(0o755)


def _loopback() -> Iterator[str]:
    for third, fourth in itertools.product(range(1, 255), range(1, 255)):
        yield f"127.77.{third}.{fourth}"


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
