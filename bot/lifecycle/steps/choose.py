"""Choose: the cheapest offer that fits, its price, and the most it can cost. Nothing is rented here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain import budget, traffic
from bot.domain.clocktime import short
from bot.domain.market import REMEMBERED, Offer
from bot.domain.money import Usd
from bot.domain.rental import Blame, Done, Fail, Goal, Outcome, Rental, Wait
from bot.lifecycle.hands import Pass
from bot.market import gather, matching
from bot.recipes import BrokenRecipe, asked_for

_ASK_AGAIN = 8
"""So often a provider that could not answer is asked again before the offers of the others are all there is."""


async def run(turn: Pass) -> Outcome:
    """Facts: offer, worst_case, quoted_at; reasked_at where only a dearer machine than was confirmed can be had.
    Fails when nothing fits, with what the providers said."""
    rental = turn.rental
    offers, problems = await _look(turn)
    within = [offer for offer in offers if _fits(turn, offer, _limit(rental))]
    dearer = [offer for offer in offers if _fits(turn, offer, rental.budget)]
    if not within and problems and rental.stumbles < _ASK_AGAIN:
        told = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        wait = timedelta(seconds=min(30, 2 ** (rental.stumbles + 1)))
        return Wait(turn.now + wait, told, stumble=True)
    if within:
        offer = within[0]
        kept = rental.began_at and rental.worst_case is not None
        return _chosen(turn, offer, rental.worst_case if kept and rental.worst_case else _worst(turn, offer))
    if dearer and rental.began_at:
        worst = _worst(turn, dearer[0])
        asked = {} if worst <= turn.hands.limits.auto_confirm else {"reasked_at": _after_the_yes(turn)}
        return _chosen(turn, dearer[0], worst, asked)
    return Fail(_why_none(rental, offers, problems), Blame.OFFER, fix=_what_instead(turn, offers))


async def _look(turn: Pass) -> tuple[list[Offer], dict[str, str]]:
    """Offers without those that were refused at this price, of providers that are of use, on hosts that are not
    known to be bad, here or in another rental."""
    rental, hands = turn.rental, turn.hands
    refused = {(one.offer.id, one.offer.hourly) for one in rental.attempts if one.refused}
    barred = {one.offer.provider for one in rental.attempts if one.barred}
    asked = [
        one for one in matching(hands.providers.values(), rental.want.provider) if one.name not in barred
    ]
    elsewhere = await hands.store.rentals.bad_hosts(since=turn.now - REMEMBERED)
    avoid = rental.want.avoid | _bad_hosts(rental)
    usable: list[Offer] = []
    problems: dict[str, str] = {}
    want = replace(rental.want, lifetime=rental.want.lifetime or rental.lifetime)
    for shunned in (avoid | elsewhere, avoid, rental.want.avoid | _bad_hosts(rental, proven=True)):
        # Where nothing else is left, a host that was bad for others gets a chance, and in the end one whose machine
        # never ran: it may only have been interrupted.
        offers, problems = await gather(asked, replace(want, avoid=shunned))
        usable = [offer for offer in offers if (offer.id, offer.hourly) not in refused]
        if usable or problems or not (avoid | elsewhere):
            break  # an answer that did not come is no reason to take a host that is known to be bad
    return usable, problems


def _after_the_yes(turn: Pass) -> datetime:
    """Now, and in any case after the confirm of the old price: the clocks of two processes may differ."""
    confirmed = turn.rental.confirmed_at
    return max(turn.now, confirmed + timedelta(microseconds=1)) if confirmed else turn.now


def _chosen(turn: Pass, offer: Offer, worst: Usd, more: Mapping[str, Any] | None = None) -> Done:
    said = f"chose {offer.gpu} x{offer.count} at {offer.hourly.rate()} on {offer.provider}; at most {worst}"
    facts: dict[str, Any] = {"offer": offer, "worst_case": worst, "quoted_at": turn.now, **(more or {})}
    if worst != turn.rental.worst_case or not turn.rental.worst_how:
        facts["worst_how"] = _how(turn, offer)
    return Done(facts=facts, said=said + (", which has to be confirmed anew" if more else ""))


def may_go_unasked(turn: Pass, rental: Rental) -> bool:
    """Whether policy lets this price through without a confirm."""
    worst = rental.worst_case
    return rental.goal is Goal.QUOTED and worst is not None and worst <= turn.hands.limits.auto_confirm


def _limit(rental: Rental) -> Usd:
    """The budget; and once it was confirmed, the worst case that was shown."""
    return rental.worst_case if rental.began_at and rental.worst_case is not None else rental.budget


def _fits(turn: Pass, offer: Offer, limit: Usd) -> bool:
    # Each line of the bill is rounded up by itself: a second machine at the same price must not fail by a millionth.
    return _most(turn, offer) <= limit + Usd(len(turn.rental.attempts) + 1)


def _bad_hosts(rental: Rental, *, proven: bool = False) -> frozenset[str]:
    """Hosts whose machine was given up; ``proven``: only those that did run."""
    given_up = [one for one in rental.attempts if one.condemned and one.machine_id and one.offer.host]
    if not proven:
        return frozenset(one.offer.host for one in given_up)
    # Where there are many hosts at one place, the next machine there is probably another one.
    return frozenset(one.offer.host for one in given_up if one.running_at and not one.offer.pool)


def _worst(turn: Pass, offer: Offer) -> Usd:
    """What the rental will have cost at most if it goes on with this offer, up to the cent."""
    return _most(turn, offer).up_to_cent()


def _most(turn: Pass, offer: Offer) -> Usd:
    rental = turn.rental
    latency = turn.hands.providers[offer.provider].capabilities.teardown_latency
    left = (rental.hard_end - turn.now) if rental.hard_end else rental.lifetime
    return budget.spent(rental, turn.now) + budget.most(offer, left, latency, traffic_gb(turn))


def _how(turn: Pass, offer: Offer) -> str:
    rental, latency = turn.rental, turn.hands.providers[offer.provider].capabilities.teardown_latency
    left = (rental.hard_end - turn.now) if rental.hard_end else rental.lifetime
    return budget.how(offer, left, latency, traffic_gb(turn), budget.spent(rental, turn.now))


def traffic_gb(turn: Pass) -> int:
    """What a rental moves in and out at most, GB: data set, tools, base model and results of a training; a round
    figure for a machine that somebody uses by hand."""
    job = turn.rental.job
    if job is None:
        return traffic.BY_HAND_GB
    try:
        recipe = asked_for(job, turn.hands.recipes).recipe
    except BrokenRecipe:
        return traffic.BY_HAND_GB
    return traffic.of_training(recipe, job.dataset_bytes)


def _why_none(rental: Rental, offers: Sequence[Offer], problems: Mapping[str, str]) -> str:
    if rental.attempts and rental.attempts[-1].condemned:
        what = f"no other offer is left after: {rental.attempts[-1].condemned}"
    elif offers:
        what = f"the cheapest fitting offer costs {offers[0].hourly.rate()}, more than the budget covers"
    else:
        want = rental.want
        count = f" x{want.count}" if want.count > 1 else ""
        thing = want.gpu or ("machine" if want.cpu_ok else "GPU")
        what = f"no {thing}{count} is free on {want.provider}"
        if problems:
            what = f"no {thing}{count} was found on {want.provider}, and not everybody could be asked"
    told = [f"{name}: {reason.rstrip('.')}" for name, reason in problems.items()]
    return ". ".join([what[0].upper() + what[1:].rstrip("."), *told]) + "."


def _what_instead(turn: Pass, offers: Sequence[Offer]) -> str:
    rental = turn.rental
    if offers:
        latency = turn.hands.providers[offers[0].provider].capabilities.teardown_latency
        length = budget.lifetime_within(rental.budget, offers[0], latency, traffic_gb(turn))
        if length > timedelta(minutes=5):
            return f"Ask for a shorter time (up to {short(length)}) or a larger budget."
        return "Ask for a larger budget."
    if not rental.want.cpu_ok and not rental.want.gpu:
        return "A computer without a GPU is rented only when you say so: add 'cpu'. 'offers' shows what there is."
    return "'offers' shows what there is, 'status all' what is in use."
