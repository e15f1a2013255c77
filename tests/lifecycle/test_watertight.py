"""Ways around the budgets and the approvers that somebody could find: each is shut."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.allowance import Ask, Charges, Defaults, Scope
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Goal, Rental
from bot.domain.talk import Actor, Kind
from tests.support.orphans import HOME, put, sweep
from tests.support.small_town import HOUR, MINUTE, SECOND, SmallTown
from tests.support.town import ANN, BEN, HERE
from tests.support.towns import Found

BOSS = Actor("sim", ANN.team, "boss", "boss")
CHIEF = Actor("sim", ANN.team, "chief", "chief")
ADMINS = Defaults(admins=frozenset({BOSS.key, CHIEF.key}))
RICH = Usd.of(100)


async def ready(town: SmallTown, text: str = "up world 3090 for 4h") -> Rental:
    """A machine that runs."""
    tab = await town.rent(text)
    return await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)


async def charged(town: SmallTown) -> Charges:
    """What Ann's team is charged."""
    ask = Ask(ANN, HERE, ZERO, ZERO, town.clock.now())
    return (await town.life.store.budgets.charges(ask))[Scope.TEAM]


async def quoted(town: SmallTown, text: str = "up world 3090 for 2h") -> str:
    """A quote that waits for somebody."""
    tab = await town.rent(text)
    await town.until(tab, lambda rental: rental.quoted_at)
    return tab


async def test_nothing_is_extended_after_its_hard_end(found: Found):
    """The bot was away for three hours: what it has to do now is to tear down."""
    town = await found()
    rental = await ready(town, "up world 3090 for 2h")
    town.clock.advance(3 * HOUR)
    reply = await town.ask(f"extend {rental.id} 2h")
    assert reply.kind is Kind.REFUSED and "over" in reply.title
    assert (await town.rental(rental.id)).lifetime == rental.lifetime


async def test_a_closed_rental_is_not_extended(found: Found):
    """And the answer says why."""
    town = await found()
    rental = await ready(town)
    await town.ask(f"down {rental.id}")
    await town.until_closed(rental.id)
    assert (await town.ask(f"extend {rental.id} 1h")).kind is Kind.REFUSED


async def test_a_request_that_was_confirmed_cannot_be_declined(found: Found):
    """An admin confirmed it: there is nothing left to decline, and nothing is torn down by it."""
    town = await found(auto_confirm=ZERO, defaults=ADMINS)
    await town.ask("budget set approval total 10c", actor=BOSS)
    tab = await quoted(town)
    await town.ask(f"confirm {tab}")
    await town.ask(f"confirm {tab}", actor=BOSS)
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    await town.say_all()
    reply = await town.ask(f"decline {tab} nope", actor=CHIEF)
    assert reply.kind is Kind.REFUSED
    assert (await town.rental(tab)).goal is Goal.READY and town.world.alive()
    [card] = [said for said in town.chat.said() if said.key.startswith("approval")]
    assert not card.reply.buttons


async def test_what_needs_an_approval_is_not_rented_unasked(found: Found):
    """Within what nobody has to confirm, and above what somebody else has to agree to: the approvers come first."""
    town = await found(auto_confirm=RICH, defaults=ADMINS)
    await town.ask("budget set approval cards 3090", actor=BOSS)
    tab = await quoted(town)
    for _ in range(5):
        await town.life.engine.run_due()
        town.clock.advance(5 * SECOND)
    rental = await town.rental(tab)
    assert rental.goal is Goal.QUOTED and not rental.attempts
    assert (await town.ask(f"confirm {tab}")).data["approval"] == "open"


