"""The shell of the bot's own computer: the same helper, run as a process in place of over SSH."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from adapters.shell.base import ScriptedShell, environment, helper
from adapters.shell.conversation import Channel
from adapters.shell.far.words import CHUNK
from bot.domain.errors import FarSideFailed, Unreachable
from bot.domain.inherited import KEPT
from bot.domain.market import Access

HANGUP_S = 1.0
"""What the helper gets to end what it does after we hung up, before it is killed."""


class _Pipes:
    """A child's three pipes as a channel."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        self._child = child
        self._in, self._out, self._err = child.stdin, child.stdout, child.stderr
        self._said: deque[bytes] = deque(maxlen=16)
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while data := await self._err.read(1024):
            self._said.append(data)

    async def read(self) -> bytes:
        return await self._out.read(CHUNK)

    async def write(self, data: bytes) -> None:
        try:
            self._in.write(data)
            await self._in.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Unreachable("The helper on this computer ended in the middle.") from error

    async def exit_code(self) -> int | None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._child.wait(), HANGUP_S)
        code = self._child.returncode
        if code is not None:
            await asyncio.wait({self._listener}, timeout=HANGUP_S)
        return code if code is None or code >= 0 else 128 - code

    def stderr(self) -> str:
        return b"".join(self._said).decode("utf-8", "replace")

    async def close(self) -> None:
        self._in.close()
        try:
            async with asyncio.timeout(HANGUP_S):
                # Read on: a helper that waits for room on its stdout does not notice that stdin has ended.
                while await self._out.read(CHUNK):
                    pass
                await self._child.wait()
        except TimeoutError:
            pass
        finally:
            # Kills the helper if it is still there. Only the transport can close pipes that nobody reads to the end.
            self._child._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
            self._listener.cancel()


class ProcessShell(ScriptedShell):
    """Commands, units and files on this computer, in ``access.workdir``. ``kept`` names the variables of the bot's
    environment that commands may see."""

    def __init__(self, *, kept: Sequence[str] = KEPT) -> None:
        self._kept = tuple(kept)

    def _where(self, access: Access) -> str:
        return "this computer"

    @asynccontextmanager
    async def _open(self, access: Access) -> AsyncIterator[Channel]:
        inherited = {name: os.environ[name] for name in self._kept if name in os.environ}
        try:
            child = await asyncio.create_subprocess_exec(
                *helper(access),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**inherited, **environment(access)},
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            raise FarSideFailed(
                f"There is no Python at {access.python} on this computer.", kind="missing"
            ) from error
        pipes = _Pipes(child)
        try:
            yield pipes
        finally:
            await pipes.close()

    async def pin(self, access: Access) -> Access:
        """Nobody can stand in between; proves that the helper runs."""
        await self.run(access, ["true"], limit=timedelta(seconds=10))
        return access

    async def close(self) -> None:
        """Nothing is held between calls."""
