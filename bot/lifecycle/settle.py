"""Settlement: what the vendor's own books say about every machine that is gone, beside what we counted.

Books fill late (Vast.ai's by the day, RunPod's nobody says when): an amount counts as settled when it was told twice,
an hour or more apart. Our own count is never overwritten; a difference that matters goes into the journal.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.domain import budget
from bot.domain.errors import ProviderError
from bot.domain.ledger import matters
from bot.domain.market import Bill
from bot.lifecycle.hands import Hands
from bot.store.ledger import Owed
from bot.store.rows import Entry

log = logging.getLogger("lastcall.settle")

EVERY = timedelta(minutes=10)
FIRST = timedelta(hours=1)
"""After a machine is gone, so long its bill is not asked for; and so far apart are two answers that are compared."""
GIVES_UP = timedelta(days=7)
"""What is not settled by then stays open: the books say nothing about it."""
_AT_ONCE = 20
"""Bills asked for in one tick, those that were told once first: their call is one a second at best. A provider that
fails is left alone until the next."""


class Settle:
    """One process at a time, elected by a lease."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._token = hands.ids.token()
        self._next: datetime | None = None
        self._asked: dict[tuple[str, int], datetime] = {}
        """When each was last asked for, so that an empty book is not asked all day long."""

    async def stop(self) -> None:
        """Let another process go on at once."""
        await self._hands.store.leases.release("settle", token=self._token)

    async def tick(self) -> int:
        """Ask where it is time to; returns how many bills were settled."""
        now = self._hands.clock.now()
        # A clock that was set back must not keep it from asking.
        if self._next is not None and now < self._next <= now + EVERY:
            return 0
        self._next = now + EVERY
        owed = await self._hands.store.ledger.unsettled(ended_by=now - FIRST, since=now - GIVES_UP)
        self._asked = {key: at for key, at in self._asked.items() if at <= now < at + FIRST}
        due = [one for one in owed if self._is_due(one, now)]
        if not due or not await self._elected(now):
            return 0
        due.sort(key=lambda one: (one.attempt.billed_at is None, now - (one.attempt.gone_at or now)))
        settled, silent = 0, set[str]()
        for one in due[:_AT_ONCE]:
            name = one.attempt.offer.provider
            if name in silent:
                continue
            try:
                settled += await self._one(one)
            except ProviderError as error:
                silent.add(name)
                log.warning("the bill of %s at %s cannot be read: %s", one.rental, name, error)
        return settled

    def _is_due(self, owed: Owed, now: datetime) -> bool:
        attempt = owed.attempt
        provider = self._hands.providers.get(attempt.offer.provider)
        if provider is None or not provider.capabilities.books:
            return False
        waits = attempt.billed_at is not None and now < attempt.billed_at + FIRST
        return not waits and (owed.rental, attempt.number) not in self._asked

    async def _elected(self, now: datetime) -> bool:
        return await self._hands.store.leases.take(
            "settle", token=self._token, now=now, until=now + 2 * EVERY
        )

    async def _one(self, owed: Owed) -> bool:
        attempt, hands = owed.attempt, self._hands
        self._asked[owed.rental, attempt.number] = hands.clock.now()
        assert attempt.machine_id is not None and attempt.gone_at is not None  # noqa: PT018 - the query's promise
        provider = hands.providers[attempt.offer.provider]
        bill = await provider.bill(attempt.machine_id, attempt.label, attempt.tried_at, attempt.gone_at)
        return bill is not None and await self._write(owed, bill)

    async def _write(self, owed: Owed, bill: Bill) -> bool:
        """Whether it is settled now."""
        attempt, now, ledger = owed.attempt, self._hands.clock.now(), self._hands.store.ledger
        if attempt.billed != bill.amount or attempt.billed_at is None:
            await ledger.told(owed, bill.amount, billed_at=now, settled_at=None)
            return False
        entries = [_entry(owed, bill, now)]
        return await ledger.told(
            owed, bill.amount, billed_at=attempt.billed_at, settled_at=now, entries=entries
        )


def _entry(owed: Owed, bill: Bill, now: datetime) -> Entry:
    attempt = owed.attempt
    ours = budget.cost(attempt, now)
    exact = f"billed ${bill.amount.dollars:f}, counted ${ours.dollars:f}"
    where = f"machine {attempt.number} at {attempt.offer.provider}"
    told = "the bill is not our count" if matters(ours, bill.amount) else "settled"
    return Entry("bill", f"{where}: {told}: {exact}", cost=bill.amount)
