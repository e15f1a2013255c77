"""Counters of one process, as plain numbers: cheap enough to be always on, and without the library that shows them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PASS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
TEARDOWN_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Upper bounds of the buckets in seconds; people hear of a teardown that sticks after 10, 30 and 60 minutes."""


@dataclass(slots=True)
class Spread:
    """How long things took. ``buckets`` are not summed up; the last one is for all that is longer."""

    bounds: tuple[float, ...]
    buckets: list[int] = field(init=False)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.buckets = [0] * (len(self.bounds) + 1)

    def add(self, took: timedelta) -> None:
        """One more. Time that went backwards counts as none."""
        seconds = max(0.0, took.total_seconds())
        self.buckets[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds


class Counts:
    """Keeps the ``Tally`` port."""

    def __init__(self) -> None:
        self.passes = Spread(PASS_S)
        self.teardowns: dict[str, Spread] = {}
        self.sweeps: dict[str, datetime] = {}
        self.elsewhere: datetime | None = None

    def passed(self, took: timedelta) -> None:
        self.passes.add(took)

    def torn_down(self, provider: str, took: timedelta) -> None:
        self.teardowns.setdefault(provider, Spread(TEARDOWN_S)).add(took)

    def swept(self, provider: str, at: datetime) -> None:
        self.sweeps[provider] = at

    def swept_elsewhere(self, at: datetime) -> None:
        self.elsewhere = at
