"""Machines that stand still: when the listings say so, whose vendor bills that otherwise, and what takes it back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.simulators.clock import SimClock
from bot.domain.attempt import Attempt
from bot.domain.market import Machine, MachineState
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Rental
from bot.lifecycle.standstill import noted
from bot.lifecycle.watch import Watch
from tests.support.rentals import HOUR, MINUTE, OFFER, START, begun, running

CHEAPER = replace(OFFER, stopped_hourly=Usd.of("0.02"))


class Vendor:
    """Lists one machine in the state that was said, or none."""

    name = OFFER.provider

    def __init__(self) -> None:
        self.state: MachineState | None = MachineState.RUNNING

    async def machines(self) -> tuple[Machine, ...]:
        """What there is."""
        if self.state is None:
            return ()
        return (Machine(self.name, "m1", "lc-test-k7m2qd-1-20260303T0900Z", self.state),)


class Street:
    """The vendor, a watch over it and the passed clock."""

    def __init__(self) -> None:
        self.clock = SimClock(START + HOUR)
        self.vendor = Vendor()
        self.watch = Watch({self.vendor.name: self.vendor}, self.clock)

    async def look(self, rental: Rental, state: MachineState | None) -> Rental:
        """A minute later, after a fresh listing."""
        self.clock.advance(MINUTE)
        self.vendor.state = state
        await self.watch.listing(self.vendor.name, newer_than=self.clock.now())
        return noted(rental, self.watch)


@pytest.fixture
def street() -> Street:
    """With a machine that runs."""
    return Street()


def standing(rental: Rental) -> object:
    """Since when its machine stands still."""
    assert rental.attempt is not None
    return rental.attempt.stopped_at


async def test_it_stands_still_from_the_first_listing_that_says_so(street: Street):
    """The moment at which that listing was asked for, and later ones do not move it, however long it goes on."""
    rental = await street.look(begun(attempts=(running(offer=CHEAPER),)), MachineState.STOPPED)
    first = street.clock.now()
    assert standing(rental) == first
    for _ in range(3):
        again = await street.look(rental, MachineState.STOPPED)
        assert again is rental


@pytest.mark.parametrize("state", [MachineState.RUNNING, MachineState.STARTING, MachineState.UNKNOWN])
async def test_one_that_is_seen_to_do_anything_else_counts_as_never_stopped(
    street: Street, state: MachineState
):
    """In doubt it was billed as running: what was cheaper is taken back."""
    stopped = await street.look(begun(attempts=(running(offer=CHEAPER),)), MachineState.STOPPED)
    assert standing(await street.look(stopped, state)) is None


async def test_one_that_is_being_deleted_stood_still_before(street: Street):
    """Ending neither begins a standstill nor takes it back."""
    begun_now = begun(attempts=(running(offer=CHEAPER),))
    assert await street.look(begun_now, MachineState.ENDING) is begun_now
    stopped = await street.look(begun_now, MachineState.STOPPED)
    assert await street.look(stopped, MachineState.ENDING) is stopped


async def test_a_listing_without_it_says_nothing(street: Street):
    """Neither absence nor a vendor that was never asked is a standstill, nor the end of one."""
    rental = begun(attempts=(running(offer=CHEAPER),))
    assert noted(rental, street.watch) is rental
    assert await street.look(rental, None) is rental
    stopped = await street.look(rental, MachineState.STOPPED)
    assert await street.look(stopped, None) is stopped


@pytest.mark.parametrize(("hourly", "counts"), [(None, False), (ZERO, True), (Usd.of("0.02"), True)])
async def test_only_where_the_vendor_bills_it_otherwise(street: Street, hourly: Usd | None, counts: bool):
    """Where nothing is known it goes on at the full price; nothing at all is a price that is known."""
    rental = begun(attempts=(running(offer=replace(OFFER, stopped_hourly=hourly)),))
    assert (standing(await street.look(rental, MachineState.STOPPED)) is not None) is counts


async def test_one_that_is_proven_gone_is_left_as_it_was(street: Street):
    """Its bill is closed; a machine that a late listing shows under its id changes nothing in it."""
    gone: Attempt = running(offer=CHEAPER, gone_at=START + HOUR)
    rental = begun(attempts=(gone,))
    assert await street.look(rental, MachineState.STOPPED) is rental


async def test_it_never_stood_still_before_it_was_tried(street: Street):
    """A clock that was set back must not make what it cost less than nothing."""
    late = running(offer=CHEAPER, tried_at=START + 5 * HOUR)
    assert standing(await street.look(begun(attempts=(late,)), MachineState.STOPPED)) == START + 5 * HOUR
