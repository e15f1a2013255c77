"""Spin up: intent written and committed, then one launch call, never repeated; afterwards only looking by label."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain import label as labels
from bot.domain.clocktime import short, utc
from bot.domain.errors import NeedsHuman, NoCapacity, ProviderError, TryLater
from bot.domain.ladder import MOST_REFUSALS
from bot.domain.market import Access, LaunchOrder, Machine, MachineState, Offer
from bot.domain.money import Usd
from bot.domain.rental import Attempt, Blame, Done, Fail, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.common import pace
from bot.market import matching
from bot.store.rows import Entry

_POLL = timedelta(seconds=2)
_LONG = timedelta(minutes=1)
_PUT_OFFS = 3
"""Who puts off longer or more often than this is passed over for another provider, where there is one."""
_ENROLS = 4
"""Tries to let the key in by a call."""


async def run(turn: Pass) -> Outcome:
    """Facts of the attempt: machine_id, then running_at and access."""
    attempt = turn.rental.attempt
    chosen = attempt.offer if attempt else turn.rental.offer
    if chosen is not None and chosen.provider not in turn.hands.providers:
        return Fail(f"{chosen.provider} is not configured any more", Blame.HUMAN)
    if attempt is None:
        return await _launch(turn)
    if attempt.machine_id is None:
        return await _look_by_label(turn, attempt)
    return await _boot(turn, attempt)


async def _launch(turn: Pass) -> Outcome:
    rental, hands, now = turn.rental, turn.hands, turn.now
    offer, provider = rental.offer, turn.provider
    assert offer is not None
    comes = hands.line.turn_of(rental.id, offer.provider, now)
    if comes > now:
        return Wait(comes, f"other launches at {offer.provider} come first; its turn comes at {utc(comes)}")
    number = len(rental.attempts) + 1
    until = now + hands.limits.max_lifetime
    label = labels.make(rental.namespace, rental.id, number, until)
    key_ref = f"{rental.id}-{number}"
    public = await hands.store.vault.new_keypair(key_ref, now=now)
    intent = Attempt(number=number, label=label, offer=offer, tried_at=now)
    after = replace(rental, attempts=(*rental.attempts, intent), began_at=rental.began_at or now)
    await turn.record(
        after, Entry("launch", f"attempt {number}: asks {offer.provider} for {offer.gpu} as {label}")
    )
    if turn.claim.until - turn.now <= provider.capabilities.launch_limit:
        # A pass that was held up this long may be one of two: leave the launch to whoever comes next.
        return Fail("the launch was put off", Blame.OFFER, attempt={"gone_at": turn.now})
    order = LaunchOrder(
        label=label,
        public_key=public,
        disk_gb=rental.want.disk_gb,
        key_ref=key_ref,
        most_hourly=offer.ceiling,
    )
    try:
        machine_id = await provider.launch(offer, order)
    except NoCapacity as error:
        return Fail(error.reason, Blame.OFFER, attempt={"refused": True})
    except NeedsHuman as error:
        return _refused_for_good(turn, error)
    except TryLater as error:
        return _refused_for_now(turn, error, number)
    except ProviderError as error:
        # OutcomeUnknown, and an answer to a write that cannot be read: it may have worked.
        return Wait(turn.now + _POLL, f"the answer to the launch was lost ({error.reason}); looking by label")
    turn.entries.append(Entry("machine", f"attempt {number}: machine {machine_id}"))
    return Wait(turn.now, "booting", attempt={"machine_id": machine_id, "booting_at": now})


def _others(turn: Pass) -> bool:
    """Whether somebody else may have what is wanted."""
    asked = matching(turn.hands.providers.values(), turn.rental.want.provider)
    barred = {one.offer.provider for one in turn.rental.attempts if one.barred} | {turn.provider.name}
    return any(one.name not in barred for one in asked)


def _refused_for_good(turn: Pass, error: NeedsHuman) -> Outcome:
    """Nothing was created, and this provider will not create anything before a person has mended it: the others are
    asked, where there are others."""
    blame = Blame.OFFER if _others(turn) else Blame.HUMAN
    return Fail(error.reason, blame, attempt={"refused": True, "barred": True})


def _refused_for_now(turn: Pass, error: TryLater, number: int) -> Outcome:
    """Nothing was created: the same offer again after a while, under the next number."""
    gone = {"refused": True, "condemned": error.reason}
    if _others(turn) and (error.after > _LONG or number % _PUT_OFFS == 0):
        return Fail(error.reason, Blame.OFFER, attempt={"refused": True})
    if number >= MOST_REFUSALS:
        return Fail(f"the provider puts every launch off: {error.reason}", Blame.HUMAN, attempt=gone)
    wait = max(error.after, timedelta(seconds=min(60, 2**number)))
    return Wait(turn.now + wait, f"the provider asks to wait: {error.reason}", attempt=gone, stumble=True)


def settled_at(turn: Pass, attempt: Attempt) -> datetime:
    """From this moment a complete listing without our label proves that the launch had no effect."""
    can = turn.hands.providers[attempt.offer.provider].capabilities
    return attempt.tried_at + can.launch_limit + can.settle


async def _look_by_label(turn: Pass, attempt: Attempt) -> Outcome:
    settled = settled_at(turn, attempt)
    newer_than = max(attempt.tried_at, settled if turn.now >= settled else attempt.tried_at, turn.now - _POLL)
    try:
        listing = await turn.hands.watch.listing(attempt.offer.provider, newer_than=newer_than)
    except ProviderError as error:
        return Wait(turn.now + 2 * _POLL, f"cannot look for the machine: {error.reason}", stumble=True)
    found = listing.under(attempt.label)
    if found:
        turn.entries.append(
            Entry("adopt", f"attempt {attempt.number}: found machine {found[0].id} by its label")
        )
        return Wait(turn.now, "booting", attempt={"machine_id": found[0].id, "booting_at": attempt.tried_at})
    if turn.now < settled:
        return Wait(min(settled, turn.now + 2 * _POLL), "looking by label for what the lost launch brought")
    return Fail("the launch had no effect", Blame.OFFER)


async def _boot(turn: Pass, attempt: Attempt) -> Outcome:
    try:
        machine, seen_at = await _machine(turn, attempt)
        if machine is None:
            if turn.now < settled_at(turn, attempt):
                return Wait(turn.now + _POLL, "the machine is not listed yet")
            return Fail("the machine vanished while it booted", Blame.HOST)
        if machine.hourly is not None and machine.hourly > attempt.offer.ceiling:
            return _too_dear(attempt.offer, machine.hourly)
        if machine.state is MachineState.RUNNING and machine.access is not None:
            return await _let_in(turn, attempt, machine, machine.access)
    except ProviderError as error:
        return Wait(turn.now + 2 * _POLL, f"cannot ask for the machine: {error.reason}", stumble=True)
    if machine.state in (MachineState.STOPPED, MachineState.ENDING):
        return Fail(f"the machine stopped while it booted{_because(machine)}", Blame.HOST)
    limit = attempt.offer.boot_limit or turn.provider.capabilities.boot_limit
    if turn.now >= attempt.tried_at + limit:
        why = await last_words(turn, attempt) or machine.reason
        return Fail(f"the machine did not boot within {short(limit)}{f': {why}' if why else ''}", Blame.HOST)
    wait = pace(turn.now - attempt.tried_at)
    return Wait(turn.now + wait, f"booting{_because(machine)}", attempt={"booting_at": seen_at})


async def _machine(turn: Pass, attempt: Attempt) -> tuple[Machine | None, datetime]:
    """From the listing that all booting machines share, and when that was asked for; asked for by itself only when it
    is not listed."""
    assert attempt.machine_id is not None
    newer_than = max(attempt.tried_at, turn.now - turn.provider.capabilities.listing_shared)
    listing = await turn.hands.watch.listing(attempt.offer.provider, newer_than=newer_than)
    if (listed := listing.by_id(attempt.machine_id)) is not None:
        return listed, listing.asked_at
    now = turn.now
    return await turn.provider.inspect(attempt.machine_id), now


async def _let_in(turn: Pass, attempt: Attempt, machine: Machine, access: Access) -> Outcome:
    """It runs: the key is let in where that takes a call, and what the vendor says it costs is what is counted."""
    key_ref = access.key_ref or f"{turn.rental.id}-{attempt.number}"
    if access.kind == "ssh":
        public = await turn.hands.store.vault.new_keypair(key_ref, now=turn.now)
        try:
            await turn.provider.enrol(machine.id, public)
        except ProviderError:
            if turn.rental.stumbles < _ENROLS:
                raise
            # It may be in already, with the launch; whether it is, gate 3 finds out within its own deadline.
            turn.entries.append(
                Entry("trouble", f"attempt {attempt.number}: the key could not be let in by a call")
            )
    facts: dict[str, Any] = {"running_at": turn.now, "access": replace(access, key_ref=key_ref)}
    if machine.hourly is not None and machine.hourly != attempt.offer.hourly:
        facts["offer"] = replace(attempt.offer, hourly=machine.hourly)
    return Done(attempt=facts, said=f"machine {machine.id} is running")


def _too_dear(offer: Offer, hourly: Usd) -> Outcome:
    agreed = f"{offer.hourly.rate()} was agreed"
    # Nothing is wrong with its host: nobody has to avoid it. What it costs until it is ended is what it says.
    return Fail(
        f"the machine costs {hourly.rate()} where {agreed}",
        Blame.OFFER,
        attempt={"offer": replace(offer, host="", hourly=hourly)},
    )


async def last_words(turn: Pass, attempt: Attempt) -> str:
    """What the vendor says about a machine that does not come up; nothing when it cannot be asked."""
    try:
        return await turn.provider.words(attempt.machine_id or "")
    except ProviderError:
        return ""


def _because(machine: Machine) -> str:
    return f": {machine.reason}" if machine.reason else ""
