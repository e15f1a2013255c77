"""The outside world as the core sees it: a few small Protocols, and what each promises on failure and on repeat.

A new provider or chat is one file that keeps these promises (``tests/contracts`` holds every adapter to
them) and one line in ``adapters/registry.py``.
"""

from __future__ import annotations

from bot.ports.basics import Clock, Ids, Keyring
from bot.ports.machines import (
    FileDigest,
    NothingMore,
    Parcel,
    Provider,
    Ran,
    Shell,
    TransferProgress,
    UnitJob,
    UnitLook,
    UnitState,
)
from bot.ports.operators import Tally, Uncounted, Watched
from bot.ports.people import Addresses, Chat, Desk, Notifier

__all__ = [
    "Addresses",
    "Chat",
    "Clock",
    "Desk",
    "FileDigest",
    "Ids",
    "Keyring",
    "NothingMore",
    "Notifier",
    "Parcel",
    "Provider",
    "Ran",
    "Shell",
    "Tally",
    "TransferProgress",
    "Uncounted",
    "UnitJob",
    "UnitLook",
    "UnitState",
    "Watched",
]
