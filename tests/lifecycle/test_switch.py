"""The dead-man's switch in a rental's life: armed with the way in, told of changes, and alone in the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.deadmen import let_act
from adapters.simulators.faults import FaultKind
from adapters.simulators.training import Training
from bot.domain.deadman import Ends
from bot.domain.market import MachineState
from bot.domain.rental import Ending, Goal, Rental
from bot.lifecycle import heartbeat
from bot.ports import UnitJob
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SECOND, SmallTown
from tests.support.towns import Found

UP = "up world 3090 for 4h"


async def ready(town: SmallTown, text: str = UP) -> Rental:
    """A machine for hands that is ready."""
    tab = await town.rent(text)
    return await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)


def alone(town: SmallTown, length: timedelta) -> timedelta:
    """No bot and no database any more: how long it takes until the machine has ended, looked at each half minute."""
    began = town.clock.now()
    while town.world.alive() and town.clock.now() - began < length:
        town.clock.advance(30 * SECOND)
        let_act(town.world)
    return town.clock.now() - began


async def test_it_is_armed_with_the_way_in_and_heard_from_every_five_minutes(town: SmallTown):
    """Before gate 3 has measured anything; the rows say when, what it can do, and the end it was told."""
    rental = await ready(town)
    attempt = rental.attempt
    assert attempt is not None and attempt.switch_at is not None and attempt.ready_at is not None
    assert attempt.switch_at <= attempt.ready_at
    assert (attempt.switch_kind, attempt.switch_end, attempt.beat_at) == (
        "ends the machine",
        rental.hard_end,
        None,
    )
    await town.pass_time(HOUR)
    later = (await town.rental(rental.id)).attempt
    assert later is not None and later.beat_at is not None
    assert town.clock.now() - later.beat_at < heartbeat.EVERY + MINUTE
    assert town.shell.calls["start"] == 1 and 11 <= town.shell.calls["run"] <= 14
    assert "switch on the machine (ends the machine)" in town.card(rental.id)


async def test_with_the_bot_and_its_database_gone_it_ends_the_machine_within_the_hour(town: SmallTown):
    """60 minutes after the last heartbeat, long before the hard end."""
    await ready(town)
    await town.pass_time(30 * MINUTE)
    assert timedelta(minutes=50) < alone(town, 3 * HOUR) <= timedelta(minutes=61)
    assert not town.world.alive()


async def test_with_the_bot_gone_near_the_end_it_ends_the_machine_five_minutes_after_it(town: SmallTown):
    """Counted from the hard end as it was told last."""
    rental = await ready(town, "up world 3090 for 1h")
    await town.pass_time(40 * MINUTE)
    alone(town, 3 * HOUR)
    assert rental.hard_end is not None
    late = town.clock.now() - rental.hard_end
    assert timedelta(minutes=5) - MINUTE <= late <= timedelta(minutes=5) + MINUTE


async def test_a_training_that_runs_well_is_stopped_all_the_same(found: Found):
    """That is the promise; it gets its grace first."""
    town = await found(script=Training(lasts=10 * HOUR, lines=100, checkpoints=5))
    rental = await ready(town)
    assert rental.attempt is not None and rental.attempt.access is not None
    await town.shell.start(rental.attempt.access, "train-1", UnitJob(("python3", "train.py")))
    machine = town.world.alive()[0]
    alone(town, 3 * HOUR)
    assert machine.units["train-1"].exit_code == 143
    assert machine.state(town.clock.now()) in (None, MachineState.ENDING)


async def test_an_extension_reaches_the_machine_with_the_next_pass(town: SmallTown):
    """Not five minutes later: the switch must not fire at the old end."""
    rental = await ready(town, "up world 3090 for 1h")
    await town.pass_time(10 * MINUTE)
    reply = await town.ask(f"extend {rental.id} 1h")
    assert reply.rental, reply.lines
    await town.pass_time(SECOND)
    after = await town.rental(rental.id)
    assert after.attempt is not None and after.attempt.switch_end == after.hard_end != rental.hard_end
    switch = town.world.alive()[0].switch
    assert switch is not None and switch.told.left == pytest.approx(110 * 60, abs=90)


async def test_a_switch_that_cannot_be_armed_holds_nothing_up_and_is_tried_again(town: SmallTown):
    """The rental goes on, the card says so, and a minute after the line is good again it is armed."""
    town.broken("start", FaultKind.LOST_BEFORE, times=FOR_EVER)
    rental = await ready(town)
    assert rental.attempt is not None and rental.attempt.switch_at is None
    await town.pass_time(MINUTE)
    assert "no switch on the machine (" in town.card(rental.id)
    town.mend()
    await town.pass_time(3 * MINUTE)
    attempt = (await town.rental(rental.id)).attempt
    assert attempt is not None and attempt.switch_at is not None
    assert attempt.switch_kind == Ends.MACHINE


async def test_heartbeats_that_do_not_arrive_fail_nothing_and_are_told(town: SmallTown):
    """The machine stays ready; who looks reads that it was not reached, and for how long."""
    rental = await ready(town)
    await town.pass_time(6 * MINUTE)
    town.broken("run", FaultKind.LOST_BEFORE, times=FOR_EVER)
    await town.pass_time(20 * MINUTE)
    assert "not reached for " in town.card(rental.id)
    assert (await town.rental(rental.id)).goal is Goal.READY
    town.mend()
    await town.pass_time(2 * MINUTE)
    assert "not reached" not in town.card(rental.id)


async def test_one_that_is_gone_is_armed_again(town: SmallTown):
    """The machine began anew, and with it nothing of ours ran any more."""
    rental = await ready(town)
    machine = town.world.alive()[0]
    town.shell.reboot(machine)
    await town.pass_time(10 * MINUTE)
    attempt = (await town.rental(rental.id)).attempt
    assert attempt is not None and attempt.switch_kind == Ends.MACHINE
    assert len([name for name in machine.units if name.startswith("switch")]) == 2


async def test_a_teardown_says_nothing_to_the_machine(town: SmallTown):
    """A machine that cannot be reached is not waited for on the way down."""
    rental = await ready(town)
    await town.pass_time(4 * MINUTE)
    calls = dict(town.shell.calls)
    await town.ask(f"down {rental.id}")
    closed = await town.until_closed(rental.id)
    assert closed.ending is Ending.DOWN and town.shell.calls == calls


async def test_a_pass_that_takes_an_hour_is_heard_meanwhile(town: SmallTown):
    """A long transfer must not look like a bot that is gone: the engine's own beat tells the machine."""
    rental = await ready(town)
    hands = town.life.engine.hands
    town.clock.advance(20 * MINUTE)
    switch = town.world.alive()[0].switch
    assert switch is not None
    before = switch.told.awake
    assert hands.heart.is_due(rental, town.clock.now())
    await hands.heart.beat_beside(hands, rental)
    assert switch.told.awake >= before + 20 * 60
    assert not hands.heart.is_due(rental, town.clock.now())
    facts = await hands.heart.beat(hands, rental)
    assert facts["beat_at"] == town.clock.now()
