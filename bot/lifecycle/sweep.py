"""Sweep: compare what the providers list with what the store knows, and end whatever of ours should not be.

A machine with our namespace's label whose attempt is proven gone, whose rental is closed or unknown, came late
or came back: it is destroyed. A machine without our label is never touched.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.domain import label as labels
from bot.domain.errors import ProviderError
from bot.domain.market import Machine
from bot.lifecycle.hands import Hands
from bot.ports import Provider
from bot.store.rows import Entry

log = logging.getLogger("lastcall.sweep")

EVERY = timedelta(seconds=60)


class Sweep:
    """One process at a time, elected by a lease."""

    def __init__(self, hands: Hands, namespace: str) -> None:
        self._hands = hands
        self._namespace = namespace
        self._token = hands.ids.token()

    async def tick(self) -> list[str]:
        """Returns the ids of the machines that were asked to end."""
        now = self._hands.clock.now()
        if not await self._hands.store.leases.take(
            "sweep", token=self._token, now=now, until=now + 2 * EVERY
        ):
            return []
        ended: list[str] = []
        for provider in self._hands.providers.values():
            try:
                ended += await self._one(provider)
            except ProviderError as error:
                log.warning("sweep of %s: %s", provider.name, error)
            except Exception:
                log.exception("sweep of %s", provider.name)  # the other providers are swept all the same
        return ended

    async def _one(self, provider: Provider) -> list[str]:
        # Listed first, known second: a machine whose intent is committed after our look is then known, not strange.
        listing = await self._hands.watch.listing(provider.name, newer_than=self._hands.clock.now())
        known = await self._hands.store.rentals.labels()
        strays = [machine for machine in listing.machines if self._should_end(machine, known)]
        return [machine.id for machine in strays if await self._end(provider, machine)]

    async def _end(self, provider: Provider, machine: Machine) -> bool:
        log.warning("sweep: %s on %s should not exist any more; ending it", machine.id, provider.name)
        try:
            await provider.destroy(machine.id)
        except ProviderError as error:
            log.warning(
                "sweep: %s could not be ended: %s", machine.id, error
            )  # its neighbours are not spared for it
            return False
        label = labels.parse(machine.label)
        entry = Entry("sweep", f"ended {machine.id} on {provider.name}: {machine.label} should be gone")
        now = self._hands.clock.now()
        await self._hands.store.journal.add([entry], now=now, rental=label.rental if label else "")
        return True

    def _should_end(self, machine: Machine, known: dict[str, bool]) -> bool:
        label = labels.parse(machine.label)
        if label is None or label.namespace != self._namespace:
            return False
        return not known.get(machine.label, False)
