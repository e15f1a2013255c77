"""The purse: balances of the accounts that open rentals are billed to, and a warning long before one runs dry.

A vendor stops or deletes machines when the credit is used up, in the middle of a training and without an error on any
of our calls. Whoever rents there hears of it as soon as the credit does not last until the rental's hard end.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain import notices
from bot.domain.errors import ProviderError
from bot.domain.market import Account
from bot.domain.money import Usd
from bot.domain.rental import Goal, Rental
from bot.lifecycle.hands import Hands
from bot.store.rows import Say

log = logging.getLogger("lastcall.purse")

EVERY = timedelta(minutes=5)
RUNGS = (timedelta(hours=1), timedelta.max)
"""Said once when the credit does not last, and once more in its last hour."""


class Purse:
    """One process at a time, elected by a lease."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._token = hands.ids.token()
        self._next: datetime | None = None

    async def stop(self) -> None:
        """Let another process go on at once."""
        await self._hands.store.leases.release("purse", token=self._token)

    async def tick(self) -> int:
        """Look where it is time to; returns how many warnings were written."""
        now = self._hands.clock.now()
        # A clock that was set back must not keep it from looking.
        if self._next is not None and now < self._next <= now + EVERY:
            return 0
        rentals = [one for one in await self._hands.store.rentals.open_ones() if _bills(one)]
        if not rentals or not await self._elected(now):
            return 0
        self._next = now + EVERY
        said = 0
        for name in sorted({one.attempts[-1].offer.provider for one in rentals}):
            said += await self._one(name, [one for one in rentals if one.attempts[-1].offer.provider == name])
        return said

    async def _elected(self, now: datetime) -> bool:
        return await self._hands.store.leases.take("purse", token=self._token, now=now, until=now + 2 * EVERY)

    async def _one(self, name: str, rentals: Sequence[Rental]) -> int:
        provider = self._hands.providers.get(name)
        if provider is None:
            return 0
        try:
            account = await provider.account()
        except ProviderError as error:
            log.warning("the balance at %s cannot be read: %s", name, error)
            return 0
        runway = _runway(account, rentals)
        if runway is None:
            return 0
        return sum([await self._warn(rental, account, runway) for rental in rentals])

    async def _warn(self, rental: Rental, account: Account, runway: timedelta) -> bool:
        now, end = self._hands.clock.now(), rental.hard_end
        if end is None or runway >= end - now:
            return False
        rung = next(number for number, most in enumerate(RUNGS) if runway <= most)
        reply = notices.runway(rental, account, runway, now)
        say = Say(f"runway:{rental.id}:{rung}:{rental.rev}", rental.channel, reply, once=True)
        await self._hands.store.outbox.put(say, now=now, rental=rental.id)
        return True


def _bills(rental: Rental) -> bool:
    attempt = rental.attempt
    return rental.goal is not Goal.GONE and attempt is not None and attempt.offer.hourly.micros > 0


def _runway(account: Account, rentals: Sequence[Rental]) -> timedelta | None:
    """How long the credit lasts at what the account burns, or at least at what we burn there. None: not told."""
    if account.balance is None:
        return None
    ours = Usd(sum(one.attempts[-1].offer.hourly.micros for one in rentals))
    return account.balance.lasts(max(ours, account.burn_hourly or ours))
