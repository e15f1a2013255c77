"""Tear down: ask, ask again, and believe only two complete listings and ``inspect``. It never gives up.

Every attempt is torn down, also one whose launch was never answered: what it may still bring forth is
waited for until the provider's settle window is over.
"""

from __future__ import annotations

from datetime import timedelta

from bot.domain.errors import ProviderError
from bot.domain.rental import Attempt, Done, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.spin_up import settled_at
from bot.store.rows import Entry

_AGAIN = timedelta(seconds=2)
_APART = timedelta(seconds=1)
"""Least time between the two listings that prove it."""


async def run(turn: Pass) -> Outcome:
    """Facts of the oldest attempt that is not proven gone: destroy_asked_at, absent_at, gone_at."""
    attempt = next(one for one in turn.rental.attempts if one.gone_at is None)
    try:
        return await _end(turn, attempt)
    except KeyError:
        return Wait(
            turn.now + timedelta(minutes=1),
            f"{attempt.offer.provider} is not configured any more, so its machine cannot be ended from here",
            stumble=True,
        )
    except ProviderError as error:
        slow = timedelta(seconds=min(60, 2 ** min(6, turn.rental.stumbles + 1)))
        return Wait(turn.now + slow, f"teardown: {error.reason}", stumble=True)


async def _end(turn: Pass, attempt: Attempt) -> Outcome:
    provider = turn.hands.providers[attempt.offer.provider]
    now = turn.now
    listing = await turn.hands.watch.listing(provider.name, newer_than=now)
    mine = {machine.id for machine in listing.under(attempt.label)}
    if attempt.machine_id and listing.by_id(attempt.machine_id) is not None:
        mine.add(attempt.machine_id)
    never_asked = attempt.destroy_asked_at is None and attempt.machine_id is not None
    if never_asked and attempt.machine_id:
        mine.add(attempt.machine_id)  # a listing that lags behind must not spare it
    if mine:
        for machine_id in sorted(mine):
            await provider.destroy(machine_id)
        if attempt.destroy_asked_at is None:
            turn.entries.append(
                Entry("destroy", f"attempt {attempt.number}: asked to end {', '.join(sorted(mine))}")
            )
        asked = {"destroy_asked_at": attempt.destroy_asked_at or now, "absent_at": None}
        return Wait(
            turn.now + _AGAIN, "asked the provider to end the machine", attempt=asked, of=attempt.number
        )
    if attempt.machine_id and await provider.inspect(attempt.machine_id) is not None:
        await provider.destroy(attempt.machine_id)
        return Wait(
            turn.now + _AGAIN, "the machine is still there", attempt={"absent_at": None}, of=attempt.number
        )
    settled = settled_at(turn, attempt)
    if attempt.machine_id is None and now < settled:
        return Wait(settled, "waiting out what the lost launch may still bring")
    if attempt.absent_at is None or listing.asked_at < attempt.absent_at + _APART:
        seen = attempt.absent_at or now
        return Wait(
            turn.now + _APART, "looking a second time", attempt={"absent_at": seen}, of=attempt.number
        )
    await turn.hands.store.vault.forget(f"{turn.rental.id}-{attempt.number}")
    said = f"attempt {attempt.number}: proven gone"
    return Done(attempt={"gone_at": turn.now}, said=said, of=attempt.number)
