"""Listings: one complete list call per provider serves all rentals that ask within the same moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import ProviderError
from bot.domain.ladder import Seen
from bot.domain.market import Machine, MachineState
from bot.domain.money import Usd
from bot.domain.rental import Attempt
from bot.ports import Clock, Provider

log = logging.getLogger("lastcall.engine")

FRESH = timedelta(seconds=15)
"""A running machine is looked for at most this often."""
_SHARED = timedelta(seconds=2)
"""A listing that failed so short a time before somebody asked has failed for them, too."""
PATIENCE = timedelta(minutes=10)
"""A machine that ran and is in a state that we cannot read, or in no good one, gets so long to recover."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A complete listing and the moment at which it was asked for (never the later one of the answer)."""

    asked_at: datetime
    machines: tuple[Machine, ...]

    def under(self, label: str) -> tuple[Machine, ...]:
        """Machines that carry this label."""
        return tuple(machine for machine in self.machines if machine.label == label)

    def by_id(self, machine_id: str) -> Machine | None:
        """The machine with this id, if listed."""
        return next((machine for machine in self.machines if machine.id == machine_id), None)


class Watch:
    """Memory of the last listings, for one process."""

    def __init__(self, providers: Mapping[str, Provider], clock: Clock) -> None:
        self._providers = providers
        self._clock = clock
        self._last: dict[str, Listing] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._ailing: dict[str, datetime] = {}
        self._failed: dict[str, tuple[datetime, ProviderError]] = {}

    async def listing(self, provider: str, *, newer_than: datetime) -> Listing:
        """A complete listing that was asked for at or after ``newer_than``. Raises what the provider raises."""
        lock = self._locks.setdefault(provider, asyncio.Lock())
        async with lock:
            last = self._last.get(provider)
            # A clock that was set back makes old answers look new: what was asked in the future is not believed.
            if last is not None and newer_than <= last.asked_at <= self._clock.now():
                return last
            asked_at = self._clock.now()
            failed = self._failed.get(provider)
            if failed is not None and newer_than - _SHARED <= failed[0] <= asked_at:
                raise failed[1]  # who waited behind a call that failed does not wait for the same again
            try:
                machines = tuple(await self._providers[provider].machines())
            except ProviderError as error:
                self._failed[provider] = (self._clock.now(), error)
                raise
            self._failed.pop(provider, None)
            fresh = Listing(asked_at, machines)
            self._last[provider] = fresh
            return fresh

    async def seen(self, attempt: Attempt | None) -> Seen:
        """What is known of an attempt's machine that ran before. An answer that cannot be had or read is UNKNOWN."""
        if attempt is None or attempt.machine_id is None or attempt.running_at is None:
            return Seen.UNKNOWN
        try:
            newer_than = max(self._clock.now() - FRESH, attempt.running_at)
            listing = await self.listing(attempt.offer.provider, newer_than=newer_than)
            machine = listing.by_id(attempt.machine_id)
            if machine is None:
                machine = await self._providers[attempt.offer.provider].inspect(attempt.machine_id)
        except (ProviderError, KeyError):
            return Seen.UNKNOWN
        except Exception:
            log.exception(
                "a look at %s", attempt.machine_id
            )  # a fault of ours must not keep the pass from deciding
            return Seen.UNKNOWN
        if machine is None:
            return Seen.VANISHED
        stopped = machine.state in (MachineState.STOPPED, MachineState.ENDING) or self._ails(machine)
        return Seen.STOPPED if stopped else Seen.THERE

    def hourly(self, attempt: Attempt | None) -> Usd | None:
        """What the last listing said an attempt's machine costs; no call is made."""
        last = self._last.get(attempt.offer.provider) if attempt is not None else None
        machine = last.by_id(attempt.machine_id or "") if last is not None and attempt is not None else None
        return machine.hourly if machine is not None else None

    def last(self, attempt: Attempt) -> tuple[datetime, MachineState] | None:
        """When the last listing was asked for that has an attempt's machine, and its state in it; no call is made."""
        last = self._last.get(attempt.offer.provider)
        machine = last.by_id(attempt.machine_id or "") if last is not None else None
        return (last.asked_at, machine.state) if last is not None and machine is not None else None

    def _ails(self, machine: Machine) -> bool:
        """Whether a machine that ran has been in no good state for so long that it will not come back. It is billed
        all the while (Lambda's ``unhealthy``, a host of Vast.ai that does not answer)."""
        key, now = f"{machine.provider}/{machine.id}", self._clock.now()
        if machine.state is not MachineState.UNKNOWN:
            self._ailing.pop(key, None)
            return False
        return now - self._ailing.setdefault(key, now) >= PATIENCE
