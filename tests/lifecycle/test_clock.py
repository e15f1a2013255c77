"""Our own clock is set while machines run: they end when they should, are counted as long as they ran, and no chat
falls silent. Vendors and machines go by the true time."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from adapters.clock import TRUSTED, SteadyClock
from adapters.simulators.clock import SimClock
from adapters.simulators.deadmen import let_act
from bot.domain import budget
from bot.domain.money import Usd
from bot.domain.rental import Goal, Rental
from bot.store.latest import Latest
from tests.support.small_town import HOUR, MINUTE, SECOND, SmallTown
from tests.support.town import START
from tests.support.towns import Found

UP = "up world 3090 for 2h"


async def ready(town: SmallTown, text: str = UP) -> Rental:
    """A machine that is handed over."""
    tab = await town.rent(text)
    return await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)


async def go_on(town: SmallTown, length: timedelta, step: timedelta = 30 * SECOND) -> datetime | None:
    """Let that much time really go by, also on the machines; when the last machine was gone, if it is."""
    ended = None
    for _ in range(length // step):
        await town.life.beat()
        if ended is None and not town.world.alive():
            ended = town.world.clock.now()
        town.clock.advance(step)
        let_act(town.world)
    return ended


def near(one: Usd, other: Usd) -> bool:
    """To the cent."""
    return abs(one.micros - other.micros) <= Usd.of("0.01").micros


@pytest.mark.parametrize("restarted", [False, True])
async def test_set_back_by_an_hour_machines_still_hear_of_us(town: SmallTown, restarted: bool):
    """Every five minutes: no switch fires, and no machine is ended by our silence."""
    rental = await ready(town, "up world 3090 for 6h")
    await go_on(town, 20 * MINUTE, 5 * MINUTE)
    town.clock.jump(-HOUR)
    if restarted:
        town.again()
    heard: list[datetime | None] = []
    for _ in range(14):
        await go_on(town, 5 * MINUTE, 5 * MINUTE)
        attempt = (await town.rental(rental.id)).attempt
        assert attempt is not None
        heard.append(attempt.beat_at)
    assert len(set(heard)) >= 13
    [machine] = town.world.alive()
    assert machine.switch is not None and machine.switch.fired_at is None


@pytest.mark.parametrize(
    ("back", "restarted"), [(HOUR, False), (HOUR, True), (6 * HOUR, True), (11 * MINUTE, False)]
)
async def test_set_back_before_the_hard_end_it_ends_on_time(
    town: SmallTown, back: timedelta, restarted: bool
):
    """To 90 seconds, and what is counted is the vendor's own meter to the cent."""
    rental = await ready(town)
    assert rental.hard_end is not None
    await go_on(town, 105 * MINUTE, 5 * MINUTE)
    await go_on(town, 2 * MINUTE)  # its clock is noted more often than it could be in larger steps
    town.clock.jump(-back)
    if restarted:
        town.again()
    ended = await go_on(town, 18 * MINUTE)
    assert ended is not None and timedelta(0) <= ended - rental.hard_end <= 90 * SECOND
    after = await town.rental(rental.id)
    assert after.goal is Goal.GONE and after.closed_at is not None
    assert near(budget.spent(after, after.closed_at), town.world.bill())


async def test_torn_down_by_a_person_after_it_was_set_back_it_is_counted_in_full(town: SmallTown):
    """The hour that the calendar lives twice was run through only once, and the chat says all of it at once."""
    rental = await ready(town)
    await go_on(town, 100 * MINUTE, 5 * MINUTE)
    town.clock.jump(-HOUR)
    await town.ask(f"down {rental.id}")
    await go_on(town, 5 * MINUTE)
    after = await town.rental(rental.id)
    assert after.closed_at is not None and await town.life.store.outbox.unsaid() == 0
    spent = budget.spent(after, after.closed_at)
    assert near(spent, town.world.bill()) and spent > Usd.of("0.32")
    assert "closed" in town.card(rental.id).lower()


async def test_what_runs_now_is_counted_while_the_calendar_lies_behind(town: SmallTown):
    """The ladder of reminders and the budgets go by it."""
    rental = await ready(town)
    await go_on(town, 100 * MINUTE, 5 * MINUTE)
    before = await town.life.store.rentals.get(rental.id)
    town.clock.jump(-HOUR)
    await go_on(town, 2 * MINUTE)
    later = town.life.engine.hands.clock.now()
    assert before is not None and near(budget.spent(before, later), town.world.bill())


async def test_set_back_by_days_it_is_taken_as_it_is_and_everything_is_looked_at(
    town: SmallTown, caplog: pytest.LogCaptureFixture
):
    """Somebody corrected a clock that had been wrong for long: the log says so, and nobody waits for what was."""
    rental = await ready(town, "up world 3090 for 4h")
    await go_on(town, 10 * MINUTE)
    town.clock.jump(-timedelta(days=3))
    with caplog.at_level(logging.ERROR):
        await go_on(town, 70 * MINUTE, 5 * MINUTE)
    assert "set back by" in caplog.text
    [machine] = town.world.alive()
    assert machine.switch is not None and machine.switch.fired_at is None
    await town.ask(f"down {rental.id}")
    await go_on(town, 5 * MINUTE)
    assert not town.world.alive() and await town.life.store.outbox.unsaid() == 0


