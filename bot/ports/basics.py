"""Time, chance and keys: what the core takes from outside and never makes up."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC."""


class Ids(Protocol):
    """The only source of chance."""

    def rental(self) -> str:
        """Six characters, lower case, easy to say and type; unique for all practical purposes."""

    def token(self) -> str:
        """Unguessable; names a claim."""


class Keyring(Protocol):
    """Private keys by reference; they are sealed at rest and never leave the process otherwise."""

    async def private_key(self, ref: str) -> str:
        """The OpenSSH private key named ``ref``. Raises ``KeyError`` when it was removed."""
