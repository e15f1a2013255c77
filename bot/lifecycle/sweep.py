"""Sweep: compare what the providers list with what the store knows, and end whatever of ours should not be.

A machine whose attempt is proven gone, or whose rental is closed, came late or came back: it is destroyed at once. One
with our namespace that no rental here knows is an orphan: ``orphan_care``. A machine without our label is never
touched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.errors import ProviderError
from bot.domain.market import Machine
from bot.domain.orphan import Owner, is_ours
from bot.domain.orphan_cards import digest, stray
from bot.domain.talk import Channel
from bot.lifecycle.hands import Hands
from bot.lifecycle.orphan_care import OrphanCare
from bot.lifecycle.watch import Listing
from bot.ports import Provider
from bot.store.rows import Entry, Say

log = logging.getLogger("lastcall.sweep")

EVERY = timedelta(seconds=60)


class Sweep:
    """One process at a time, elected by a lease. ``homes`` says where to tell of what belongs to nobody."""

    def __init__(
        self, hands: Hands, namespace: str, *, homes: Callable[[], Sequence[Channel]] = tuple
    ) -> None:
        self._hands = hands
        self._namespace = namespace
        self._token = hands.ids.token()
        self._care = OrphanCare(hands, namespace, homes)
        self._looked: dict[str, datetime] = {}
        """When each provider was last listed."""
        self._met: dict[tuple[str, str], datetime] = {}
        """Of every machine of ours that is listed, the look before the first that showed it: it can be there since."""
        self._counted: dict[tuple[str, str], datetime] = {}
        """Up to when what one that should not be costs is counted."""

    async def stop(self) -> None:
        """Let another process go on at once."""
        self._forget()
        await self._hands.store.leases.release("sweep", token=self._token)

    async def tick(self) -> list[str]:
        """Returns the ids of the machines that were asked to end. All providers are looked at side by side: one that
        does not answer holds up no other."""
        now = self._hands.clock.now()
        if not await self._hands.store.leases.take(
            "sweep", token=self._token, now=now, until=now + 2 * EVERY
        ):
            self._forget()  # another process looks, and counts
            self._hands.tally.swept_elsewhere(now)
            return []
        ended = await asyncio.gather(*(self._safely(one) for one in self._hands.providers.values()))
        return [machine_id for many in ended for machine_id in many]

    async def _safely(self, provider: Provider) -> list[str]:
        try:
            ended = await self._one(provider)
            self._hands.tally.swept(provider.name, self._hands.clock.now())
            return ended
        except ProviderError as error:
            log.warning("sweep of %s: %s", provider.name, error)
        except Exception:
            log.exception("sweep of %s", provider.name)  # the other providers are swept all the same
        return []

    async def _one(self, provider: Provider) -> list[str]:
        # Listed first, known second: a machine whose intent is committed after our look is then known, not strange.
        orphans = self._hands.store.orphans
        listing = await self._hands.watch.listing(provider.name, newer_than=self._hands.clock.now())
        owners = await orphans.owners(provider.name, listing.machines)
        known = await orphans.unfinished(provider.name)
        followed = {one.machine_id for one in known if one.gone_at is None}
        self._meet(provider.name, listing)
        ended: list[str] = []
        for machine in listing.machines:
            owner = None if machine.id in followed else owners.get(machine.id)
            if owner is not None and self._should_end(machine, owner, listing):
                ended += await self._end(provider, machine, owner)
        return ended + await self._care.look(provider, listing, owners, known)

    def _should_end(self, machine: Machine, owner: Owner, listing: Listing) -> bool:
        if not is_ours(machine.label, self._namespace):
            return False
        if not owner.lives:
            return True
        # A launch that brought forth two: the one that the rental does not know bills for nothing.
        other = owner.machine_id is not None and machine.id != owner.machine_id
        return other and listing.by_id(owner.machine_id or "") is not None

    def _forget(self) -> None:
        for one in (self._looked, self._met, self._counted):
            one.clear()

    def _meet(self, name: str, listing: Listing) -> None:
        """At the first look of all, as long as nobody can have looked is what lies between two."""
        now = self._hands.clock.now()
        before = min(now, self._looked.get(name, now - EVERY))
        here = {(name, one.id) for one in listing.machines if is_ours(one.label, self._namespace)}
        for kept in (self._met, self._counted):
            for place in [one for one in kept if one[0] == name and one not in here]:
                del kept[place]
        for place in here:
            self._met.setdefault(place, before)
        self._looked[name] = now

    async def _count(self, provider: Provider, machine: Machine) -> None:
        """What it was billed since it was counted last, at first since it can have been there."""
        place, now = (provider.name, machine.id), self._hands.clock.now()
        since = self._met[place]
        counted = self._counted.get(place, since)
        await self._hands.store.ledger.stray(machine, since, counted, now=now)
        self._counted[place] = now

    async def _end(self, provider: Provider, machine: Machine, owner: Owner) -> list[str]:
        await self._count(provider, machine)
        log.warning("sweep: %s on %s should not exist any more; ending it", machine.id, provider.name)
        try:
            await provider.destroy(machine.id)
        except ProviderError as error:
            log.warning(
                "sweep: %s could not be ended: %s", machine.id, error
            )  # its neighbours are not spared for it
            return []
        now, store = self._hands.clock.now(), self._hands.store
        entry = Entry("sweep", f"ended {machine.id} on {provider.name}: {machine.label} should be gone")
        await store.journal.add([entry], now=now, rental=owner.rental)
        key = f"stray:{owner.rental}:{digest(provider.name, machine.id)}"
        say = Say(key, owner.channel, stray(owner, machine, now), once=True)
        await store.outbox.put(say, now=now, rental=owner.rental)
        return [machine.id]