async def test_a_new_process_takes_over_after_days_were_taken_back(town: SmallTown):
    """Claims, moments to wake at and the note itself are from a time that never was."""
    rental = await ready(town)
    await go_on(town, 5 * MINUTE)
    [claim] = await _claims_all(town)
    town.clock.jump(-timedelta(days=3))
    town.again()
    await go_on(town, 5 * MINUTE)
    after = await town.rental(rental.id)
    assert after.attempt is not None and after.attempt.beat_at is not None
    assert after.attempt.beat_at < town.clock.now() < claim.until
    known = await Latest(town.life.store.engine).known()
    assert known is not None and known <= town.clock.now()


async def _claims_all(town: SmallTown):
    """A process that dies with everything in its hands."""
    now, claims = town.clock.now(), town.life.store.claims
    await claims.wake_all(now=now)
    far = now + timedelta(days=1)
    return await claims.due(now=far, until=now + MINUTE, token="dead", limit=9)


async def test_with_nothing_open_it_goes_by_the_computer_again(town: SmallTown):
    """What is rented after that carries the right time in its label, in a process that stays and in a new one."""
    rental = await ready(town)
    town.clock.jump(-HOUR)
    steady = town.life.engine.hands.clock
    assert steady.now() - town.clock.now() == HOUR
    await town.ask(f"down {rental.id}")
    await go_on(town, 5 * MINUTE)
    assert steady.now() == town.clock.now()
    town.again()
    await go_on(town, MINUTE)
    second = await ready(town)
    assert second.created_at <= town.clock.now() and second.hard_end is not None
    assert second.hard_end <= town.clock.now() + 2 * HOUR


async def test_set_forward_and_back_again_nothing_runs_longer(town: SmallTown):
    """It ends early by what the clock was ahead, at worst, and is counted as what it is at least."""
    rental = await ready(town)
    assert rental.hard_end is not None
    await go_on(town, 10 * MINUTE)
    town.clock.jump(HOUR)
    await go_on(town, 5 * MINUTE)
    town.clock.jump(-HOUR)
    assert await go_on(town, 40 * MINUTE, 5 * MINUTE) is None
    ended = await go_on(town, 10 * MINUTE)
    assert ended is not None and rental.hard_end - HOUR <= ended <= rental.hard_end - HOUR + 90 * SECOND


async def test_an_idle_spell_does_not_outlast_a_bot_that_was_away(found: Found):
    """Three hours in which nobody looked prove nothing: the machine has its whole limit from the next look on."""
    town = await found(idle_limit=HOUR)
    rental = await ready(town, "up world 3090 for 8h")
    for _ in range(5):
        await town.life.idle.tick()
        town.clock.advance(5 * MINUTE)
    town.clock.advance(3 * HOUR)
    town.again()
    for _ in range(12):
        assert await town.life.idle.tick() == 1
        assert (await town.rental(rental.id)).goal is Goal.READY
        town.clock.advance(5 * MINUTE)
    await town.life.idle.tick()
    assert (await town.rental(rental.id)).goal is Goal.GONE


async def test_an_idle_spell_outlasts_a_restart(found: Found):
    """A bot that is restarted all the time still ends what nobody uses."""
    town = await found(idle_limit=HOUR)
    rental = await ready(town, "up world 3090 for 8h")
    for _ in range(13):
        town.again()
        await town.life.idle.tick()
        await town.life.idle.stop()
        town.clock.advance(5 * MINUTE)
    assert (await town.rental(rental.id)).goal is Goal.GONE


def test_a_steady_clock_runs_on_where_it_was_set_back():
    """By the running clock; it goes by the calendar again as soon as that has caught up."""
    wall = SimClock(START)
    steady = SteadyClock(wall, wall.running)
    wall.advance(MINUTE)
    wall.jump(-HOUR)
    assert steady.now() == START + MINUTE
    wall.advance(MINUTE)
    assert steady.now() == START + 2 * MINUTE
    wall.jump(2 * HOUR)
    assert steady.now() == wall.now()


def test_a_steady_clock_believes_others_within_bounds():
    """What is further ahead than any zone is no reason to end machines."""
    wall = SimClock(START)
    steady = SteadyClock(wall, wall.running)
    assert not steady.not_before(START + TRUSTED + SECOND) and steady.now() == START
    assert steady.not_before(START - HOUR) and steady.now() == START
    assert steady.not_before(START + HOUR) and steady.now() == START + HOUR
    assert steady.follow() and steady.now() == START
    assert not steady.follow()
