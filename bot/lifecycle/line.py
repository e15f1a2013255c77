"""The line before each vendor: launches go one after the other, as far apart as that vendor takes them.

Who is not yet at the head has written nothing and called nobody; his budget's clock does not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.ports import Provider

_KEPT = timedelta(minutes=1)
"""Who does not come when it is his turn (his rental was cancelled) loses his place after this long."""


class LaunchLine:
    """One process's places. Several processes together may be faster than a vendor likes: then it says so."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers
        self._places: dict[tuple[str, str], datetime] = {}
        self._free: dict[str, datetime] = {}
        self._seen: datetime | None = None

    def turn_of(self, rental: str, provider: str, now: datetime) -> datetime:
        """When this rental may launch there: ``now`` when it is its turn, which is used up by the answer."""
        self._tidy(now)
        key = (provider, rental)
        place = self._places.get(key)
        if place is None:
            place = max(now, self._free.get(provider, now))
            self._free[provider] = place + self._providers[provider].capabilities.launch_every
            self._places[key] = place
        if place <= now:
            del self._places[key]
            return now
        return place

    def _tidy(self, now: datetime) -> None:
        if self._seen is not None and now < self._seen:
            self._free.clear()  # the clock was set back: nobody waits for the old future
            self._places.clear()
        self._seen = now
        for key in [key for key, place in self._places.items() if now - place > _KEPT]:
            del self._places[key]
