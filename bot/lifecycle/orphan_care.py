"""Orphans of one provider, once a sweep: write down who is new, end whose time is over, prove who is gone.

Ending is asked for again each sweep until two complete listings and ``inspect`` know nothing of the machine. A label
that is not of our namespace (any more) is left alone, whatever was decided before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.errors import ProviderError
from bot.domain.market import Machine
from bot.domain.orphan import Orphan, Owner, found, is_ours
from bot.domain.orphan_cards import digest, place, stuck
from bot.domain.talk import Channel
from bot.lifecycle.hands import Hands
from bot.lifecycle.watch import Listing
from bot.ports import Provider
from bot.store.rows import Entry, Say

log = logging.getLogger("lastcall.sweep")

_APART = timedelta(seconds=1)
"""Least time between the two listings that prove it."""
_RENAMED = "Its label does not have this deployment's name any more, so it is left alone."


class OrphanCare:
    """``homes`` are the places to tell of what belongs to nobody; without one it is only logged and listed."""

    def __init__(self, hands: Hands, namespace: str, homes: Callable[[], Sequence[Channel]]) -> None:
        self._hands = hands
        self._namespace = namespace
        self._homes = homes

    async def look(
        self, provider: Provider, listing: Listing, owners: dict[str, Owner], known: Sequence[Orphan]
    ) -> list[str]:
        """After a complete listing: who owns what of it, and which orphans were known before. Returns the ids of those
        that were asked to end. One that cannot be asked about spares no other."""
        for machine in listing.machines:
            if self._is_new(machine, owners, known):
                await self._found(machine)
        ended: list[str] = []
        for orphan in known:
            try:
                if await self._one(provider, orphan, listing):
                    ended.append(orphan.machine_id)
            except ProviderError as error:
                log.warning("sweep: %s: %s", orphan.name, error)
            except Exception:
                log.exception("sweep: %s", orphan.name)
        for orphan in await self._hands.store.orphans.unfinished(provider.name):
            await self._tell(orphan)
        return ended

    def _is_new(self, machine: Machine, owners: dict[str, Owner], known: Sequence[Orphan]) -> bool:
        followed = any(one.machine_id == machine.id and one.gone_at is None for one in known)
        return is_ours(machine.label, self._namespace) and machine.id not in owners and not followed

    async def _found(self, machine: Machine) -> None:
        now = self._hands.clock.now()
        orphan = found(machine, now, self._hands.limits.orphan_grace)
        log.warning("sweep: %s carries %s, and no rental here knows it", orphan.name, machine.label)
        entry = Entry("orphan", f"found {orphan.name}: {machine.label}, which no rental here knows")
        await self._hands.store.orphans.found(orphan, entry)

    async def _one(self, provider: Provider, orphan: Orphan, listing: Listing) -> bool:
        """One that was known before this sweep. Whether it was asked to end."""
        machine = listing.by_id(orphan.machine_id)
        if orphan.gone_at is not None:
            if machine is None:
                await self._tidy(provider, orphan)
            return False
        machine = machine or await provider.inspect(orphan.machine_id)
        if machine is None:
            await self._missing(provider, orphan, listing)
            return False
        seen = replace(
            orphan, label=machine.label, gpu=machine.gpu or orphan.gpu, state=machine.state, absent_at=None,
            hourly=orphan.hourly if machine.hourly is None else machine.hourly,
        )  # fmt: skip
        ours = is_ours(machine.label, self._namespace)
        if ours and seen.should_end(self._hands.clock.now()):
            return await self._end(provider, orphan, seen)
        await self._write(orphan, replace(seen, note="" if ours else _RENAMED))
        return False

    async def _end(self, provider: Provider, orphan: Orphan, seen: Orphan) -> bool:
        now = self._hands.clock.now()
        why = f"{orphan.decided_by.key} said so" if orphan.decided_by else "nobody decided in time"
        entry = Entry("orphan", f"asks {provider.name} to end {orphan.name} ({why})")
        if not await self._hands.store.orphans.condemn(orphan, now=now, entry=entry):
            return False
        log.warning("sweep: ending %s (%s)", orphan.name, why)
        try:
            await provider.destroy(orphan.machine_id)
        except ProviderError as error:
            log.warning("sweep: %s could not be ended: %s", orphan.name, error)
            await self._write(orphan, replace(seen, note=error.reason))
            return False
        await self._write(orphan, replace(seen, note=""))
        return True

    async def _missing(self, provider: Provider, orphan: Orphan, listing: Listing) -> None:
        """Neither listed nor to be inspected: once is not enough."""
        now, since = self._hands.clock.now(), orphan.absent_at
        if since is None or since > now:  # the clock was set back
            await self._write(orphan, replace(orphan, absent_at=now))
        elif listing.asked_at >= since + _APART:
            by_itself = "" if orphan.asked_at else ", and nobody had asked for it"
            gone = replace(orphan, gone_at=now, note="")
            entry = Entry("orphan", f"{orphan.name} is proven gone{by_itself}", cost=gone.cost)
            await self._write(orphan, gone, entry)
            await self._tidy(provider, gone)

    async def _tidy(self, provider: Provider, orphan: Orphan) -> None:
        """What its launch had left on the account goes too, unless another machine still goes by the same label."""
        try:
            if not await self._hands.store.orphans.is_used(orphan.label, but=orphan):
                await provider.tidy(orphan.label)
        except ProviderError as error:
            log.warning("sweep: what %s left on the account stays for now: %s", orphan.name, error)
            note = f"What its launch left on the account cannot be removed yet: {error.reason.rstrip('.')}."
            await self._write(orphan, replace(orphan, note=note))
            return
        await self._write(orphan, replace(orphan, tidied_at=self._hands.clock.now(), note=""))

    async def _write(self, before: Orphan, after: Orphan, *entries: Entry) -> None:
        if after != before:
            await self._hands.store.orphans.saw(after, now=self._hands.clock.now(), entries=entries)

    async def _tell(self, orphan: Orphan) -> None:
        """A place that opened only now gets the card too; what it says already is not said again."""
        now, store, homes = self._hands.clock.now(), self._hands.store, self._homes()
        if homes:
            await store.orphans.show(orphan, homes, now=now)
        alarm = stuck(orphan, now) if orphan.gone_at is None else None
        if alarm is not None:
            key = f"orphan-stuck:{digest(orphan.name, str(orphan.asked_at))}:{alarm[0]}:"
            for home in homes:
                await store.outbox.put(Say(key + place(home), home, alarm[1], once=True), now=now)
