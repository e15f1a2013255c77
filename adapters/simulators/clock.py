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
        self._now = self._start = start
        self._ran = timedelta(0)

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
        self._ran += moment - self._now
        self._now = moment
        return moment

    def jump(self, length: timedelta) -> datetime:
        """Somebody sets the clock, forward or back: no time goes by. Returns the new moment."""
        self._now += length
        return self._now

    def running(self) -> float:
        """Seconds that really went by, whatever it was set to: a computer's monotonic clock."""
        return self._ran.total_seconds()

    @property
    def true(self) -> TrueTime:
        """What everybody else's clock says: vendors and rented machines do not notice that ours was set."""
        return TrueTime(self)

    def undisturbed(self) -> datetime:
        """Where it would be, had nobody set it."""
        return self._start + self._ran


class TrueTime:
    """A ``Clock`` beside a ``SimClock`` that moves with it and does not ``jump``."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The start, and what really went by since."""
        return self._clock.undisturbed()


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
