"""The ways into a machine that the shell's promises are held against: processes here, and SSH to two servers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.shell import ProcessShell, SshShell
from bot.domain.market import Access
from tests.support.sshd import BANNER, OwnSshd, RealSshd, find_sshd

KINDS = ("process", "asyncssh", "openssh")
SSH_KINDS = KINDS[1:]


@dataclass
class Way:
    """A machine whose folder is ``folder`` here, the access to it, and a shell that speaks it."""

    shell: ProcessShell | SshShell
    access: Access
    folder: Path
    host: OwnSshd | RealSshd | None = None
    """None where there is no connection that could be cut."""


@contextlib.asynccontextmanager
async def open_host(kind: str, folder: Path, *, banner: str = "") -> AsyncIterator[OwnSshd | RealSshd]:
    """A server of that kind; the test is skipped where its program is not installed."""
    if kind == "asyncssh":
        async with OwnSshd(banner=banner) as own:
            yield own
        return
    if find_sshd() is None:
        pytest.skip("OpenSSH's sshd is not installed")
    async with RealSshd(folder, banner=banner) as real:
        yield real


@contextlib.asynccontextmanager
async def open_way(kind: str, folder: Path, *, banner: str = BANNER, **access: Any) -> AsyncIterator[Way]:
    """A way of that kind to a machine whose folder is ``folder/machine``."""
    machine = folder / "machine"
    machine.mkdir()
    settings = {"env": {"LASTCALL_MACHINE": "lc-test"}, **access}
    if kind == "process":
        yield Way(ProcessShell(), Access("process", str(machine), **settings), machine)
        return
    async with open_host(kind, folder / "sshd", banner=banner) as host:
        shell = SshShell(host.keyring())
        try:
            yield Way(shell, host.access(machine, **settings), machine, host)
        finally:
            await shell.close()
