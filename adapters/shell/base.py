"""A ``Shell`` on top of one thing: a channel to a Python on the machine. What differs is only how that is opened."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.shell import transfer
from adapters.shell.bundle import LOADER
from adapters.shell.conversation import Channel, Conversation
from bot.domain.market import Access
from bot.ports import FileDigest, Parcel, Ran, TransferProgress, UnitJob, UnitLook, UnitState

PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
PATIENCE_S = 30.0
"""Without a sign of life for so long, a short question is given up."""
TRANSFER_PATIENCE_S = 180
"""The same for a transfer, on both sides: a slow disk may take its time over one file."""
ANSWER_SLACK_S = 10.0
"""What the far side gets beyond a command's own limit to say that it was passed."""


def environment(access: Access) -> dict[str, str]:
    """What every command gets on top of the machine's own. ``access.env`` is visible to other users of the
    machine for a moment (it stands in a command line), so it is for labels, never for secrets."""
    return {"PATH": ":".join((*access.path_prepend, *PATH)), "LC_ALL": "C.UTF-8", **access.env}


def helper(access: Access) -> list[str]:
    """The command that every exchange runs. The same each time: requests, names and secrets go over stdin."""
    return [access.python, "-X", "utf8", "-I", "-S", "-c", LOADER, "lastcall-helper"]


class ScriptedShell(ABC):
    """Everything that ``bot.ports.Shell`` promises, given ``_open`` and ``pin``."""

    @abstractmethod
    def _open(self, access: Access) -> AbstractAsyncContextManager[Channel]:
        """Run ``helper(access)`` on the machine in ``environment(access)`` and hang up at the end."""

    @abstractmethod
    def _where(self, access: Access) -> str:
        """The machine in a sentence."""

    @abstractmethod
    async def pin(self, access: Access) -> Access:
        """See ``bot.ports.Shell``."""

    @asynccontextmanager
    async def _ask(
        self, access: Access, verb: str, patience: float, data: bytes = b"", **request: Any
    ) -> AsyncIterator[Conversation]:
        async with self._open(access) as channel:
            talk = Conversation(channel, self._where(access), patience=patience)
            await talk.ask(verb, {"workdir": access.workdir, **request}, data)
            try:
                yield talk
            except (LookupError, TypeError, ValueError) as error:
                raise talk.nonsense() from error

    async def run(self, access: Access, argv: Sequence[str], *, limit: timedelta, stdin: bytes = b"") -> Ran:
        """See ``bot.ports.Shell``. A program that is not there is exit code 127, as in a shell. What the command
        leaves running is killed when it ends."""
        seconds = limit.total_seconds()
        asked = self._ask(
            access, "run", seconds + ANSWER_SLACK_S, stdin, argv=list(argv), limit=seconds, stdin=len(stdin)
        )
        async with asked as talk:
            done = await talk.hear()
            stdout = await talk.take(done["stdout"])
            return Ran(done["exit"], stdout, await talk.take(done["stderr"]))

    async def start(self, access: Access, unit: str, job: UnitJob) -> None:
        """See ``bot.ports.Shell``. Secrets are handed from memory to memory and never written there."""
        request: Mapping[str, Any] = {
            "unit": unit,
            "argv": list(job.argv),
            "cwd": job.cwd,
            "env": dict(job.env),
            "secrets": dict(job.secrets),
            "limit": job.limit.total_seconds() if job.limit is not None else None,
        }
        async with self._ask(access, "start", PATIENCE_S, **request) as talk:
            await talk.hear()

    async def look(self, access: Access, unit: str, *, offset: int = 0) -> UnitLook:
        """See ``bot.ports.Shell``."""
        async with self._ask(access, "look", PATIENCE_S, unit=unit, offset=offset) as talk:
            seen = await talk.hear()
            log = await talk.take(seen["log"])
        state = UnitState(seen["state"])
        return UnitLook(state, seen.get("exit"), log, seen["offset"], seen["size"])

    async def stop(self, access: Access, unit: str, *, grace: timedelta) -> None:
        """See ``bot.ports.Shell``."""
        async with self._ask(access, "stop", PATIENCE_S, unit=unit, grace=grace.total_seconds()) as talk:
            await talk.hear()

    async def send(
        self,
        access: Access,
        parcels: Sequence[Parcel],
        dest: str,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        """See ``bot.ports.Shell``."""
        files = await transfer.announce(parcels)
        asked = self._ask(
            access, "receive", TRANSFER_PATIENCE_S, dest=dest, files=files, silence=TRANSFER_PATIENCE_S
        )
        async with asked as talk:
            return await transfer.send(talk, parcels, files, progress)

    async def fetch(
        self,
        access: Access,
        patterns: Sequence[str],
        source: str,
        dest: Path,
        *,
        progress: TransferProgress | None = None,
    ) -> tuple[FileDigest, ...]:
        """See ``bot.ports.Shell``. A link is followed within the workdir; what leads out is left out."""
        asked = self._ask(access, "emit", TRANSFER_PATIENCE_S, source=source, patterns=list(patterns))
        async with asked as talk:
            return await transfer.fetch(talk, dest, progress)