async def test_a_dearer_second_machine_is_charged_or_asked_about(found: Found):
    """The first one is lost, the next costs four times as much, and the team's budget does not cover it."""
    town = await found(auto_confirm=RICH, defaults=ADMINS)
    cheap, dear = town.town.hosts
    dear.hourly = Usd.of("0.80")
    await town.ask("budget set team month $1.2", actor=BOSS)
    rental = await ready(town, "up world 3090 for 4h budget $5")
    cheap.capacity = 0
    assert rental.attempt is not None and rental.attempt.machine_id is not None
    town.world.destroy(rental.attempt.machine_id)
    rental = await town.until(rental.id, lambda one: one.asks_again, within=HOUR)
    assert len(rental.attempts) == 1 and (await charged(town)).month <= Usd.of("1.20")
    await town.ask("budget set team month $10", actor=BOSS)
    assert (await town.ask(f"confirm {rental.id}")).kind is Kind.ANSWER
    after = await town.until(rental.id, lambda one: len(one.attempts) > 1)
    assert (await charged(town)).month == after.worst_case


async def test_a_dearer_second_machine_that_is_covered_is_charged(found: Found):
    """Nobody has to be asked; the budgets know of it all the same."""
    town = await found(auto_confirm=RICH, defaults=ADMINS)
    cheap, dear = town.town.hosts
    dear.hourly = Usd.of("0.80")
    rental = await ready(town, "up world 3090 for 4h budget $5")
    cheap.capacity = 0
    assert rental.attempt is not None and rental.attempt.machine_id is not None
    town.world.destroy(rental.attempt.machine_id)
    after = await town.until(rental.id, lambda one: len(one.attempts) > 1, within=HOUR)
    assert after.worst_case is not None and rental.worst_case is not None
    assert after.worst_case > rental.worst_case and (await charged(town)).month == after.worst_case
    assert (await charged(town)).rate >= dear.hourly


async def test_a_risen_price_is_charged_to_the_budgets(found: Found):
    """It is spent whether they cover it or not; others are judged by what is left, and an extension adds to it."""
    town = await found()
    rental = await ready(town)
    for host in town.town.hosts:
        host.hourly = Usd.of("2.00")
    await town.pass_time(2 * HOUR)
    at_two = await charged(town)
    if (await town.rental(rental.id)).attempts[-1].offer.hourly == rental.attempts[-1].offer.hourly:
        raise AssertionError("the world did not raise the price")
    assert at_two.month >= Usd.of("7.50") and at_two.rate >= Usd.of("2.00")


async def test_an_adopted_machine_has_a_longest_life_and_needs_its_approval(found: Found):
    """Its label says nothing: its life counts from when we know of it."""
    town = await found(homes=(HOME,), auto_confirm=ZERO, defaults=ADMINS)
    machine = put(town, "lc-test-zzzzzz-1-oops")
    await sweep(town)
    await town.ask("budget set approval total 10c", actor=BOSS)
    refused = await town.ask(f"orphans adopt world/{machine.id}", actor=BEN)
    assert refused.kind is Kind.REFUSED and "word" in refused.title
    await town.ask("budget set approval total off", actor=BOSS)
    tab = (await town.ask(f"orphans adopt world/{machine.id}", actor=BEN)).rental
    for _ in range(8):
        await town.ask(f"extend {tab} 12h", actor=BEN)
    assert (await town.rental(tab)).lifetime <= timedelta(hours=24)


async def test_a_viewer_decides_about_no_machine(found: Found):
    """Looking is all that a viewer does."""
    town = await found(homes=(HOME,), auto_confirm=ZERO, defaults=ADMINS)
    machine = put(town, "lc-test-yyyyyy-1-oops")
    await sweep(town)
    await town.ask(f"budget role @{BEN.id} viewer", actor=BOSS)
    for fate in ("ignore", "kill", "adopt"):
        assert (await town.ask(f"orphans {fate} world/{machine.id}", actor=BEN)).kind is Kind.REFUSED
    assert town.world.alive()


async def test_a_shorter_snooze_takes_the_place_of_a_longer_one(found: Found):
    """Also when something changed the rental in between."""
    town = await found()
    rental = await ready(town, "up world 3090 for 6h")
    await town.pass_time(3 * HOUR + 5 * MINUTE)
    await town.ask(f"snooze {rental.id} for 4h")
    await town.ask(f"extend {rental.id} 10m")
    await town.ask(f"snooze {rental.id} for 5m")
    await town.pass_time(2 * HOUR)
    assert any("75" in said.reply.title for said in town.chat.said())
