"""Adoption: a machine that nobody knew becomes the machine of a rental, with the usual budget and time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import budget, label
from bot.domain.clocktime import short, utc
from bot.domain.errors import Refused
from bot.domain.market import MachineState, Offer, Want
from bot.domain.money import ZERO, Usd
from bot.domain.orphan import Orphan
from bot.domain.rental import Attempt, Goal, Rental
from bot.domain.talk import Actor, Channel

LEAST = timedelta(minutes=10)
"""Who could keep it for less than this is told so, instead of losing it before they have looked at it."""
_LONGEST_LABEL = 60
"""The store keeps no longer one."""


@dataclass(frozen=True, slots=True)
class Adopter:
    """Who takes it, where, and on which terms."""

    actor: Actor
    channel: Channel
    namespace: str
    budget: Usd
    lifetime: timedelta
    latency: timedelta
    """The provider's teardown latency, which is part of the worst case."""


def adopted(orphan: Orphan, rental: str, adopter: Adopter, now: datetime) -> Rental:
    """The rental, ready and running from now on: what it has cost before is nobody's. It wants this machine and no
    other, so that none is rented in its place when it is lost.

    Raises ``Refused`` when it cannot be kept on these terms."""
    offer = _offer(orphan)
    lifetime = _lifetime(orphan, offer, adopter, now)
    attempt = Attempt(
        number=1,
        label=orphan.label,
        offer=offer,
        tried_at=now,
        machine_id=orphan.machine_id,
        running_at=now,
        ready_at=now,
    )
    return Rental(
        id=rental,
        namespace=adopter.namespace,
        owner=adopter.actor,
        channel=adopter.channel,
        created_at=now,
        want=Want(provider=orphan.name, gpu=orphan.gpu or None, cpu_ok=True),
        job=None,
        budget=adopter.budget,
        lifetime=lifetime,
        goal=Goal.READY,
        confirmed_at=now,
        confirmed_by=adopter.actor.key,
        offer=offer,
        worst_case=budget.worst_case(offer, lifetime, adopter.latency),
        quoted_at=now,
        began_at=now,
        attempts=(attempt,),
    )


def _offer(orphan: Orphan) -> Offer:
    """What is known of it as if it had been offered."""
    note = "adopted; how it is equipped was not looked at"
    if orphan.hourly is None:
        note = "adopted; its provider does not tell what it costs, so that its cost is not counted"
    return Offer(
        provider=orphan.provider,
        id=orphan.machine_id,
        gpu=orphan.gpu or "unknown GPU",
        count=1,
        vram_gb=0,
        hourly=ZERO if orphan.hourly is None else orphan.hourly,
        note=note,
    )


def _lifetime(orphan: Orphan, offer: Offer, adopter: Adopter, now: datetime) -> timedelta:
    """The usual one, within the budget, and never past the time in the label."""
    if orphan.state in (MachineState.STOPPED, MachineState.ENDING):
        raise Refused(
            f"{orphan.name} does not run: it is {orphan.state}.",
            help=f"To end it: orphans kill {orphan.name}",
        )
    if len(orphan.label) > _LONGEST_LABEL:
        raise Refused(
            f"The label of {orphan.name} has more than {_LONGEST_LABEL} characters, so it was not made here."
        )
    parsed = label.parse(orphan.label)
    if parsed is not None and parsed.until - now < LEAST:
        raise Refused(
            f"The label of {orphan.name} allows it to exist until {utc(parsed.until)} and no longer.",
            help=f"To keep it all the same: orphans ignore {orphan.name}",
        )
    within = budget.lifetime_within(adopter.budget, offer, adopter.latency)
    if within < LEAST:
        raise Refused(
            f"The usual budget of {adopter.budget} does not pay for {short(LEAST)} of {orphan.name} "
            f"at {offer.hourly.rate()}.",
            help=f"To keep it all the same: orphans ignore {orphan.name}",
        )
    return min(adopter.lifetime, within, *([parsed.until - now] if parsed else []))
