"""Spin up: intent written and committed, then one launch call, never repeated; afterwards only looking by label."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import label as labels
from bot.domain.errors import NeedsHuman, NoCapacity, ProviderError, TryLater
from bot.domain.ladder import MOST_REFUSALS
from bot.domain.market import LaunchOrder, Machine, MachineState
from bot.domain.rental import Attempt, Blame, Done, Fail, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.common import pace
from bot.store.rows import Entry

_POLL = timedelta(seconds=2)


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
    order = LaunchOrder(label=label, public_key=public, disk_gb=rental.want.disk_gb, key_ref=key_ref)
    try:
        machine_id = await provider.launch(offer, order)
    except NoCapacity as error:
        return Fail(error.reason, Blame.OFFER, attempt={"refused": True, "gone_at": turn.now})
    except NeedsHuman as error:
        return Fail(error.reason, Blame.HUMAN, attempt={"refused": True, "gone_at": turn.now})
    except TryLater as error:
        return _refused_for_now(turn, error, number)
    except ProviderError as error:
        # OutcomeUnknown, and an answer to a write that cannot be read: it may have worked.
        return Wait(turn.now + _POLL, f"the answer to the launch was lost ({error.reason}); looking by label")
    turn.entries.append(Entry("machine", f"attempt {number}: machine {machine_id}"))
    return Wait(turn.now, "booting", attempt={"machine_id": machine_id})


def _refused_for_now(turn: Pass, error: TryLater, number: int) -> Outcome:
    """Nothing was created: the same offer again after a while, under the next number."""
    gone = {"refused": True, "gone_at": turn.now, "condemned": error.reason}
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
        return Wait(turn.now, "booting", attempt={"machine_id": found[0].id})
    if turn.now < settled:
        return Wait(min(settled, turn.now + 2 * _POLL), "looking by label for what the lost launch brought")
    return Fail("the launch had no effect", Blame.OFFER)


async def _boot(turn: Pass, attempt: Attempt) -> Outcome:
    assert attempt.machine_id is not None
    can = turn.provider.capabilities
    try:
        machine = await turn.provider.inspect(attempt.machine_id)
    except ProviderError as error:
        return Wait(turn.now + 2 * _POLL, f"cannot ask for the machine: {error.reason}", stumble=True)
    if machine is None:
        if turn.now < settled_at(turn, attempt):
            return Wait(turn.now + _POLL, "the machine is not listed yet")
        return Fail("the machine vanished while it booted", Blame.HOST)
    if machine.state is MachineState.RUNNING and machine.access is not None:
        return Done(
            attempt={"running_at": turn.now, "access": machine.access},
            said=f"machine {machine.id} is running",
        )
    if machine.state in (MachineState.STOPPED, MachineState.ENDING):
        return Fail(f"the machine stopped while it booted{_because(machine)}", Blame.HOST)
    if turn.now >= attempt.tried_at + can.boot_limit:
        return Fail(f"the machine did not boot in time{_because(machine)}", Blame.HOST)
    return Wait(turn.now + pace(turn.now - attempt.tried_at), f"booting{_because(machine)}")


def _because(machine: Machine) -> str:
    return f": {machine.reason}" if machine.reason else ""
