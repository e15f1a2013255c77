"""SSH servers for tests, on loopback ports of their own: OpenSSH's sshd, one made of asyncssh, and two bad ports.

Both real servers run commands as processes of this computer and can be cut, banner-ridden and given another key.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, Protocol, Self

import asyncssh

from bot.domain.market import Access

KEY_REF = "rental"
BANNER = "Welcome to cheap-gpus! You have 1 new message.\nNo newline after this: "
"""What some hosts print on stdout before every command."""


class MemoryKeyring:
    """A ``Keyring`` of plain words."""

    def __init__(self, keys: dict[str, str]) -> None:
        self.keys = keys

    async def private_key(self, ref: str) -> str:
        return self.keys[ref]


def new_key() -> asyncssh.SSHKey:
    """A fresh Ed25519 key."""
    return asyncssh.generate_private_key("ssh-ed25519")


def private_text(key: asyncssh.SSHKey) -> str:
    """As a ``Keyring`` gives it."""
    return key.export_private_key("openssh").decode("ascii")


def public_line(key: asyncssh.SSHKey) -> str:
    """As it is pinned: ``type base64``."""
    return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])


class SshHost(Protocol):
    """A machine that is reached by SSH. ``client_key`` opens it."""

    port: int
    client_key: asyncssh.SSHKey
    host_key: asyncssh.SSHKey

    def access(self, workdir: Path, **more: Any) -> Access:
        """The way in, its host key pinned."""

    def cut_connections(self) -> None:
        """Every connection ends at once, as if the network were gone; commands are not told."""

    async def change_host_key(self) -> None:
        """Somebody else answers from now on."""


def find_sshd() -> str | None:
    """OpenSSH's server, wherever the system has it."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))
    return shutil.which("sshd", path=places)


class _Host:
    """What both servers share."""

    def __init__(self) -> None:
        self.client_key = new_key()
        self.host_key = new_key()
        self.port = 0

    def access(self, workdir: Path, **more: Any) -> Access:
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "key_ref": KEY_REF,
            "host_keys": (public_line(self.host_key),),
            **more,
        }
        return Access("ssh", str(workdir), **settings)

    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring({KEY_REF: private_text(self.client_key)})


class RealSshd(_Host):
    """OpenSSH's sshd, one process per connection (``sshd -i``), so that any port and any user will do."""

    def __init__(self, folder: Path, *, banner: str = "") -> None:
        super().__init__()
        self._folder = folder
        self._banner = banner
        self._program = find_sshd() or ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._connections: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    async def __aenter__(self) -> Self:
        self._write_config()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        await asyncio.to_thread(self._thread.join)
        self.cut_connections()

    def _write_config(self) -> None:
        folder = self._folder
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # sshd drops its rights into this empty folder; the system's own start scripts make it.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        key = folder / "host_key"
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        key.write_text(private_text(self.host_key))
        (folder / "authorized_keys").write_text(public_line(self.client_key) + "\n")
        lines = [
            f"HostKey {key}",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "StrictModes no",
            "PermitRootLogin prohibit-password",
            "LogLevel ERROR",
        ]
        if self._banner:
            force = folder / "force"
            force.write_text(
                f'#!/bin/sh\nprintf %s {shlex.quote(self._banner)}\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
            )
            force.chmod(0o755)
            lines.append(f"ForceCommand {force}")
        (folder / "sshd_config").write_text("\n".join(lines) + "\n")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, (self._folder / "log").open("ab") as log:
                self._connections.append(
                    subprocess.Popen(
                        [self._program, "-i", "-e", "-f", str(self._folder / "sshd_config")],
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=log,
                        start_new_session=True,
                    )
                )

    @property
    def is_connected(self) -> bool:
        """Whether anybody is connected now."""
        return any(process.poll() is None for process in self._connections)

    def cut_connections(self) -> None:
        """Kill -9 for the servers' processes; what they started lives in other sessions and is not touched."""
        ended, self._connections = self._connections, []
        for process in ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
        for process in ended:
            process.wait()

    async def change_host_key(self) -> None:
        self.host_key = new_key()
        self._write_config()
        self.cut_connections()


class OwnSshd(_Host):
    """A server made of asyncssh, in the test's own event loop."""

    def __init__(self, *, banner: str = "") -> None:
        super().__init__()
        self._banner = banner
        self.logins = 0
        """Connections so far."""
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._commands: set[asyncio.subprocess.Process] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut_connections()
        assert self._acceptor
        self._acceptor.close()
        await self._acceptor.wait_closed()
        for command in list(self._commands):
            await command.wait()

    async def _listen(self) -> None:
        self._acceptor = await asyncssh.create_server(
            lambda: _Server(self),
            "127.0.0.1",
            self.port,
            server_host_keys=[self.host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(public_line(self.client_key)),
            process_factory=self._run,
            encoding=None,
        )
        self.port = self._acceptor.get_port()

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        if self._banner:
            process.stdout.write(self._banner.encode())
        pipe = asyncio.subprocess.PIPE
        command = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", process.command or "", stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )  # fmt: skip
        self._commands.add(command)
        assert command.stdin
        assert command.stdout
        assert command.stderr
        out = asyncio.gather(_pump(command.stdout, process.stdout), _pump(command.stderr, process.stderr))
        inward = asyncio.create_task(_pump(process.stdin, command.stdin))
        # What is read from a cut connection ends, which closes the command's stdin; a command that nobody reads
        # from any more finds its output closed.
        await out
        code = await command.wait()
        inward.cancel()
        await asyncio.wait({inward})
        with contextlib.suppress(OSError):
            process.exit(code)

    @property
    def is_connected(self) -> bool:
        """Whether anybody is connected now."""
        return bool(self._connections)

    def cut_connections(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    async def change_host_key(self) -> None:
        self.cut_connections()
        assert self._acceptor
        self._acceptor.close()
        await self._acceptor.wait_closed()
        self.host_key = new_key()
        await self._listen()


async def _pump(source: Any, sink: Any) -> None:
    """Copy until either side ends, then close both."""
    try:
        with contextlib.suppress(asyncssh.Error, OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
    finally:
        if isinstance(sink, asyncio.StreamWriter):
            sink.close()
        elif isinstance(source, asyncio.StreamReader) and not source.at_eof():
            source._transport.close()  # type: ignore[attr-defined]  # there is no other way to stop reading


class _Server(asyncssh.SSHServer):
    def __init__(self, host: OwnSshd) -> None:
        self._host = host

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._host.logins += 1
        self._host._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host._connections.discard(self._conn)


class SilentPort:
    """Takes every connection and never says a word."""

    def __enter__(self) -> int:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        port: int = self._socket.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._socket.close()


class RefusingPort(SilentPort):
    """Bound by us and by nobody else, and not listening."""

    def __enter__(self) -> int:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        port: int = self._socket.getsockname()[1]
        return port
