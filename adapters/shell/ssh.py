"""The shell of rented machines: the helper over one SSH channel per call, connections kept between calls."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import asyncssh

from adapters.shell.base import PATH, ScriptedShell, environment, helper
from adapters.shell.connect import Limits, connect, explain
from adapters.shell.conversation import Channel
from adapters.shell.far.words import CHUNK
from adapters.shell.hostkeys import line_of
from bot.domain.errors import Unreachable
from bot.domain.market import Access
from bot.ports import Keyring

WINDOW = 16 * 1024 * 1024
"""Bytes that may be on the way to us: a long line carries one window per round trip."""
CHANNELS = 8
"""At once per connection; OpenSSH allows 10."""
HANGUP_S = 5.0

_Key = tuple[str, int, str, str, tuple[str, ...]]


class _Line:
    """A connection that is shared: opened by the first who needs it, closed when nobody did for a while."""

    def __init__(self) -> None:
        self.connecting = asyncio.Lock()
        self.channels = asyncio.Semaphore(CHANNELS)
        self.connection: asyncssh.SSHClientConnection | None = None
        self.users = 0
        self.idle: asyncio.TimerHandle | None = None

    def hang_up(self) -> None:
        """Drop the connection; the next user opens another."""
        if self.connection is not None:
            self.connection.abort()
            self.connection = None


class _SshChannel:
    """One command over one channel."""

    def __init__(self, where: str, streams: tuple[Any, Any, Any]) -> None:
        self._where = where
        self._in: asyncssh.SSHWriter[bytes] = streams[0]
        self._out: asyncssh.SSHReader[bytes] = streams[1]
        self._err: asyncssh.SSHReader[bytes] = streams[2]
        self._said: deque[bytes] = deque(maxlen=16)
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        with suppress(asyncssh.Error, OSError):
            while data := await self._err.read(1024):
                self._said.append(data)

    async def read(self) -> bytes:
        try:
            return await self._out.read(CHUNK)
        except (asyncssh.Error, OSError) as error:
            raise explain(error, self._where) from error

    async def write(self, data: bytes) -> None:
        try:
            self._in.write(data)
            await self._in.drain()
        except (asyncssh.Error, OSError) as error:
            raise explain(error, self._where) from error

    async def exit_code(self) -> int | None:
        with suppress(TimeoutError, asyncssh.Error, OSError):
            await asyncio.wait_for(self._in.channel.wait_closed(), HANGUP_S)
        code: int | None = self._in.channel.get_returncode()  # type: ignore[attr-defined]  # a client's channel
        if code is not None:
            await asyncio.wait({self._listener}, timeout=HANGUP_S)
        return code if code is None or code >= 0 else 128 - code

    def stderr(self) -> str:
        return b"".join(self._said).decode("utf-8", "replace")

    async def close(self) -> None:
        # Not waited for: a machine that is gone would not answer, and the helper ends when its stdin does.
        self._listener.cancel()
        self._in.channel.abort()


class SshShell(ScriptedShell):
    """Commands, units and files on machines that are reached by SSH. Private keys come from ``keyring`` by
    ``access.key_ref``; where that is empty, the operator's own SSH configuration, agent and keys are used."""

    def __init__(self, keyring: Keyring, *, limits: Limits = Limits()) -> None:  # noqa: B008 - a frozen value
        self._keyring = keyring
        self._limits = limits
        self._lines: dict[_Key, _Line] = {}

    def _where(self, access: Access) -> str:
        return f"{access.host}:{access.port}"

    async def pin(self, access: Access) -> Access:
        """See ``bot.ports.Shell``. Always a new connection: it shows who answers now."""
        connection = await connect(access, self._keyring, self._limits, may_trust_first=True)
        try:
            key = connection.get_server_host_key()
            if key is None:
                raise Unreachable(f"{self._where(access)} showed no host key.")
            home = await self._home(access, connection) if access.workdir.startswith("~/") else ""
        finally:
            connection.abort()
        if home:
            access = replace(access, workdir=home + access.workdir[1:])
        return access if access.host_keys else replace(access, host_keys=(line_of(key),))

    async def _home(self, access: Access, connection: asyncssh.SSHClientConnection) -> str:
        """The user's home over there, whatever a banner says before it; the workdir is made on the way."""
        folder = shlex.quote(access.workdir.removeprefix("~/"))
        command = f"cd && umask 077 && mkdir -p -- {folder} && printf '\\n%s%s\\n' lastcall-home= \"$HOME\""
        try:
            async with asyncio.timeout(self._limits.login.total_seconds()):
                done = await connection.run(command, encoding="utf-8")
        except TimeoutError:
            raise Unreachable(f"{self._where(access)} did not run a command in time.") from None
        except (asyncssh.Error, OSError) as error:
            raise explain(error, self._where(access)) from error
        found = re.search(r"^lastcall-home=(/.*)$", str(done.stdout), re.MULTILINE)
        if found is None:
            raise Unreachable(f"{self._where(access)} runs no commands.")
        return found[1].rstrip("/")

    async def close(self) -> None:
        """Close every connection."""
        lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            if line.idle is not None:
                line.idle.cancel()
            line.hang_up()

    @asynccontextmanager
    async def _open(self, access: Access) -> AsyncIterator[Channel]:
        key = (access.host, access.port, access.user, access.key_ref, access.host_keys)
        line = self._lines.setdefault(key, _Line())
        if line.idle is not None:
            line.idle.cancel()
        line.users += 1
        try:
            async with line.channels:
                channel = await self._channel(access, line)
                try:
                    yield channel
                finally:
                    await channel.close()
        finally:
            line.users -= 1
            if not line.users:
                loop = asyncio.get_running_loop()
                line.idle = loop.call_later(self._limits.idle.total_seconds(), self._retire, key, line)

    def _retire(self, key: _Key, line: _Line) -> None:
        if not line.users:
            line.hang_up()
            self._lines.pop(key, None)

    async def _channel(self, access: Access, line: _Line) -> _SshChannel:
        """A channel on the kept connection; when that turns out to be dead, on a new one. Nothing has been asked
        of the machine by then, so that nothing is done twice."""
        where, command = self._where(access), _command(access)
        kept = line.connection
        connection = await self._connected(access, line)
        try:
            return await self._start(where, line, connection, command)
        except Unreachable:
            if connection is not kept:
                raise
        return await self._start(where, line, await self._connected(access, line), command)

    async def _connected(self, access: Access, line: _Line) -> asyncssh.SSHClientConnection:
        async with line.connecting:
            if line.connection is None or line.connection.is_closed():
                line.connection = await connect(access, self._keyring, self._limits)
            return line.connection

    async def _start(
        self, where: str, line: _Line, connection: asyncssh.SSHClientConnection, command: str
    ) -> _SshChannel:
        seconds = self._limits.login.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                streams = await connection.open_session(
                    command, encoding=None, request_pty=False, window=WINDOW, env=None, send_env=None
                )
            return _SshChannel(where, streams)
        except TimeoutError:
            line.hang_up()
            raise Unreachable(f"{where} did not start a command within {seconds:g} s.") from None
        except (asyncssh.Error, OSError) as error:
            if not isinstance(error, asyncssh.ChannelOpenError) and line.connection is connection:
                line.hang_up()
            raise explain(error, where) from error


def _command(access: Access) -> str:
    """One line for the login shell over there, whichever it is: it only starts our helper in our environment."""
    ours = environment(access)
    settings = [f"{name}={value}" for name, value in ours.items() if name != "PATH"]
    before = (
        shlex.quote("".join(f"{folder}:" for folder in access.path_prepend)) if access.path_prepend else ""
    )
    # The machine's own PATH counts, too: images keep Python and nvidia-smi in places of their own. It is said twice
    # since a Python that is a shim (pyenv) changes PATH on its way; the helper puts it right.
    path = f'{before}"$PATH":{":".join(PATH)}'
    return f"exec /usr/bin/env PATH={path} LASTCALL_PATH={path} " + shlex.join([*settings, *helper(access)])
