"""Machines that come back, come late or come twice, on each simulated cloud: our count is the vendor's meter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.simulators.faults import Fault, FaultKind
from bot.domain import budget, receipt
from bot.domain.market import LaunchOrder
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from tests.support.bad_weather import Fixed, Tally, one_rental
from tests.support.cloud_town import MINUTE, SECOND, VENDORS, CloudTown, founded

A_CENT = Usd.of("0.01")
Strike = Callable[[CloudTown], None]


def comes_back(town: CloudTown) -> None:
    """Half a minute after the destroy, for which the vendor shrugs twice then."""
    shrugs = Fault(FaultKind.SHRUG, times=2)
    town.world.plan("destroy", Fault(FaultKind.RETURNS, late=33 * SECOND), shrugs)


def comes_late(town: CloudTown) -> None:
    """A launch without an answer whose machine is there forty seconds later."""
    town.world.plan("launch", Fault(FaultKind.LATE, late=40 * SECOND))


async def closed(town: CloudTown, strike: Strike) -> Rental:
    """One rental in this weather, and the sweeps after it."""
    await one_rental(town, Fixed(strike), Tally())
    return (await town.store.rentals.closed_ones(limit=1))[0]


def judged(town: CloudTown, rental: Rental, steps: int = 1) -> None:
    """Not a cent too little, and not more than what nobody can have seen: ``steps`` minutes."""
    meter, ours = town.world.bill(rental.id), budget.spent(rental, town.clock.now())
    above = rental.attempts[0].offer.hourly.over(steps * MINUTE)
    assert meter - A_CENT <= ours <= meter + above, (ours, meter)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_machine_that_comes_back_is_in_the_count_and_on_the_receipt(vendor: str, tmp_path: Path):
    """Also by a vendor that bills whole minutes, and over three looks at the machine that is still there."""
    async with founded(vendor, tmp_path) as town:
        rental = await closed(town, comes_back)
        strayed = rental.attempts[0].strayed
        assert len(town.world.machine(town.world.intervals(rental.id)[0].machine_id).spans) == 2
        assert strayed > ZERO and not town.ours()
        judged(town, rental, steps=2)
        shown = receipt.receipt(rental, town.clock.now())
        assert (shown.strayed, shown.spent) == (strayed, budget.spent(rental, town.clock.now()))
        assert ("waste: should not have been", str(strayed)) in receipt.table(shown).rows


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_machine_that_comes_late_is_in_the_count(vendor: str, tmp_path: Path):
    """Whether the rental takes it in or the sweep ends it."""
    async with founded(vendor, tmp_path) as town:
        judged(town, await closed(town, comes_late), steps=2)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_nothing_strays_in_good_weather(vendor: str, tmp_path: Path):
    """A machine that is listed as ending for a while after its destroy is no stray."""
    async with founded(vendor, tmp_path) as town:
        town.world.unlist_lag = 90 * SECOND
        rental = await closed(town, lambda _: None)
        assert [one.strayed for one in rental.attempts] == [ZERO]
        judged(town, rental)


async def test_a_second_machine_is_counted_since_it_can_have_been_there(tmp_path: Path):
    """Of a rental that runs on: the twin is ended at the next sweep, and billed for a minute at most."""
    async with founded("runpod", tmp_path) as town:
        asked = await town.ask("up runpod 3090 for 3h")
        tab = asked.rental or ""
        await town.run_until(town.clock.now() + 10 * MINUTE)
        (attempt,) = (await town.rental(tab)).attempts
        host = next(iter(town.world.hosts.values()))
        town.world.put(host, LaunchOrder(attempt.label, "", 20))
        twin = town.world.ever()[-1]
        town.clock.advance(20 * SECOND)
        await town.run_until(town.clock.now() + 2 * MINUTE)
        meter = twin.cost(town.world.tariff, town.clock.now())
        strayed = (await town.rental(tab)).attempts[0].strayed
        assert ZERO < meter <= strayed <= meter + attempt.offer.hourly.over(MINUTE)
        assert len(town.ours()) == 1


async def test_a_time_without_looks_counts_as_billed(tmp_path: Path):
    """The vendor's list could not be read for ten minutes; where the stray was meanwhile nobody knows."""
    async with founded("runpod", tmp_path) as town:
        rental = await closed(town, lambda _: None)
        attempt, before = rental.attempts[0], town.clock.now()
        town.clock.advance(10 * MINUTE)
        host = next(iter(town.world.hosts.values()))
        town.world.put(host, LaunchOrder(attempt.label, "", 20))
        await town.sweep.tick()
        strayed = (await town.rental(rental.id)).attempts[0].strayed
        gap = town.clock.now() - before
        assert attempt.offer.hourly.over(gap) <= strayed <= attempt.offer.hourly.over(gap + MINUTE)


async def test_a_process_that_takes_over_counts_no_stretch_of_another_again(tmp_path: Path):
    """One sweeps; another one does while the first does not have the lease; then the first goes on, and does not count
    what it did not see."""
    async with founded("runpod", tmp_path) as town:
        rental = await closed(town, lambda _: None)
        attempt, first = rental.attempts[0], town.sweep
        host = next(iter(town.world.hosts.values()))
        town.world.put(host, LaunchOrder(attempt.label, "", 20))
        town.world.plan("destroy", Fault(FaultKind.SHRUG, times=9))

        async def counted() -> Usd:
            return (await town.rental(rental.id)).attempts[0].strayed

        await first.tick()
        one = await counted()
        town.again()
        town.clock.advance(3 * MINUTE)
        await town.sweep.tick()
        two = await counted()
        assert await first.tick() == [] and await counted() == two > one
        await town.sweep.stop()
        town.clock.advance(MINUTE)
        await first.tick()
        minute = (await counted()) - two
        assert ZERO < minute <= attempt.offer.hourly.over(MINUTE + 10 * SECOND)
