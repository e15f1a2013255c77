"""The purse: balances of the accounts that open rentals are billed to, and a warning long before one runs dry.

A vendor stops or deletes machines when the credit is used up, in the middle of a training and without an error on any
of our calls. Whoever rents there hears of it as soon as the credit does not last until the rental's hard end: what is
found here is raised here, since no row has it; ``reminders`` makes it louder like everything else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.domain import credit_due, notices
from bot.domain.alert import Alert, Raise, Settle
from bot.domain.clocktime import utc
from bot.domain.credit import Credit
from bot.domain.errors import ProviderError
from bot.domain.market import Account
from bot.domain.money import Usd
from bot.domain.rental import Goal, Rental
from bot.lifecycle.hands import Hands
from bot.lifecycle.reminders import in_place

log = logging.getLogger("lastcall.purse")

EVERY = timedelta(minutes=5)


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
        """Look where it is time to; returns how many alerts were raised or settled."""
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
        if runway is None or account.balance is None:
            return 0
        known = await self._hands.store.alerts.of([one.id for one in rentals])
        done = 0
        for person in {one.owner.key: None for one in rentals}:
            own = [one for one in rentals if one.owner.key == person]
            look = _Look(name, account.balance, runway, own)
            for rental, move in credit_due.due(own, known, runway, self._hands.clock.now()):
                done += await self._do(rental, move, look)
        return done

    async def _do(self, rental: Rental, move: Raise | Settle, look: _Look) -> bool:
        now, alerts = self._hands.clock.now(), self._hands.store.alerts
        if isinstance(move, Settle):
            # What something louder is said in place of stays as it reads.
            shown = partial(notices.settled, what=f"{move.what} ({utc(now)}).") if move.what else None
            return await alerts.settle(move.alert, now=now, by="", what=move.what, shown=shown)
        alert = Alert(rental.id, move.rung, rental.rev, now, move.level, now)
        say = in_place(rental, alert, move.level, notices.runway(rental, look.credit(now), now))
        return await alerts.raise_(alert, move.covers, [say], goal=Goal.GONE)


@dataclass(frozen=True, slots=True)
class _Look:
    """What an account said, and one person's rentals on it."""

    place: str
    balance: Usd
    runway: timedelta
    rentals: Sequence[Rental]

    def credit(self, now: datetime) -> Credit:
        short = credit_due.short_of(self.rentals, self.runway, now)
        machines = tuple((one.id, one.hard_end) for one in short if one.hard_end is not None)
        return Credit(self.place, self.balance, now + self.runway, machines)


def _bills(rental: Rental) -> bool:
    attempt = rental.attempt
    return rental.goal is not Goal.GONE and attempt is not None and attempt.offer.hourly.micros > 0


def _runway(account: Account, rentals: Sequence[Rental]) -> timedelta | None:
    """How long the credit lasts at what the account burns, or at least at what we burn there. None: not told."""
    if account.balance is None:
        return None
    ours = Usd(sum(one.attempts[-1].offer.hourly.micros for one in rentals))
    return account.balance.lasts(max(ours, account.burn_hourly or ours))
