"""The sweep: what of ours should not exist any more is ended, and nothing else is ever touched."""

from __future__ import annotations

from adapters.simulators.faults import FaultKind
from adapters.simulators.machine import SimMachine
from bot.domain import label
from bot.domain.market import LaunchOrder
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SECOND, SmallTown

OURS = "lc-test-zzzzzz-1-20260303T0900Z"


def _put(town: SmallTown, name: str) -> SimMachine:
    """Somebody's machine on the same account."""
    return town.world.put(town.town.hosts[0], LaunchOrder(name, "ssh-ed25519 AAAA", 20))


async def test_a_machine_that_comes_back_after_the_proof_is_ended(town: SmallTown):
    """The tab is closed; its label is still known, and should not live."""
    tab = await town.rent("up world 3090 for 1h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    town.vendor("destroy", FaultKind.RETURNS, late=HOUR)
    await town.ask(f"down {tab}")
    await town.until(tab, lambda rental: rental.closed_at)
    town.clock.advance(HOUR + MINUTE)
    machine = town.world.alive()[0]
    assert await town.life.sweep.tick() == [machine.id]
    assert not town.world.alive()
    assert any(machine.id in text for text in await town.told(tab, "sweep"))


async def test_a_machine_of_a_rental_that_nobody_knows_is_ended(town: SmallTown):
    """A database was lost, the namespace is ours."""
    stray = _put(town, OURS)
    assert await town.life.sweep.tick() == [stray.id]
    assert not town.world.alive()


async def test_what_is_not_ours_is_never_touched(town: SmallTown):
    """Other people's machines, other deployments, labels that were altered by hand."""
    names = [
        "",
        "ann's workstation",
        "lc-prod-zzzzzz-1-20260303T0900Z",
        OURS + "x",
        "lc-test-zzzzzz-1",
        "LC-TEST-ZZZZZZ",
    ]
    for name in names:
        _put(town, name)
    assert await town.life.sweep.tick() == []
    assert len(town.world.alive()) == len(names) and not town.world.calls.get("destroy")


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
    first, second = _put(town, OURS), _put(town, OURS.replace("-1-", "-2-"))
    town.vendor("destroy", FaultKind.NEEDS_HUMAN)
    assert await town.life.sweep.tick() == [second.id]
    town.clock.advance(2 * MINUTE)
    assert await town.life.sweep.tick() == [first.id]


async def test_a_listing_that_cannot_be_read_sweeps_nothing_and_breaks_nothing(town: SmallTown):
    """Next minute again."""
    _put(town, OURS)
    town.vendor("machines", FaultKind.GARBLED, times=FOR_EVER)
    assert await town.life.sweep.tick() == []
    town.mend()
    town.clock.advance(MINUTE)
    assert len(await town.life.sweep.tick()) == 1


async def test_one_process_sweeps_at_a_time(town: SmallTown):
    """Elected by a lease, which a dead one loses."""
    _put(town, OURS)
    first = town.life
    await first.sweep.tick()
    _put(town, OURS)
    other = town.again()
    assert await other.sweep.tick() == []
    town.clock.advance(3 * MINUTE)
    assert len(await other.sweep.tick()) == 1
    assert label.parse(OURS) is not None
