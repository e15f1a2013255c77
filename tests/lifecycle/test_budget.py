"""Time and money: reminders, soft end, hard end, extensions, and budgets that do not cover."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.machine import Fate
from adapters.simulators.training import Training
from bot.domain.money import Usd
from bot.domain.rental import Ending, Step
from bot.domain.talk import Kind, Tone
from tests.support.small_town import HOUR, MINUTE, TRAIN, SmallTown, Trainer, bar
from tests.support.towns import Found

READY = "up world 3090 for 2h"


async def _ready(town: SmallTown, text: str = READY) -> str:
    tab = await town.rent(text)
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    return tab


async def test_reminders_come_at_50_75_and_90_percent_once_each(town: SmallTown):
    """At their minutes, louder towards the end, each with the way to more time."""
    tab = await _ready(town)
    await town.pass_time(3 * HOUR)
    assert [one for one in town.rungs(tab) if "%" in one] == ["50%:0", "75%:0", "90%:0"]
    firsts = ("50%:0:", "75%:1:", "90%:1:")
    said = [one for one in town.chat.said() if one.key.startswith(tuple(f"alert:{tab}:{a}" for a in firsts))]
    began = (await town.rental(tab)).began_at
    assert began is not None
    assert [(one.at - began) // MINUTE for one in said if one.at] == [60, 90, 108]
    assert [(one.edits or [one.reply])[0].tone for one in said] == [Tone.WARN, Tone.WARN, Tone.ALARM]
    first = [one.edits[0] if one.edits else one.reply for one in said]
    assert [bool(one.mention) for one in first] == [False, True, True]
    assert all(one.buttons[1].command == f"extend {tab} 1h" for one in first)
    assert (await town.rental(tab)).ending is Ending.HARD_END


async def test_reminders_come_by_money_where_it_runs_out_before_time(town: SmallTown):
    """A first machine that cost much brings them nearer."""
    town.world.fates.append(Fate(boot=None))
    tab = await town.rent("up world 3090 for 1h budget $0.22")
    await town.until(tab, lambda rental: rental.began_at is not None)
    while not town.rungs(tab):
        await town.pass_time(MINUTE / 2)
    rental = await town.rental(tab)
    assert rental.began_at is not None
    assert town.clock.now() - rental.began_at <= 30 * MINUTE + MINUTE


async def test_a_bot_that_was_away_says_only_the_highest(town: SmallTown):
    """Three reminders of one fact are two too many."""
    tab = await _ready(town)
    town.clock.advance(100 * MINUTE)
    town.again()
    await town.pass_time(MINUTE)
    assert town.rungs(tab) == ["75%:0"]


async def test_a_clock_that_is_set_back_repeats_no_reminder(town: SmallTown):
    """What was said stays said."""
    tab = await _ready(town)
    await town.pass_time(61 * MINUTE)
    town.clock._now -= 10 * MINUTE  # a person, or the network's time, corrects the clock
    await town.pass_time(25 * MINUTE)
    assert town.rungs(tab) == ["50%:0"]
    assert town.world.alive()


async def test_an_extension_makes_the_rungs_due_again(town: SmallTown):
    """Half of the new time is another half."""
    tab = await _ready(town)
    await town.pass_time(61 * MINUTE)
    reply = await town.ask(f"extend {tab} 2h")
    assert reply.kind is Kind.ANSWER and "2 h more" in reply.title
    await town.pass_time(62 * MINUTE)
    assert town.rungs(tab) == ["50%:0", "50%:1"]
    rental = await town.rental(tab)
    assert rental.lifetime == 4 * HOUR and rental.worst_case == Usd.of("0.82")
    await town.until_closed(tab)
    assert rental.began_at is not None and town.clock.now() - rental.began_at >= 4 * HOUR


async def test_more_money_is_more_time_at_the_machines_rate(town: SmallTown):
    """Twenty cents at twenty cents an hour."""
    tab = await _ready(town)
    await town.ask(f"extend {tab} $0.20")
    rental = await town.rental(tab)
    assert rental.lifetime == 3 * HOUR and rental.budget == Usd.of("5.20")


@pytest.mark.parametrize("step", list(Step)[1:])
async def test_the_hard_end_tears_down_whatever_the_state(town: SmallTown, step: Step):
    """A bot that was away until then pulls nothing any more: it closes the tab."""
    tab = await town.rent(f"{TRAIN} for 30m")
    await town.until(tab, lambda rental: rental.attempts)
    if step is not Step.TEAR_DOWN:
        await town.until_step(tab, step)
    else:
        await town.ask(f"down {tab}")
    town.clock.advance(31 * MINUTE)
    rental = await town.until_closed(tab)
    assert rental.ending in (Ending.HARD_END, Ending.DOWN)
    assert rental.hard_end is not None and town.clock.now() < rental.hard_end + 3 * MINUTE


async def test_the_soft_end_stops_the_training_and_saves_what_there_is(town: SmallTown):
    """The window before the hard end is for the results."""
    town.shell.script = Training(lasts=HOUR, lines=200, checkpoints=30)
    tab = await town.rent("train tiny-lora standard on world data ./images steps=300 for 10m")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.SOFT_END and rental.pulled_at is not None and rental.hard_end is not None
    assert rental.hard_end - 2 * MINUTE < town.clock.now() < rental.hard_end
    assert any("-step" in name for name in town.results(tab)) and "loss.png" in town.results(tab)
    assert "Budget used" in town.card(tab)


async def test_nothing_is_rented_any_more_after_the_soft_end(town: SmallTown):
    """A machine that comes up now could train nothing."""
    town.world.fates.append(Fate(boot=None))
    tab = await town.rent(f"{TRAIN} for 10m")
    rental = await town.until_closed(tab)
    assert rental.ending in (Ending.SOFT_END, Ending.HARD_END) and len(rental.attempts) == 1


async def test_an_extension_before_the_soft_end_lets_the_training_go_on(town: SmallTown):
    """A person's word moves both ends."""
    says = tuple((20.0 * turn, bar(min(turn, 8), left="10:00")) for turn in range(1, 17))
    town.shell.script = Trainer(says, lasts=timedelta(minutes=6))
    tab = await town.rent("train tiny-lora standard on world data ./images steps=8 for 4m")
    await town.until(tab, lambda rental: rental.progress.step >= 3)
    await town.ask(f"extend {tab} 1h")
    rental = await town.until_closed(tab)
    assert rental.progress.step == 8 and rental.trained_at is not None


