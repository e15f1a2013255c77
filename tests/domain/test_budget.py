"""The budget: worst case and what was spent. What is reminded of is in ``test_alerts``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain import budget
from bot.domain.market import Machine, MachineState
from bot.domain.money import ZERO, Usd
from tests.support.rentals import HOUR, MINUTE, OFFER, START, a_rental, an_attempt, begun, running

rates = st.integers(0, 5_000_000).map(Usd)
lengths = st.timedeltas(MINUTE, timedelta(hours=24))
latencies = st.timedeltas(timedelta(0), timedelta(minutes=15))


@given(rates, lengths, latencies)
def test_the_worst_case_covers_what_is_spent_at_the_hard_end_and_its_latency(
    hourly: Usd, lifetime: timedelta, latency: timedelta
):
    """What is shown before anybody confirms is never passed, down to the micro-dollar."""
    offer = replace(OFFER, hourly=hourly)
    rental = begun(lifetime=lifetime, attempts=(running(offer=offer),))
    assert rental.hard_end is not None
    assert budget.spent(rental, rental.hard_end + latency) <= budget.worst_case(offer, lifetime, latency)


@given(rates, rates, lengths, latencies, st.integers(0, 100))
def test_the_worst_case_of_a_second_machine_covers_both(
    first: Usd, second: Usd, lifetime: timedelta, latency: timedelta, part: int
):
    """What the first machine cost is counted in, whenever the second one begins."""
    switched = START + lifetime * part / 100
    one = an_attempt(1, offer=replace(OFFER, hourly=first), condemned="bad", gone_at=switched)
    rental = begun(lifetime=lifetime, attempts=(one,))
    dear = replace(OFFER, hourly=second)
    left = rental.lifetime - (switched - START)
    worst = budget.spent(rental, switched) + budget.most(dear, left, latency)
    both = replace(rental, attempts=(one, running(number=2, offer=dear, tried_at=switched)))
    assert rental.hard_end is not None
    assert budget.spent(both, rental.hard_end + latency) <= worst


@given(rates, st.integers(10_000, 50_000_000).map(Usd), latencies)
def test_a_length_that_fits_the_budget_has_a_worst_case_within_it(
    hourly: Usd, money: Usd, latency: timedelta
):
    """The advice to ask for up to so long works, to the cent."""
    offer = replace(OFFER, hourly=hourly)
    length = budget.lifetime_within(money, offer, latency)
    if timedelta(0) < length < timedelta(days=300):
        assert budget.worst_case(offer, length, latency) <= money.up_to_cent()


def test_a_launch_that_brought_nothing_forth_costs_nothing_once_that_is_proven():
    """A refusal at once; a lost answer counts as billed until two listings show that nothing came of it."""
    refused = an_attempt(1, refused=True, gone_at=START)
    lost = an_attempt(2, condemned="lost")
    assert budget.spent(begun(attempts=(refused, lost)), START + 30 * MINUTE) == Usd.of("0.10")
    proven = replace(lost, gone_at=START + 40 * MINUTE)
    assert budget.spent(begun(attempts=(refused, proven)), START + 5 * HOUR) == ZERO


def test_a_machine_costs_until_its_destroy_was_taken():
    """Not until the proof, which comes later."""
    taken = START + 30 * MINUTE
    done = an_attempt(1, machine_id="m", ended_at=taken, gone_at=taken + 5 * MINUTE)
    assert budget.spent(begun(attempts=(done,)), START + 5 * HOUR) == Usd.of("0.10")


def test_gpus_that_bill_from_running_cost_nothing_before_and_the_disk_costs_from_the_creation():
    """As Vast.ai bills: disk from the creation, GPUs while it runs."""
    offer = replace(
        OFFER,
        hourly=Usd.of("0.24"),
        disk_hourly=Usd.of("0.04"),
        gpu_from_running=True,
        traffic_per_gb=Usd.of("0.02"),
    )
    one = an_attempt(1, offer=offer, machine_id="m", running_at=START + 6 * MINUTE, traffic_bytes=5 * 10**9)
    ended = replace(one, ended_at=START + HOUR, gone_at=START + HOUR)
    assert budget.spent(begun(attempts=(ended,)), START + 9 * HOUR) == Usd.of("0.04") + Usd.of(
        "0.18"
    ) + Usd.of("0.10")
    unseen = replace(ended, booting_at=START + 3 * MINUTE, traffic_bytes=0)
    more = Usd.of("0.04") + Usd.of("0.20").over(57 * MINUTE)
    assert budget.spent(begun(attempts=(unseen,)), START + 9 * HOUR) == more, (
        "nobody looked for three minutes"
    )
    watched = replace(unseen, booting_at=START + 6 * MINUTE - timedelta(seconds=4))
    assert budget.spent(begun(attempts=(watched,)), START + 9 * HOUR) == Usd.of("0.22")
    stuck = replace(ended, running_at=None, traffic_bytes=0)
    assert budget.spent(begun(attempts=(stuck,)), START + 9 * HOUR) == Usd.of("0.04")


def test_a_vendor_that_bills_whole_minutes_is_counted_in_whole_minutes():
    """As Lambda bills."""
    offer = replace(OFFER, hourly=Usd.of("0.60"), billing_step=MINUTE, gpu_from_running=True)
    one = an_attempt(1, offer=offer, machine_id="m", running_at=START, ended_at=START + timedelta(seconds=61))
    assert budget.spent(begun(attempts=(one,)), START + HOUR) == Usd.of("0.02")
    seen_late = replace(one, booting_at=START - timedelta(seconds=2), ended_at=START + timedelta(seconds=59))
    assert budget.spent(begun(attempts=(seen_late,)), START + HOUR) == Usd.of("0.02"), "a step may have begun"


@given(rates, lengths, latencies, st.integers(0, 5))
def test_the_worst_case_covers_a_price_that_rose_as_far_as_it_may(
    hourly: Usd, lifetime: timedelta, latency: timedelta, percent: int
):
    """Up to the drift nobody is asked again, so the figure that was shown has to hold then, too."""
    offer = replace(OFFER, hourly=hourly, drift=5, billing_step=MINUTE)
    risen = replace(offer, hourly=Usd(hourly.micros * (100 + percent) // 100))
    rental = begun(lifetime=lifetime, attempts=(running(offer=risen),))
    assert rental.hard_end is not None
    assert budget.spent(rental, rental.hard_end + latency) <= budget.worst_case(offer, lifetime, latency)


def test_the_meter_runs_from_the_try_of_the_launch():
    """The earliest moment at which the vendor could bill."""
    assert budget.spent(begun(), START + 30 * MINUTE) == Usd.of("0.10")
    assert budget.spent(a_rental(), START + HOUR) == ZERO


def test_the_salvage_window_is_sized_by_what_is_to_be_pulled():
    """At least a minute, more for more to pull, and never more than a fifth of the lifetime."""
    rental = begun()
    assert budget.salvage_window(rental, 5) == MINUTE
    assert budget.salvage_window(rental, 1000) == timedelta(seconds=400)
    assert budget.salvage_window(rental, 10**6) == rental.lifetime / 5
    assert budget.salvage_window(begun(lifetime=2 * MINUTE), 5) == 2 * MINUTE / 5


def test_only_a_rental_that_trains_has_a_soft_end():
    """A machine that is used by hand is kept until its hard end."""
    assert budget.soft_end(begun(), 5) == START + 2 * HOUR - MINUTE
    assert budget.soft_end(begun(job=None), 5) is None
    assert budget.soft_end(a_rental(), 5) is None


def test_the_worst_case_says_how_it_comes_about():
    """Every part of the sum is named, so that a person can check it by hand."""
    offer = replace(OFFER, hourly=Usd.of("0.40"), drift=5, traffic_per_gb=Usd.of("0.01"))
    told = budget.how(offer, timedelta(hours=4), timedelta(minutes=5), 22, Usd.of("0.10"))
    assert told == (
        "$0.42/h ($0.40/h with its disk, and 5 % that it may rise) x (4 h + 5 min to be surely gone)"
        " + 22 GB of traffic at $0.01 = $0.22 + $0.10 for the tries before"
    )
    whole = budget.worst_case(offer, timedelta(hours=4), timedelta(minutes=5), 22) + Usd.of("0.10")
    assert whole == (Usd.of("0.42").over(timedelta(hours=4, minutes=5)) + Usd.of("0.32")).up_to_cent()


def test_what_strayed_is_added_to_every_attempt_from_its_end_on():
    """Also to one that was refused or never seen, which cost nothing else."""
    gone, later = START + HOUR, START + 9 * HOUR
    own = running(ended_at=gone, gone_at=gone, strayed=Usd(7))
    assert budget.cost(own, later) == OFFER.hourly + Usd(7)
    assert budget.cost(own, later, until=gone) == OFFER.hourly
    assert budget.cost(own, later, until=gone + MINUTE) == OFFER.hourly + Usd(7)
    for nothing in (an_attempt(refused=True, strayed=Usd(7)), an_attempt(gone_at=gone, strayed=Usd(7))):
        assert budget.cost(nothing, later) == Usd(7) == budget.spent(begun(attempts=(nothing,)), later)


@given(
    lengths, st.lists(st.timedeltas(timedelta(0), HOUR), min_size=1, max_size=9), st.sampled_from((0, 1, 60))
)
def test_a_strays_looks_come_to_one_look_at_the_end(first: timedelta, lengths: list[timedelta], step: int):
    """Whatever the vendor rounds to, no stretch is lost, none counted twice, and it is rounded up once."""
    offer = replace(OFFER, hourly=Usd.of("0.60"), disk_hourly=Usd.of("0.06"), billing_step=step * MINUTE)
    machine = Machine("sim", "m", "", MachineState.RUNNING)
    counted, total = START, ZERO
    for length in (first, *lengths):
        now = counted + length
        total += budget.stray(offer, machine, since=START, counted=counted, now=now)
        counted = now
    once = budget.stray(offer, machine, since=START, counted=START, now=counted)
    assert once <= total <= once + Usd(2 * len(lengths))
    assert once >= offer.hourly.over(counted - START)


def test_a_stray_costs_what_its_vendor_tells_or_what_was_agreed():
    """A stopped one its disk, where that is known; one that boots its disk, where GPUs are billed from running on; one
    that is ending nothing; and a clock that was set back takes nothing away."""
    offer = replace(OFFER, hourly=Usd.of("0.60"), disk_hourly=Usd.of("0.06"), gpu_from_running=True)
    machine, an_hour = Machine("sim", "m", "", MachineState.RUNNING), {"since": START, "counted": START}

    def cost(one: Machine, **terms: Usd) -> Usd:
        return budget.stray(replace(offer, **terms), one, now=START + HOUR, **an_hour)

    assert cost(machine) == Usd.of("0.60")
    assert cost(replace(machine, hourly=Usd.of("0.90"))) == Usd.of("0.90")
    assert cost(replace(machine, hourly=ZERO)) == ZERO
    stopped = replace(machine, state=MachineState.STOPPED)
    assert cost(stopped) == Usd.of("0.60")
    assert cost(stopped, stopped_hourly=Usd.of("0.12")) == Usd.of("0.12")
    assert cost(replace(machine, state=MachineState.STARTING)) == Usd.of("0.06")
    assert cost(replace(machine, state=MachineState.UNKNOWN)) == Usd.of("0.60")
    assert cost(replace(machine, state=MachineState.ENDING)) == ZERO
    assert budget.stray(offer, machine, since=START, counted=START + HOUR, now=START) == ZERO
