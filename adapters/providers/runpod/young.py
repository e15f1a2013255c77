"""Pods that were created a moment ago: a 404 about one proves nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.errors import ProviderError, TryLater
from bot.ports import Clock

_YOUTH = timedelta(seconds=30)


class Young:
    """GET and even DELETE may answer 404 for seconds after a create, and the pod lives on and bills
    (peters/horizon#372). Until RunPod has shown that it knows the pod, or half a minute has passed, its absence is not
    believed, so that whoever ends it asks again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._born: dict[str, datetime] = {}

    def born(self, machine_id: str) -> None:
        """It was created just now."""
        now = self._clock.now()
        self._born = {one: at for one, at in self._born.items() if now - at < _YOUTH}
        self._born[machine_id] = now

    def seen(self, *machine_ids: str) -> None:
        """RunPod knows them: from now on a 404 means that it is gone."""
        for one in machine_ids:
            self._born.pop(one, None)

    def doubt(self, machine_id: str, absent: ProviderError) -> None:
        """Raises ``TryLater`` when it is too young for a 404 to mean anything."""
        at = self._born.get(machine_id)
        age = self._clock.now() - at if at else _YOUTH
        if age < _YOUTH:
            reason = f"{absent.reason}, about a pod that was created {age.seconds} s ago"
            raise TryLater(reason, after=min(_YOUTH - age, timedelta(seconds=5)))
