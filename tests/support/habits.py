"""Habit breakers: each takes one of the money habits away, so that a test can show that it is needed.

Switches in the tests, never in the product. All wrap a port (or the store) and may be wrapped again by ``crashing``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.deadman import Switch
from bot.domain.market import Account, LaunchOrder, Machine, Offer, Want
from bot.domain.rental import Rental
from bot.domain.vendor import Capabilities, Profile
from bot.ports import NothingMore, Provider
from bot.store.claims import Claim, Claims
from bot.store.rows import ATTEMPTS
from bot.store.session import reading
from tests.support.crash import Forwarding

Knows = Callable[[str], Awaitable[bool]]
"""Whether the bot has written down that this machine id is its own."""


def written_down(engine: AsyncEngine) -> Knows:
    """``Knows`` from the attempts in the database."""

    async def knows(machine_id: str) -> bool:
        async with reading(engine) as connection:
            found = await connection.execute(
                select(ATTEMPTS.c.number).where(ATTEMPTS.c.machine_id == machine_id)
            )
            return found.first() is not None

    return knows


class ProviderAround(NothingMore):
    """A provider that does what the inner one does."""

    def __init__(self, inner: Provider) -> None:
        self.inner = inner
        self.name = inner.name
        self.profile: Profile = inner.profile
        self.capabilities: Capabilities = inner.capabilities

    async def offers(self, want: Want) -> Sequence[Offer]:
        return await self.inner.offers(want)

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        return await self.inner.launch(offer, order)

    async def inspect(self, machine_id: str) -> Machine | None:
        return await self.inner.inspect(machine_id)

    async def machines(self) -> Sequence[Machine]:
        return await self.inner.machines()

    async def destroy(self, machine_id: str) -> None:
        await self.inner.destroy(machine_id)

    async def account(self) -> Account:
        return await self.inner.account()

    def switch(self, machine_id: str) -> Switch:
        return self.inner.switch(machine_id)


class NoWrittenIntent(Forwarding):
    """Habit 1 away: *write the intent, then call*. Goes around ``store.claims``: the write that brings a new attempt
    is only remembered by the process and saved with whatever the pass writes next."""

    def __init__(self, claims: Claims) -> None:
        super().__init__(claims)
        self._unwritten: dict[tuple[str, str], Rental] = {}

    async def record(self, claim: Claim, after: Rental, *, until: datetime, **rest: Any) -> Claim:
        if len(after.attempts) > len(claim.rental.attempts):
            self._unwritten[claim.token, claim.rental.id] = claim.rental
            return Claim(after, claim.token, until)
        kept: Claim = await self._inner.record(claim, after, until=until, **rest)
        return kept

    async def apply(self, claim: Claim, after: Rental, **rest: Any) -> None:
        before = self._unwritten.pop((claim.token, claim.rental.id), claim.rental)
        await self._inner.apply(replace(claim, rental=before), after, **rest)


class NoLabel(ProviderAround):
    """Habit 2 away: *our label on all we rent*. The machine is born without a name."""

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        return await self.inner.launch(offer, replace(order, label=""))


class NoAdoption(ProviderAround):
    """Habit 3 away: *look by label before a second try*. A bot without it asks only after ids that it wrote down, so
    its listing lacks labelled machines whose id it does not know. ``knows`` asks the bot's memory (the store); without
    it an id is known when a launch brought it or the bot named it, until ``forget`` (the process died)."""

    def __init__(self, inner: Provider, knows: Knows | None = None) -> None:
        super().__init__(inner)
        self._ids: set[str] = set()
        self._knows = knows or self._named

    async def launch(self, offer: Offer, order: LaunchOrder) -> str:
        machine_id = await self.inner.launch(offer, order)
        self._ids.add(machine_id)
        return machine_id

    async def inspect(self, machine_id: str) -> Machine | None:
        self._ids.add(machine_id)
        return await self.inner.inspect(machine_id)

    async def machines(self) -> Sequence[Machine]:
        seen = await self.inner.machines()
        return [machine for machine in seen if not machine.label or await self._knows(machine.id)]

    async def destroy(self, machine_id: str) -> None:
        self._ids.add(machine_id)
        await self.inner.destroy(machine_id)

    def forget(self) -> None:
        self._ids.clear()

    async def _named(self, machine_id: str) -> bool:
        return machine_id in self._ids


class NoProof(ProviderAround):
    """Habit 4 away: *closed only when the provider lists nothing of ours*. Asked for is taken for gone."""

    def __init__(self, inner: Provider) -> None:
        super().__init__(inner)
        self._asked: set[str] = set()

    async def inspect(self, machine_id: str) -> Machine | None:
        return None if machine_id in self._asked else await self.inner.inspect(machine_id)

    async def machines(self) -> Sequence[Machine]:
        return [machine for machine in await self.inner.machines() if machine.id not in self._asked]

    async def destroy(self, machine_id: str) -> None:
        self._asked.add(machine_id)
        await self.inner.destroy(machine_id)


class NoSettle(ProviderAround):
    """The settle window away: a launch without an answer is taken for one that never happened."""

    def __init__(self, inner: Provider) -> None:
        super().__init__(inner)
        self.capabilities = replace(inner.capabilities, settle=timedelta(0))
