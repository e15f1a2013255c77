"""The sweep: what of ours should not exist any more is ended, and nothing else is ever touched."""

from __future__ import annotations

from adapters.simulators.faults import FaultKind
from adapters.simulators.machine import SimMachine
from bot.domain import budget
from bot.domain.market import LaunchOrder
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SECOND, SmallTown
from tests.support.town import ANN


def _put(town: SmallTown, name: str) -> SimMachine:
    """Somebody's machine on the same account."""
    return town.world.put(town.town.hosts[0], LaunchOrder(name, "ssh-ed25519 AAAA", 20))


async def _given_back(town: SmallTown) -> tuple[str, SimMachine]:
    """A closed rental whose machine is there again."""
    tab = await town.rent("up world 3090 for 1h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    town.vendor("destroy", FaultKind.RETURNS, late=HOUR)
    await town.ask(f"down {tab}")
    await town.until(tab, lambda rental: rental.closed_at)
    town.clock.advance(HOUR + MINUTE)
    [machine] = town.world.alive()
    return tab, machine


async def test_a_machine_that_comes_back_after_the_proof_is_ended(town: SmallTown):
    """The tab is closed; its label is still known, and should not live."""
    tab, machine = await _given_back(town)
    assert await town.life.sweep.tick() == [machine.id]
    assert not town.world.alive()
    assert any(machine.id in text for text in await town.told(tab, "sweep"))


async def test_its_return_is_told_once_where_the_rental_was_asked_for(town: SmallTown):
    """Also when the vendor shrugs and the sweep has to ask again."""
    tab, machine = await _given_back(town)
    town.vendor("destroy", FaultKind.SHRUG, times=2)
    for _ in range(4):
        await town.life.sweep.tick()
        town.clock.advance(MINUTE)
    await town.say_all()
    [notice] = [said for said in town.chat.said() if said.key.startswith("stray:")]
    assert notice.reply.title == f"A machine that {tab} had given back was there again: ended"
    assert machine.id in notice.text and "$0.20/h" in notice.text and notice.reply.mention == (ANN,)
    assert len(await town.told(tab, "sweep")) == 3 and not town.world.alive()


async def test_what_a_returned_machine_billed_is_in_the_count(town: SmallTown):
    """It came back at some moment of the last minute, and the vendor shrugs twice: each stretch is counted once, the
    closed tab is charged for it, and the count is not a cent below the meter."""
    tab, machine = await _given_back(town)
    before = (await town.rental(tab)).attempts[0]
    counted = budget.cost(before, town.clock.now())
    town.vendor("destroy", FaultKind.SHRUG, times=2)
    for _ in range(5):
        await town.life.sweep.tick()
        town.clock.advance(MINUTE)
    after = (await town.rental(tab)).attempts[0]
    assert after.strayed == before.offer.hourly.over(MINUTE) * 3
    assert budget.cost(after, town.clock.now()) == counted + after.strayed
    assert budget.cost(after, town.clock.now(), until=before.tried_at + SECOND) < counted
    assert not town.world.alive() and machine.id


async def test_a_machine_that_returns_twice_is_not_billed_for_the_time_between(town: SmallTown):
    """Between its returns nothing ran."""
    tab, _ = await _given_back(town)
    await town.life.sweep.tick()
    town.clock.advance(HOUR)
    await town.life.sweep.tick()
    _put(town, (await town.rental(tab)).attempts[0].label)
    town.clock.advance(SECOND)
    await town.life.sweep.tick()
    attempt = (await town.rental(tab)).attempts[0]
    assert attempt.strayed <= attempt.offer.hourly.over(MINUTE) * 2


async def test_a_second_machine_of_one_launch_is_ended_and_the_first_is_kept(town: SmallTown):
    """The vendor made two of one order: the rental knows one, and the other bills for nothing."""
    tab = await town.rent("up world 3090 for 1h")
    rental = await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    second = _put(town, rental.attempts[0].label)
    town.clock.advance(SECOND)
    assert await town.life.sweep.tick() == [second.id]
    assert [one.id for one in town.world.alive()] == [rental.attempts[0].machine_id]
    await town.say_all()
    [notice] = [said for said in town.chat.said() if said.key.startswith("stray:")]
    assert second.id in notice.text and "second machine" in notice.reply.title


async def test_a_living_rentals_machine_is_kept_when_somebody_changed_its_label(town: SmallTown):
    """It is known by its id, too."""
    tab = await town.rent("up world 3090 for 1h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    machine = town.world.alive()[0]
    machine.label += "-of-ann"
    for _ in range(4):
        assert await town.life.sweep.tick() == []
        town.clock.advance(10 * MINUTE)
    assert not await town.life.store.orphans.unfinished()


async def test_what_is_not_ours_is_never_touched(town: SmallTown):
    """Other people's machines, other deployments, and what only looks like our name."""
    names = [
        "",
        "ann's workstation",
        "lc-prod-zzzzzz-1-20260303T0900Z",
        "lc-test2-zzzzzz-1-20260303T0900Z",
        "xlc-test-zzzzzz-1-20260303T0900Z",
        "lc-test",
        "LC-TEST-ZZZZZZ",
    ]
    for name in names:
        _put(town, name)
    for _ in range(4):
        assert await town.life.sweep.tick() == []
        town.clock.advance(10 * MINUTE)
    assert len(town.world.alive()) == len(names) and not town.world.calls.get("destroy")
    assert not await town.life.store.orphans.unfinished()


async def test_a_machine_that_is_just_being_launched_is_never_ended(town: SmallTown):
    """Its intent was written before the call, and the sweep lists before it asks what is known."""
    tab = await town.rent()
    for _ in range(40):
        await town.life.engine.run_due()
        town.clock.advance(SECOND / 2)
        assert await town.life.sweep.tick() == []
    assert (await town.until_closed(tab)).attempts[0].condemned is None
    assert not await town.told(tab, "sweep")


async def test_a_machine_whose_launch_had_no_answer_is_not_swept_before_it_is_adopted(town: SmallTown):
    """Nobody has written its id down; its label is known."""
    town.vendor("launch", FaultKind.LATE, late=20 * SECOND)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.attempts)
    town.clock.advance(25 * SECOND)
    assert await town.life.sweep.tick() == []
    await town.until_closed(tab)
    assert len(town.world.ever()) == 1


async def test_one_stray_that_cannot_be_ended_spares_no_other(town: SmallTown):
    """The first destroy fails, the second machine goes all the same, and the first the next time."""
    tab, first = await _given_back(town)
    second = _put(town, first.label)
    town.vendor("destroy", FaultKind.NEEDS_HUMAN)
    assert await town.life.sweep.tick() == [second.id]
    assert not town.notices(f"stray:{tab}")
    town.clock.advance(MINUTE)
    assert await town.life.sweep.tick() == [first.id]


async def test_a_listing_that_cannot_be_read_sweeps_nothing_and_breaks_nothing(town: SmallTown):
    """Next minute again."""
    await _given_back(town)
    town.vendor("machines", FaultKind.GARBLED, times=FOR_EVER)
    assert await town.life.sweep.tick() == []
    town.mend()
    town.clock.advance(MINUTE)
    assert len(await town.life.sweep.tick()) == 1


async def test_one_process_sweeps_at_a_time(town: SmallTown):
    """Elected by a lease, which a dead one loses."""
    _, machine = await _given_back(town)
    first = town.life
    assert await first.sweep.tick() == [machine.id]
    _put(town, machine.label)
    other = town.again()
    assert await other.sweep.tick() == []
    town.clock.advance(3 * MINUTE)
    assert len(await other.sweep.tick()) == 1


async def test_the_sweep_asks_each_provider_for_one_listing(town: SmallTown):
    """Whatever it finds in it."""
    await _given_back(town)
    for number in range(1, 4):
        _put(town, f"lc-test-zzzzzz-{number}-20260303T0900Z")
    before = town.world.calls["machines"]
    await town.life.sweep.tick()
    assert town.world.calls["machines"] == before + 1
