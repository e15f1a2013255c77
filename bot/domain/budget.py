"""What a rental may cost, has cost, and when someone must hear of it. Pure; all rounding is up."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain.clocktime import short
from bot.domain.market import Machine, MachineState, Offer
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Attempt, Rental

RUNGS = (50, 75, 90)
"""Percent of money or time at which a reminder is due."""
_LOOK = timedelta(minutes=1)
"""Looks at a booting machine are closer together than this."""
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


def how(offer: Offer, lifetime: timedelta, latency: timedelta, traffic_gb: int, before: Usd) -> str:
    """The worst case as a sum that a person can check: ``$0.42/h x (4 h + 5 min to be surely gone) + 22 GB of traffic
    at $0.01``. The rate has the disk in it, and what a launch may take unasked."""
    rate = offer.ceiling.rate()
    if offer.ceiling > offer.hourly:
        rate = f"{rate} ({offer.hourly.rate()} with its disk, and {offer.drift} % that it may rise)"
    parts = [f"{rate} x ({short(lifetime)} + {short(latency + offer.billing_step)} to be surely gone)"]
    if offer.traffic_per_gb > ZERO and traffic_gb:
        price = f"${offer.traffic_per_gb.dollars.normalize():f}"
        parts.append(f"{traffic_gb} GB of traffic at {price} = {offer.traffic_per_gb * traffic_gb}")
    if before > ZERO:
        parts.append(f"{before} for the tries before")
    return " + ".join(parts)


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


def cost(attempt: Attempt, now: datetime, until: datetime | None = None) -> Usd:
    """One attempt, by its offer's terms. What is not known yet counts as billed: a launch whose answer was lost until
    it is proven that nothing came of it, a boot until the machine is seen to run. With ``until``, only what was used
    up before that moment, as it is known ``now``; traffic counts from the launch, what strayed from the proof that the
    machine was gone."""
    late = until is None or until > (attempt.gone_at or attempt.tried_at)
    return _own(attempt, now, until) + (attempt.strayed if late else ZERO)


def _own(attempt: Attempt, now: datetime, until: datetime | None) -> Usd:
    offer, end = attempt.offer, attempt.ended_at or attempt.gone_at or now
    if attempt.refused or (attempt.gone_at is not None and attempt.machine_id is None):
        return ZERO
    if until is not None and until <= attempt.tried_at:
        return ZERO
    end = end if until is None else min(end, until)
    total = Usd(-(-offer.traffic_per_gb.micros * attempt.traffic_bytes // 10**9))
    stopped = end if attempt.stopped_at is None or offer.stopped_hourly is None else attempt.stopped_at
    if stopped < end:
        total += (offer.stopped_hourly or ZERO).over(end - stopped)
        end = max(stopped, attempt.tried_at)
    total += offer.disk_hourly.over(end - attempt.tried_at)
    start: datetime | None = attempt.tried_at
    if offer.gpu_from_running and (attempt.running_at is not None or attempt.ended_at is not None):
        start = _ran_from(attempt)
    if start is None or start >= end:
        return total
    return total + (offer.hourly - offer.disk_hourly).over(_stepped(offer, end - start))


def _stepped(offer: Offer, length: timedelta) -> timedelta:
    step = offer.billing_step
    return -(-length // step) * step if step else length


def stray(offer: Offer, machine: Machine, *, since: datetime, counted: datetime, now: datetime) -> Usd:
    """What a machine that should not be adds between ``counted`` and ``now``, when it can have been there from
    ``since`` on. The vendor's steps run from there, so that looks in a row are not rounded up one by one. One that is
    ending was asked to, and billed up to then."""
    counted = max(counted, since)
    if machine.state is MachineState.ENDING or now <= counted:
        return ZERO
    rate = _stray_hourly(offer, machine)
    disk = min(offer.disk_hourly, rate)
    length = _stepped(offer, now - since) - _stepped(offer, counted - since)
    return disk.over(now - counted) + (rate - disk).over(length)


def _stray_hourly(offer: Offer, machine: Machine) -> Usd:
    """As the vendor tells it; what it does not tell costs what was agreed."""
    if machine.state is MachineState.STOPPED and offer.stopped_hourly is not None:
        return offer.stopped_hourly
    if machine.state is MachineState.STARTING and offer.gpu_from_running:
        return offer.disk_hourly
    return offer.hourly if machine.hourly is None else machine.hourly


def _ran_from(attempt: Attempt) -> datetime | None:
    """When the GPUs can have begun to be billed. Between two looks lie a few seconds, which are less than a cent; they
    count where they may begin another step, and so does a time in which nobody looked."""
    ran, booted = attempt.running_at, attempt.booting_at
    if ran is None or booted is None or booted >= ran:
        return ran
    return booted if attempt.offer.billing_step or ran - booted > _LOOK else ran


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