async def test_a_budget_that_does_not_cover_is_refused_with_what_would(found: Found):
    """No rental is admitted whose worst case its budget does not cover."""
    town = await found()
    tab = await town.rent(f"{TRAIN} for 4h budget $0.50")
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.NO_OFFER and not town.world.ever()
    card = town.card(tab)
    assert "costs $0.20/h, more than the budget covers" in card
    assert "Ask for a shorter time (up to 2 h 25 min) or a larger budget." in card
    assert (await town.until_closed(await town.rent(f"{TRAIN} for 145m budget $0.50"))).ending is Ending.DONE


async def test_a_highest_price_is_kept(town: SmallTown):
    """``max`` is about the hour, ``budget`` about all of it."""
    tab = await town.rent("up world 3090 max $0.10/h")
    assert (await town.until_closed(tab)).ending is Ending.NO_OFFER


async def test_the_price_of_a_quote_expires(found: Found):
    """A price of a quarter of an hour ago is no price; nothing was rented."""
    town = await found(auto_confirm=Usd(0))
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.quoted_at)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.EXPIRED and not town.world.ever()
    assert (await town.ask(f"confirm {tab}")).kind is Kind.REFUSED


async def test_a_quote_that_expired_while_nobody_worked_cannot_be_confirmed(found: Found):
    """The bot was away: the price on the screen is old."""
    town = await found(auto_confirm=Usd(0))
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.quoted_at)
    town.clock.advance(20 * MINUTE)
    reply = await town.ask(f"confirm {tab}")
    assert reply.kind is Kind.REFUSED and "older than 15 min" in reply.title
    assert (await town.until_closed(tab)).ending is Ending.EXPIRED


async def test_what_was_spent_never_passes_what_was_shown(town: SmallTown):
    """With a bad machine, an extension and a teardown that takes its time."""
    town.world.fates.append(Fate(boot=None))
    tab = await town.rent("up world 3090 for 1h budget $1")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    await town.ask(f"extend {tab} 30m")
    rental = await town.until_closed(tab)
    cost = (await town.journal(tab))[-1].cost
    assert rental.worst_case is not None and cost is not None
    assert town.world.bill() <= cost <= rental.worst_case <= rental.budget
