"""One SSH login: limits, keys and algorithms, and what went wrong in one sentence."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncssh

from adapters.shell.hostkeys import HostKeyCheck
from bot.domain.errors import KeyRefused, ShellError, Unreachable
from bot.domain.market import Access
from bot.ports import Keyring

CIPHERS = (
    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr", "aes128-ctr",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a machine may keep us waiting."""

    connect: timedelta = timedelta(seconds=10)
    """Until the TCP connection stands."""
    login: timedelta = timedelta(seconds=15)
    """From there until the key is accepted."""
    keepalive: timedelta = timedelta(seconds=10)
    keepalives: int = 3
    """So many unanswered keepalives in a row mean that the connection is cut."""
    idle: timedelta = timedelta(minutes=5)
    """A connection that nobody used for so long is closed."""


class _Client(asyncssh.SSHClient):
    def __init__(self, check: HostKeyCheck, reached: Callable[[], None]) -> None:
        self._check = check
        self._reached = reached

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._reached()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        return self._check.accept(key)


async def connect(
    access: Access, keyring: Keyring, limits: Limits, *, may_trust_first: bool = False
) -> asyncssh.SSHClientConnection:
    """Log in, or raise ``Unreachable`` or ``HostKeyChanged``."""
    where = f"{access.host}:{access.port}"
    check = HostKeyCheck(access, may_trust_first=may_trust_first)
    options = await _identity(access, keyring)
    reached = False
    loop = asyncio.get_running_loop()
    try:
        await asyncio.to_thread(check.look_up)
        async with asyncio.timeout(limits.connect.total_seconds()) as patience:

            def tcp_stands() -> None:
                nonlocal reached
                reached = True
                patience.reschedule(loop.time() + limits.login.total_seconds())

            return await asyncssh.connect(
                access.host,
                client_factory=lambda: _Client(check, tcp_stands),
                known_hosts=([], [], []),
                server_host_key_algs=list(check.algorithms),
                encryption_algs=list(CIPHERS),
                compression_algs=None,
                preferred_auth="publickey",
                keepalive_interval=limits.keepalive.total_seconds(),
                keepalive_count_max=limits.keepalives,
                connect_timeout=None,
                agent_forwarding=False,
                x11_forwarding=False,
                **options,
            )
    except TimeoutError:
        raise Unreachable(_late(where, limits, reached=reached)) from None
    except (asyncssh.Error, OSError, ValueError) as error:
        raise check.refusal or explain(error, where) from error


async def _identity(access: Access, keyring: Keyring) -> dict[str, Any]:
    """Whom we log in as: by the rental's own key alone, or as the operator's own ``ssh`` would."""
    named: dict[str, Any] = {"username": access.user} if access.user else {}
    if not access.key_ref:
        return named if access.port == 22 else {**named, "port": access.port}
    try:
        key = asyncssh.import_private_key(await keyring.private_key(access.key_ref))
    except KeyError:
        raise Unreachable(f"The key {access.key_ref} for {access.host} was removed from the vault.") from None
    except asyncssh.KeyImportError as error:
        raise Unreachable(f"The key {access.key_ref} for {access.host} cannot be read: {error}.") from None
    return {**named, "port": access.port, "client_keys": [key], "agent_path": None, "config": None}


def _late(where: str, limits: Limits, *, reached: bool) -> str:
    if reached:
        return (
            f"{where} took the connection but did not finish the login in {limits.login.total_seconds():g} s."
        )
    return f"{where} did not answer within {limits.connect.total_seconds():g} s."


def explain(error: Exception, where: str) -> ShellError:
    """A fault of the connection as one sentence."""
    if isinstance(error, asyncssh.PermissionDenied):
        return KeyRefused(f"{where} did not accept the key.")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{where} refused the connection.")
    if isinstance(error, socket.gaierror):
        return Unreachable(f"The name of {where} is not known.")
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return Unreachable(f"{where} speaks no SSH that is safe enough for us: {error}.")
    if isinstance(error, asyncssh.ChannelOpenError):
        return Unreachable(f"{where} does not let us run a command: {error.reason}.")
    return Unreachable(f"The connection to {where} was cut: {str(error) or type(error).__name__}.")
