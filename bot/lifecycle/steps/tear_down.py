"""Tear down: ask, ask again, and believe only two complete listings and ``inspect``. It never gives up.

Every attempt is torn down, also one whose launch was never answered: what it may still bring forth is
waited for until the provider's settle window is over. A machine whose id is known is asked to end first of all,
so that a listing that cannot be had or read keeps nothing alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import ProviderError
from bot.domain.market import Machine, MachineState
from bot.domain.rental import Attempt, Done, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.common import pace
from bot.lifecycle.steps.spin_up import settled_at
from bot.lifecycle.watch import Listing
from bot.ports import Provider
from bot.store.rows import Entry

_LOOK = timedelta(seconds=15)
_TIDIES = 2
"""Tries to tidy up after a launch that was refused; the next offer does not wait longer for that."""
_APART = timedelta(seconds=1)
"""Least time between the two listings that prove it."""


async def run(turn: Pass) -> Outcome:
    """Facts of the oldest attempt that is not proven gone: destroy_asked_at, absent_at, gone_at."""
    attempt = next(one for one in turn.rental.attempts if one.gone_at is None)
    if attempt.refused:
        return await _tidy(turn, attempt)
    # Kept also when the asking fails: whoever must hear of a teardown that does not end counts from here.
    asked = {"destroy_asked_at": attempt.destroy_asked_at or turn.now}
    if attempt.destroy_asked_at is None:
        what = attempt.machine_id or f"whatever carries {attempt.label}"
        turn.entries.append(
            Entry("destroy", f"attempt {attempt.number}: asks {attempt.offer.provider} to end {what}")
        )
    if attempt.offer.provider not in turn.hands.providers:
        note = (
            f"{attempt.offer.provider} is not configured any more, so its machine cannot be ended from here"
        )
        return Wait(turn.now + timedelta(minutes=1), note, attempt=asked, stumble=True, of=attempt.number)
    try:
        return await _end(turn, attempt, asked)
    except ProviderError as error:
        slow = timedelta(seconds=min(60, 2 ** min(6, turn.rental.stumbles + 1)))
        note = f"teardown: {error.reason}"
        return Wait(turn.now + slow, note, attempt=asked, stumble=True, of=attempt.number)


async def _end(turn: Pass, attempt: Attempt, asked: Mapping[str, Any]) -> Outcome:
    provider, now = turn.hands.providers[attempt.offer.provider], turn.now
    refusals: list[ProviderError] = []
    if attempt.ended_at is not None:
        # One that came back is billed: seen before it is ended anew, or nobody would ever know.
        before = (await turn.hands.watch.listing(provider.name, newer_than=now)).under(attempt.label)
        asked = {**asked, **(_billed_until(attempt, before, now) if before else {})}
        attempt = replace(attempt, **asked)
    if attempt.machine_id:
        await _ask(provider, attempt.machine_id, refusals)
    listing = await turn.hands.watch.listing(provider.name, newer_than=now)
    listed = {machine.id for machine in listing.under(attempt.label)}
    for machine_id in sorted(listed - {attempt.machine_id}):
        await _ask(provider, machine_id, refusals)
    if refusals:
        raise refusals[0]
    here = await _still_there(provider, attempt, listing)
    asked = {**asked, **_billed_until(attempt, here, turn.now)}
    if attempt.machine_id is None and listed:
        asked["machine_id"] = min(
            listed
        )  # what a lost launch brought forth is known from now on, and counted
    if here or attempt.destroy_asked_at is None:
        note = "asked the provider to end the machine"
        again = now + pace(now - asked["destroy_asked_at"])
        return Wait(again, note, attempt={**asked, "absent_at": None}, of=attempt.number)
    return await _proven(turn, replace(attempt, **asked), listing, asked)


async def _still_there(provider: Provider, attempt: Attempt, listing: Listing) -> tuple[Machine, ...]:
    here = listing.under(attempt.label)
    if here or attempt.machine_id is None:
        return here
    found = listing.by_id(attempt.machine_id) or await provider.inspect(attempt.machine_id)
    return (found,) if found is not None else ()


def _billed_until(attempt: Attempt, here: tuple[Machine, ...], now: datetime) -> dict[str, Any]:
    """Vendors bill until they take the destroy. One that was taken and had no effect does not count: the machine is
    still there afterwards and is not ending."""
    lied = any(one.state is not MachineState.ENDING for one in here)
    known = {"ended_at": now} if attempt.ended_at is None or lied else {}
    if attempt.running_at is None and any(one.state is MachineState.RUNNING for one in here):
        # Since when nobody saw: not later than this, so that not less is counted.
        known["running_at"] = attempt.booting_at or attempt.tried_at
    return known


async def _proven(turn: Pass, attempt: Attempt, listing: Listing, asked: Mapping[str, Any]) -> Outcome:
    """Nothing is there: once is not enough."""
    now, settled = turn.now, settled_at(turn, attempt)
    young = attempt.tried_at + turn.hands.providers[attempt.offer.provider].capabilities.settle
    if attempt.machine_id is not None and attempt.running_at is None and now < young:
        # A listing lags, and a vendor may say "not found" of a machine that it has just made.
        return Wait(
            min(young, now + _LOOK), "too young to be believed gone", attempt=asked, of=attempt.number
        )
    if attempt.machine_id is None and now < settled:
        return Wait(settled, "waiting out what the lost launch may still bring", of=attempt.number)
    if attempt.absent_at is not None and attempt.absent_at > now:
        attempt = replace(attempt, absent_at=None)  # the clock was set back
    if attempt.absent_at is None or listing.asked_at < attempt.absent_at + _APART:
        seen = attempt.absent_at or now
        known = {name: asked[name] for name in ("ended_at", "running_at") if name in asked}
        return Wait(
            turn.now + _APART,
            "looking a second time",
            attempt={**known, "absent_at": seen},
            of=attempt.number,
        )
    return await _tidy(turn, attempt)


async def _tidy(turn: Pass, attempt: Attempt) -> Outcome:
    """The last of it: what the launch left on the account, and its key."""
    provider = turn.hands.providers.get(attempt.offer.provider)
    try:
        if provider is not None:
            await provider.tidy(attempt.label)
    except ProviderError as error:
        if attempt.refused and turn.rental.stumbles >= _TIDIES:
            note = f"attempt {attempt.number}: nothing was created; its key may be left there: {error.reason}"
            return Done(attempt={"gone_at": turn.now}, said=note, of=attempt.number)
        slow = timedelta(seconds=min(60, 2 ** min(6, turn.rental.stumbles + 1)))
        note = f"what the launch left on the account cannot be removed yet: {error.reason}"
        return Wait(turn.now + slow, note, stumble=True, of=attempt.number)
    await turn.hands.store.vault.forget(f"{turn.rental.id}-{attempt.number}")
    said = f"attempt {attempt.number}: {'nothing was created' if attempt.refused else 'proven gone'}"
    return Done(attempt={"gone_at": turn.now}, said=said, of=attempt.number)


async def _ask(provider: Provider, machine_id: str, refusals: list[ProviderError]) -> None:
    """One machine that cannot be ended must not spare the others."""
    try:
        await provider.destroy(machine_id)
    except ProviderError as error:
        refusals.append(error)
