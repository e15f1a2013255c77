"""Requests for approval that were overtaken: the rental is over, and its card must not ask anybody any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain import approval as approvals
from bot.domain.approval import Verdict
from bot.store import Store
from bot.store.rows import Entry, Say


async def lapse(store: Store, now: datetime) -> int:
    """Close each of them and rewrite its card where it was said; returns how many."""
    done = 0
    for tab in await store.approvals.overtaken():
        rental, approval = await store.rentals.get(tab), await store.approvals.get(tab)
        if rental is None or approval is None or approval.verdict is not None:
            continue
        after = replace(approval, verdict=Verdict.LAPSED, decided_at=now)
        # The key is known to the outbox with its channel: only the words are new.
        card = Say(approvals.card_key(tab), rental.channel, approvals.card(rental, after))
        entry = Entry("approval", "nobody decided before it was over")
        done += (
            await store.approvals.decide(
                approval, Verdict.LAPSED, by=None, said="", now=now, entry=entry, says=[card]
            )
            is not None
        )
    return done
