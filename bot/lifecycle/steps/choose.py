"""Choose: the cheapest offer that fits, its price, and the most it can cost. Nothing is rented here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from bot.domain import budget
from bot.domain.clocktime import short
from bot.domain.market import Offer
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Blame, Done, Fail, Goal, Outcome, Rental, Wait
from bot.lifecycle.hands import Pass
from bot.market import gather, matching

TOLERANCE = Fraction(105, 100)
"""A second machine may cost this much more an hour than what was confirmed; above that it is not taken."""
_ASK_AGAIN = 3
"""So often a provider that could not answer is asked again before the offers of the others are all there is."""


async def run(turn: Pass) -> Outcome:
    """Facts: offer, worst_case, quoted_at. Fails when nothing fits, with what the providers said."""
    rental, hands = turn.rental, turn.hands
    bad = frozenset(
        one.offer.host for one in rental.attempts if one.condemned and one.machine_id and one.offer.host
    )
    refused = frozenset(one.offer.id for one in rental.attempts if one.refused)
    asked = matching(hands.providers.values(), rental.want.provider)
    offers, problems = await gather(asked, replace(rental.want, avoid=rental.want.avoid | bad))
    affordable = [offer for offer in offers if offer.id not in refused and _fits(turn, offer)]
    if not affordable and problems and rental.stumbles < _ASK_AGAIN:
        told = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        return Wait(turn.now + timedelta(seconds=2 ** (rental.stumbles + 1)), told, stumble=True)
    if not affordable:
        return Fail(_why_none(rental, offers, problems), Blame.OFFER, fix=_what_instead(turn, offers))
    offer = affordable[0]
    # A second machine may be a little dearer: what it can cost at most is said anew, within the budget.
    worst = max(_worst(turn, offer), rental.worst_case or ZERO) if rental.began_at else _worst(turn, offer)
    said = f"chose {offer.gpu} x{offer.count} at {offer.hourly.rate()} on {offer.provider}; at most {worst}"
    return Done(facts={"offer": offer, "worst_case": worst, "quoted_at": turn.now}, said=said)


def may_go_unasked(turn: Pass, rental: Rental) -> bool:
    """Whether policy lets this price through without a confirm."""
    worst = rental.worst_case
    return rental.goal is Goal.QUOTED and worst is not None and worst <= turn.hands.limits.auto_confirm


def _fits(turn: Pass, offer: Offer) -> bool:
    rental = turn.rental
    first = rental.attempts[0].offer if rental.attempts else None
    if first is not None and offer.hourly.micros > first.hourly.micros * TOLERANCE:
        return False
    return _worst(turn, offer) <= rental.budget


def _worst(turn: Pass, offer: Offer) -> Usd:
    """What the rental will have cost at most if it goes on with this offer."""
    rental = turn.rental
    latency = turn.hands.providers[offer.provider].capabilities.teardown_latency
    left = (rental.hard_end - turn.now) if rental.hard_end else rental.lifetime
    return budget.worst_case(offer, left, latency, before=budget.spent(rental, turn.now))


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
    told = [f"{name}: {reason.rstrip('.')}" for name, reason in problems.items()]
    return ". ".join([what[0].upper() + what[1:].rstrip("."), *told]) + "."


def _what_instead(turn: Pass, offers: Sequence[Offer]) -> str:
    rental = turn.rental
    if offers:
        latency = turn.hands.providers[offers[0].provider].capabilities.teardown_latency
        length = budget.lifetime_within(rental.budget, offers[0], latency)
        if length > timedelta(minutes=5):
            return f"Ask for a shorter time (up to {short(length)}) or a larger budget."
        return "Ask for a larger budget."
    if not rental.want.cpu_ok and not rental.want.gpu:
        return "A computer without a GPU is rented only when you say so: add 'cpu'. 'offers' shows what there is."
    return "'offers' shows what there is, 'status all' what is in use."
