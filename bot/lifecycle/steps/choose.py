"""Choose: the cheapest offer that fits, its price, and the most it can cost. Nothing is rented here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain import budget
from bot.domain.clocktime import short
from bot.domain.market import Offer
from bot.domain.money import Usd
from bot.domain.rental import Blame, Done, Fail, Goal, Outcome, Rental, Wait
from bot.lifecycle.hands import Pass
from bot.market import gather, matching

_ASK_AGAIN = 3
"""So often a provider that could not answer is asked again before the offers of the others are all there is."""


async def run(turn: Pass) -> Outcome:
    """Facts: offer, worst_case, quoted_at. Fails when nothing fits, with what the providers said."""
    rental, hands = turn.rental, turn.hands
    refused = frozenset(one.offer.id for one in rental.attempts if one.refused)
    asked = matching(hands.providers.values(), rental.want.provider)
    offers, problems = await gather(asked, replace(rental.want, avoid=rental.want.avoid | _bad_hosts(rental)))
    if not offers:
        # Nothing else is left: a host whose machine never ran may only have been interrupted; it gets another chance.
        proven = rental.want.avoid | _bad_hosts(rental, proven=True)
        offers, problems = await gather(asked, replace(rental.want, avoid=proven))
    affordable = [offer for offer in offers if offer.id not in refused and _fits(turn, offer)]
    if not affordable and problems and rental.stumbles < _ASK_AGAIN:
        told = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        return Wait(turn.now + timedelta(seconds=2 ** (rental.stumbles + 1)), told, stumble=True)
    if not affordable:
        return Fail(_why_none(rental, offers, problems), Blame.OFFER, fix=_what_instead(turn, offers))
    offer = affordable[0]
    worst = rental.worst_case if rental.began_at and rental.worst_case is not None else _worst(turn, offer)
    said = f"chose {offer.gpu} x{offer.count} at {offer.hourly.rate()} on {offer.provider}; at most {worst}"
    return Done(facts={"offer": offer, "worst_case": worst, "quoted_at": turn.now}, said=said)


def may_go_unasked(turn: Pass, rental: Rental) -> bool:
    """Whether policy lets this price through without a confirm."""
    worst = rental.worst_case
    return rental.goal is Goal.QUOTED and worst is not None and worst <= turn.hands.limits.auto_confirm


def _fits(turn: Pass, offer: Offer) -> bool:
    """Within the budget; and once it was confirmed, within the worst case that was shown."""
    rental = turn.rental
    limit = rental.worst_case if rental.began_at and rental.worst_case is not None else rental.budget
    # Each line of the bill is rounded up by itself: a second machine at the same price must not fail by a millionth.
    return _most(turn, offer) <= limit + Usd(len(rental.attempts) + 1)


def _bad_hosts(rental: Rental, *, proven: bool = False) -> frozenset[str]:
    """Hosts whose machine was given up; ``proven``: only those that did run."""
    given_up = [one for one in rental.attempts if one.condemned and one.machine_id and one.offer.host]
    return frozenset(one.offer.host for one in given_up if one.running_at or not proven)


def _worst(turn: Pass, offer: Offer) -> Usd:
    """What the rental will have cost at most if it goes on with this offer, up to the cent."""
    return _most(turn, offer).up_to_cent()


def _most(turn: Pass, offer: Offer) -> Usd:
    rental = turn.rental
    latency = turn.hands.providers[offer.provider].capabilities.teardown_latency
    left = (rental.hard_end - turn.now) if rental.hard_end else rental.lifetime
    return budget.spent(rental, turn.now) + budget.most(offer, left, latency)


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
