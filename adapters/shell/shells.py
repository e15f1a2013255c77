"""The one ``Shell`` that the house uses: each access goes to the shell that speaks its kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from adapters.shell.process import ProcessShell
from adapters.shell.ssh import SshShell
from bot.domain.errors import FarSideFailed
from bot.domain.market import Access
from bot.ports import FileDigest, Keyring, Parcel, Ran, TransferProgress, UnitJob, UnitLook


class Shells:
    """``bot.ports.Shell`` for every kind of access (``ssh``, ``process``). Close it at the end."""

    def __init__(
        self, keyring: Keyring, *, ssh: SshShell | None = None, process: ProcessShell | None = None
    ) -> None:
        self._ssh = ssh or SshShell(keyring)
        self._process = process or ProcessShell()

    def _of(self, access: Access) -> SshShell | ProcessShell:
        match access.kind:
            case "ssh":
                return self._ssh
            case "process":
                return self._process
        raise FarSideFailed(f"There is no shell for machines of the kind {access.kind!r}.")

    async def pin(self, access: Access) -> Access:
        return await self._of(access).pin(access)

    async def run(self, access: Access, argv: Sequence[str], *, limit: timedelta, stdin: bytes = b"") -> Ran:
        return await self._of(access).run(access, argv, limit=limit, stdin=stdin)

    async def start(self, access: Access, unit: str, job: UnitJob) -> None:
        await self._of(access).start(access, unit, job)

    async def look(self, access: Access, unit: str, *, offset: int = 0) -> UnitLook:
        return await self._of(access).look(access, unit, offset=offset)

    async def stop(self, access: Access, unit: str, *, grace: timedelta) -> None:
        await self._of(access).stop(access, unit, grace=grace)

    async def send(
        self,
        access: Access,
        parcels: Sequence[Parcel],
        dest: str,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        return await self._of(access).send(access, parcels, dest, progress=progress)

    async def fetch(
        self,
        access: Access,
        patterns: Sequence[str],
        source: str,
        dest: Path,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        return await self._of(access).fetch(access, patterns, source, dest, progress=progress)

    async def close(self) -> None:
        """Close every connection; units go on."""
        await self._ssh.close()
        await self._process.close()
