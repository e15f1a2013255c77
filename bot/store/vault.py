"""Secrets at rest: sealed with the deployment's key, which is never in the database."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.rows import SECRETS, insert
from bot.store.session import reading, unbroken


@unbroken
class Vault:
    """SSH key pairs, one per attempt. Implements ``ports.Keyring``."""

    def __init__(self, engine: AsyncEngine, key: Callable[[], bytes], keys: Path) -> None:
        """``key`` seals; ``keys`` is the folder that exported keys lie in."""
        self._engine = engine
        self._key = key
        self._keys = keys

    async def new_keypair(self, ref: str, *, now: datetime) -> str:
        """Make and seal an Ed25519 key pair named ``ref``; returns the public OpenSSH line. A second call with the
        same ``ref`` returns the first one's public line."""
        pair = Ed25519PrivateKey.generate()
        private = pair.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        sealed = Fernet(self._key()).encrypt(private).decode()
        async with self._engine.begin() as connection:
            statement = (
                insert(connection, SECRETS).values(ref=ref, sealed=sealed, at=now).on_conflict_do_nothing()
            )
            fresh = bool((await connection.execute(statement)).rowcount)
        if not fresh:
            return await self._public(ref)
        return pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + f" {ref}"

    async def private_key(self, ref: str) -> str:
        """The OpenSSH private key. Raises ``KeyError`` when there is none or the deployment's key is another."""
        async with reading(self._engine) as connection:
            sealed = (await connection.execute(select(SECRETS.c.sealed).where(SECRETS.c.ref == ref))).scalar()
        if sealed is None:
            raise KeyError(ref)
        try:
            return Fernet(self._key()).decrypt(str(sealed).encode()).decode()
        except InvalidToken:
            raise KeyError(ref) from None

    async def _public(self, ref: str) -> str:
        pair = load_ssh_private_key((await self.private_key(ref)).encode(), None)
        return pair.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + f" {ref}"

    async def keep(self, ref: str, secret: str, *, now: datetime) -> None:
        """Seal something that is no key pair (a notification address)."""
        sealed = Fernet(self._key()).encrypt(secret.encode()).decode()
        async with self._engine.begin() as connection:
            await connection.execute(insert(connection, SECRETS).values(ref=ref, sealed=sealed, at=now))

    async def secret(self, ref: str) -> str:
        """What was kept. Raises ``KeyError`` when there is none or the deployment's key is another."""
        return await self.private_key(ref)

    async def export(self, ref: str) -> Path:
        """Write the private key into a 0600 file for a person's own ssh; returns its path. Raises ``KeyError``."""
        self._keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._keys / ref
        os.replace(_written(self._keys, (await self.private_key(ref)).encode()), path)
        return path

    async def forget_all(self, rental: str) -> None:
        """Every key of a rental and what was exported of them: also those whose attempt never came about."""
        async with reading(self._engine) as connection:
            query = select(SECRETS.c.ref).where(SECRETS.c.ref.startswith(f"{rental}-", autoescape=True))
            refs = [row.ref for row in await connection.execute(query)]
        for ref in {*refs, *(path.name.partition(".")[0] for path in self._keys.glob(f"{rental}-*"))}:
            await self.forget(ref)

    async def forget(self, ref: str) -> None:
        """Remove it and what was exported of it; absent is success."""
        for name in (ref, f"{ref}.known_hosts"):
            (self._keys / name).unlink(missing_ok=True)
        async with self._engine.begin() as connection:
            await connection.execute(delete(SECRETS).where(SECRETS.c.ref == ref))


def deployment_key(configured: str, data_dir: Path) -> Callable[[], bytes]:
    """The key that seals: from the settings, else a 0600 file in the data folder that is made once."""

    def read() -> bytes:
        if configured:
            return configured.encode()
        path = data_dir / "secret.key"
        if not path.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = _written(data_dir, Fernet.generate_key())
            try:
                os.link(fresh, path)  # not replace: two processes that start at once must agree on one key
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_bytes()

    return read


def _written(folder: Path, content: bytes) -> Path:
    """A new 0600 file beside its place, so that nobody ever reads half of it. Its name is nobody else's: in a
    container every process has the same id, and one that died here must not be in the way of the next."""
    descriptor, name = tempfile.mkstemp(prefix=".fresh-", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    return Path(name)
