"""What a rental may cost, has cost, and when someone must hear of it. Pure; all rounding is up."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.market import Offer
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Attempt, Rental

RUNGS = (50, 75, 90)
"""Percent of money or time at which a reminder is due."""
_PULL_MB_PER_S = 5
_LEAST_WINDOW = timedelta(seconds=60)
_SOFT_SHARE = 5
"""The salvage window is at most this part (1/n) of the lifetime."""


def worst_case(offer: Offer, lifetime: timedelta, latency: timedelta, traffic_gb: int = 0) -> Usd:
    """The most this offer can cost, up to the cent: what is shown before anybody confirms."""
    return most(offer, lifetime, latency, traffic_gb).up_to_cent()


def most(offer: Offer, lifetime: timedelta, latency: timedelta, traffic_gb: int = 0) -> Usd:
    """The same to the micro-dollar: the highest rate that is taken unasked, until the hard end plus the teardown's
    latency (and what the vendor rounds up), plus traffic."""
    billed = lifetime + latency + offer.billing_step
    return offer.ceiling.over(billed) + offer.traffic_per_gb * traffic_gb


def lifetime_within(budget: Usd, offer: Offer, latency: timedelta, traffic_gb: int = 0) -> timedelta:
    """The longest lifetime whose worst case ``budget`` covers; negative when not even the latency is covered."""
    left = budget - offer.traffic_per_gb * traffic_gb
    length = left.lasts(offer.ceiling)
    return length if length == timedelta.max else length - latency - offer.billing_step


def spent(rental: Rental, now: datetime) -> Usd:
    """What all attempts cost so far, as their vendors bill."""
    total = ZERO
    for attempt in rental.attempts:
        total += cost(attempt, now)
    return total


def cost(attempt: Attempt, now: datetime) -> Usd:
    """One attempt, by its offer's terms. What is not known yet counts as billed: a launch whose answer was lost until
    it is proven that nothing came of it, a boot until the machine is seen to run."""
    offer, end = attempt.offer, attempt.ended_at or attempt.gone_at or now
    if attempt.refused or (attempt.gone_at is not None and attempt.machine_id is None):
        return ZERO
    total = offer.disk_hourly.over(end - attempt.tried_at)
    total += Usd(-(-offer.traffic_per_gb.micros * attempt.traffic_bytes // 10**9))
    start: datetime | None = attempt.tried_at
    if offer.gpu_from_running and (attempt.running_at is not None or attempt.ended_at is not None):
        start = attempt.running_at
    if start is None or start >= end:
        return total
    length = end - start
    if offer.billing_step:
        length = -(-length // offer.billing_step) * offer.billing_step
    return total + (offer.hourly - offer.disk_hourly).over(length)


def salvage_window(rental: Rental, megabytes: float) -> timedelta:
    """Time kept free before the hard end to pull what there is; paid for inside the budget."""
    need = timedelta(seconds=2 * megabytes / _PULL_MB_PER_S)
    return min(max(need, _LEAST_WINDOW), rental.lifetime / _SOFT_SHARE)


def soft_end(rental: Rental, megabytes: float) -> datetime | None:
    """Training stops here and what there is gets pulled. Only a rental that trains has one."""
    end = rental.hard_end
    return end - salvage_window(rental, megabytes) if end and rental.job else None


def used(rental: Rental, now: datetime) -> Fraction:
    """The larger of the used parts of time and money, 0 before the first launch try."""
    if rental.began_at is None:
        return Fraction(0)
    time = Fraction(
        (now - rental.began_at) // timedelta(microseconds=1), rental.lifetime // timedelta(microseconds=1)
    )
    money = Fraction(spent(rental, now).micros, rental.budget.micros) if rental.budget.micros else Fraction(0)
    return max(time, money, Fraction(0))


def due_reminder(rental: Rental, now: datetime) -> int | None:
    """The highest rung that is due and was not said; a bot that slept through three says only the last."""
    percent = used(rental, now) * 100
    due = [rung for rung in RUNGS if rental.reminded < rung <= percent]
    return due[-1] if due else None


def rung_still_said(rental: Rental, now: datetime) -> int:
    """The rung that counts as said: after an extension the rungs above what is used now are due again."""
    percent = used(rental, now) * 100
    return max((rung for rung in RUNGS if rung <= percent and rung <= rental.reminded), default=0)


def next_reminder_at(rental: Rental, now: datetime) -> datetime | None:
    """When the next rung falls due if nothing changes."""
    if rental.began_at is None:
        return None
    rung = next((rung for rung in RUNGS if rung > rental.reminded and rung > used(rental, now) * 100), None)
    if rung is None:
        return None
    by_time = (
        rental.began_at - rental.lifetime * -rung // 100
    )  # rounded up: a moment earlier it would not be due
    attempt = rental.attempt
    if attempt is None or attempt.offer.hourly.micros <= 0:
        return by_time
    missing = Usd(max(0, -(-rental.budget.micros * rung // 100) - spent(rental, now).micros))
    lasts = missing.lasts(attempt.offer.hourly)
    return min(by_time, now + lasts + timedelta(seconds=1)) if lasts < rental.lifetime else by_time
