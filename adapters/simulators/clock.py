"""Time and chance that a test holds in its hand: nothing moves unless it is told to."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is read as something else: i, l, o, 0, 1."""


class SimClock:
    """A ``Clock`` that stands still between two calls of ``advance`` or ``set``."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware moment")
        self._now = start

    def now(self) -> datetime:
        """The moment that was set."""
        return self._now

    def advance(self, length: timedelta) -> datetime:
        """Move on by ``length`` and return the new moment."""
        return self.set(self._now + length)

    def set(self, moment: datetime) -> datetime:
        """Move to ``moment``, which is never earlier than now."""
        if moment < self._now:
            raise ValueError(f"time does not go back: {moment} is before {self._now}")
        self._now = moment
        return moment


class SimIds:
    """An ``Ids`` whose sequence is a function of the seed; no rental id comes twice from one object."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._given: set[str] = set()

    def rental(self) -> str:
        """Six characters; the first is a letter."""
        while True:
            name = self._random.choice(ALPHABET[:23]) + "".join(self._random.choices(ALPHABET, k=5))
            if name not in self._given:
                self._given.add(name)
                return name

    def token(self) -> str:
        """128 bits as hex."""
        return f"{self._random.getrandbits(128):032x}"
