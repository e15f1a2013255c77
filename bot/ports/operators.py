"""Who watches over the bot: what the core counts for them, and what they may ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.vitals import Part, Vitals


class Tally(Protocol):
    """Counts what happens in this process, beside what rows remember. Raises nothing and takes no time."""

    def passed(self, took: timedelta) -> None:
        """A pass over a rental ended."""

    def torn_down(self, provider: str, took: timedelta) -> None:
        """A machine is proven gone, so long after its end was first asked for."""

    def swept(self, provider: str, at: datetime) -> None:
        """All machines of a provider were listed and compared."""

    def swept_elsewhere(self, at: datetime) -> None:
        """Another process was elected to sweep, and lives."""


class Uncounted:
    """For who has nobody to count for."""

    def passed(self, took: timedelta) -> None:
        """Not counted."""

    def torn_down(self, provider: str, took: timedelta) -> None:
        """Not counted."""

    def swept(self, provider: str, at: datetime) -> None:
        """Not counted."""

    def swept_elsewhere(self, at: datetime) -> None:
        """Not counted."""


class Watched(Protocol):
    """What operators may ask a running bot. Raises nothing and ends within seconds, whatever is down."""

    async def ready(self) -> Sequence[Part]:
        """Every part that has to be well."""

    async def vitals(self) -> Vitals:
        """The numbers of the moment."""
