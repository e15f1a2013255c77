"""The simulated world tells the truth: its meter, its states, its lags and what it remembers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.clock import SimClock, SimIds
from adapters.simulators.machine import Fate
from adapters.simulators.world import rental_of
from bot.domain.market import MachineState, Want
from bot.domain.money import Usd
from tests.support.worlds import LABEL, MINUTE, SECOND, SECOND_LABEL, START, Street


@pytest.fixture
def street() -> Street:
    """Without any lag."""
    return Street()


# --- offers and the meter ----------------------------------------------------------------------


async def test_offers_are_cheapest_first_and_fit(street: Street):
    """What does not fit the wish, is full or is avoided is not offered."""
    assert [offer.host for offer in await street.provider.offers(Want())] == ["cheap", "dear"]
    assert [offer.host for offer in await street.provider.offers(Want(gpu="RTX 4090"))] == ["dear"]
    assert [o.host for o in await street.provider.offers(Want(avoid=frozenset({"cheap"})))] == ["dear"]
    assert await street.provider.offers(Want(max_hourly=Usd.of("0.10"))) == []
    assert await street.provider.offers(Want(vram_gb=80)) == []
    await street.launch(gpu="RTX 4090")
    assert await street.provider.offers(Want(gpu="RTX 4090")) == []


async def test_the_meter_runs_from_creation_to_the_real_end():
    """$0.20/h for 30 minutes of life and 6 more until the vendor really ended it: $0.12."""
    street = Street(destroy_lag=6 * MINUTE)
    machine = await street.launch()
    street.clock.advance(30 * MINUTE)
    assert street.world.bill() == Usd.of("0.10")
    await street.provider.destroy(machine)
    seen = await street.provider.inspect(machine)
    assert seen is not None
    assert seen.state is MachineState.ENDING
    street.clock.advance(timedelta(hours=5))
    assert await street.provider.inspect(machine) is None
    assert street.world.bill() == street.world.bill("k7m2xq") == Usd.of("0.12")
    assert street.world.bill("another") == Usd(0)
    assert street.world.alive() == []
    [line] = street.world.intervals()
    assert (line.born, line.end) == (START, START + 36 * MINUTE)


async def test_balance_and_burn_follow_the_meter(street: Street):
    """The account tells what is left and what everything alive costs per hour."""
    street.world.balance = Usd.of(10)
    await street.launch()
    await street.launch(SECOND_LABEL, gpu="RTX 4090")
    street.clock.advance(timedelta(hours=1))
    account = await street.provider.account()
    assert account.balance == Usd.of("9.40")
    assert account.burn_hourly == Usd.of("0.60")


# --- states over time --------------------------------------------------------------------------


async def test_a_machine_boots_runs_and_shows_the_way_in(street: Street):
    """Starting for 90 s without an address, then running with one that carries the order's key."""
    machine = await street.launch()
    [starting] = await street.provider.machines()
    assert (starting.state, starting.access, starting.label) == (MachineState.STARTING, None, LABEL)
    street.clock.advance(90 * SECOND)
    [running] = await street.provider.machines()
    assert running.id == machine
    assert running.state is MachineState.RUNNING
    assert running.access is not None
    assert running.access.key_ref == "key-1"


async def test_fates_are_met_one_after_the_other(street: Street):
    """Stuck booting, preempted after 10 minutes, taken by the vendor after 5; then as usual again."""
    street.world.fates = [
        Fate(boot=None),
        Fate(stops_after=10 * MINUTE, reason="outbid"),
        Fate(vanishes_after=5 * MINUTE),
    ]
    stuck, preempted, taken, fine = [await street.launch() for _ in range(4)]
    street.clock.advance(timedelta(hours=1))
    seen = {machine.id: machine for machine in await street.provider.machines()}
    assert seen[stuck].state is MachineState.STARTING
    assert (seen[preempted].state, seen[preempted].reason) == (MachineState.STOPPED, "outbid")
    assert taken not in seen
    assert seen[fine].state is MachineState.RUNNING
    assert street.world.bill() == Usd.of("0.60") + Usd.of("0.20").over(5 * MINUTE)


async def test_a_machine_can_be_hit_while_it_runs(street: Street):
    """``stop`` leaves a stopped machine on the bill, ``vanish`` takes it away."""
    first, second = await street.launch(), await street.launch()
    street.clock.advance(5 * MINUTE)
    street.world.stop(first)
    street.world.vanish(second)
    [left] = await street.provider.machines()
    assert (left.id, left.state, left.reason) == (first, MachineState.STOPPED, "preempted")


# --- lags --------------------------------------------------------------------------------------


async def test_the_listing_lags_at_both_ends():
    """Not listed for 20 s although it exists and bills; listed as ending for 40 s although it is gone."""
    street = Street(list_lag=20 * SECOND, unlist_lag=40 * SECOND)
    machine = await street.launch()
    assert await street.provider.machines() == []
    assert await street.provider.inspect(machine) is not None
    assert len(street.world.alive()) == 1
    street.clock.advance(20 * SECOND)
    assert len(await street.provider.machines()) == 1
    await street.provider.destroy(machine)
    [ghost] = await street.provider.machines()
    assert ghost.state is MachineState.ENDING
    assert await street.provider.inspect(machine) is None
    street.clock.advance(40 * SECOND)
    assert await street.provider.machines() == []


# --- invariants --------------------------------------------------------------------------------


async def test_machines_at_once_are_counted_per_rental(street: Street):
    """Two attempts that overlap count two; a machine of another rental or none does not; one after the other is one."""
    first = await street.launch()
    street.clock.advance(MINUTE)
    await street.launch(SECOND_LABEL)
    await street.launch("lc-dev-team-zzz234-1-20260302T1200Z")
    await street.launch("")
    assert street.world.most_at_once("k7m2xq") == 2
    assert street.world.most_at_once() == 4
    street.clock.advance(MINUTE)
    await street.provider.destroy(first)
    assert street.world.most_at_once("k7m2xq") == 2
    assert street.world.most_at_once("nobody") == 0

    later = Street()
    await later.provider.destroy(await later.launch())
    machine = await later.launch()
    later.clock.advance(MINUTE)
    await later.provider.destroy(machine)
    await later.launch(SECOND_LABEL)
    assert later.world.most_at_once("k7m2xq") == 1


def test_the_rental_is_read_from_the_label():
    """A namespace may hold dashes; a stranger's label belongs to nobody."""
    assert rental_of(LABEL) == "k7m2xq"
    assert rental_of("lc-a-b2b2b2-1-20260302T1200Z") == "b2b2b2"
    assert rental_of("") is rental_of("somebody's box") is rental_of("my-lc-a-b-1-x") is None


def test_the_clock_only_goes_forward_and_ids_repeat_with_their_seed():
    """Time is set by hand and never back; ids are six easy characters, new each time, the same for the same seed."""
    clock = SimClock(START)
    assert clock.advance(MINUTE) == clock.now() == START + MINUTE
    with pytest.raises(ValueError, match="back"):
        clock.set(START)
    one, other = SimIds(7), SimIds(7)
    names = [one.rental() for _ in range(500)]
    assert names == [other.rental() for _ in range(500)]
    assert len(set(names)) == 500
    assert all(len(name) == 6 and name[0].isalpha() and not set(name) & set("ilo01") for name in names)
    assert one.token() == other.token()
    assert len(one.token()) == 32
