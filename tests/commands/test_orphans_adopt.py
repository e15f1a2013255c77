"""Adopting: a machine that nobody knew becomes a rental like any other, and is torn down like any other."""

from __future__ import annotations

import pytest

from adapters.simulators.chat import words
from bot.domain.cards import status
from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal
from bot.domain.talk import Kind
from tests.support.orphans import HOME, OURS, put, row, shown, sweep
from tests.support.small_town import HOUR, MINUTE, SmallTown
from tests.support.town import ANN, BEN
from tests.support.towns import Found


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """A town with a home for its cards."""
    return await found(homes=(HOME,))


async def _adopted(town: SmallTown, label: str = OURS) -> str:
    machine = put(town, label)
    await sweep(town)
    reply = await town.ask(f"orphans adopt world/{machine.id}", actor=BEN)
    assert reply.kind is Kind.ANSWER, words(reply)
    return reply.rental


async def test_it_is_the_adopters_rental_under_the_id_that_people_knew(town: SmallTown):
    """Ready, with the usual budget and time, from now on."""
    tab = await _adopted(town)
    rental = await town.rental(tab)
    assert tab == "zzzzzz" and rental.owner == BEN and rental.goal is Goal.READY
    assert (rental.budget, rental.lifetime) == (Usd.of(5), 4 * HOUR)
    assert rental.began_at == town.clock.now() and rental.worst_case == Usd.of("0.82")
    [attempt] = rental.attempts
    assert attempt.label == OURS and attempt.machine_id == town.world.alive()[0].id
    assert status(rental) == "ready"
    await town.say_all()
    [card] = shown(town)
    assert "adopted by ben as zzzzzz" in card.lines[0].lower() and card.final and not card.buttons
    assert "ready" in town.card(tab)


async def test_the_engine_keeps_it_reminds_and_tears_it_down_at_its_end(town: SmallTown):
    """The sweep leaves it alone meanwhile, past every grace."""
    tab = await _adopted(town, "lc-test-zzzzzz-1-20260302T0941Z")
    for _ in range(3):
        await town.life.engine.run_due()
        town.clock.advance(6 * MINUTE)
        assert await sweep(town) == []
    await town.pass_time(25 * MINUTE)
    rental = await town.rental(tab)
    town.town.proven_closed()
    assert rental.ending is Ending.HARD_END and rental.closed_at is not None and rental.hard_end is not None
    assert rental.closed_at - rental.hard_end < MINUTE
    assert town.rungs(tab) == ["50%:0", "T-10:0", "90%:0", "T-2:0"]
    assert not await town.life.store.orphans.unfinished()


async def test_it_can_be_taken_down_and_extended(town: SmallTown):
    """As any rental of its owner."""
    tab = await _adopted(town)
    assert (await town.ask(f"extend {tab} 1h", actor=BEN)).kind is Kind.ANSWER
    assert (await town.rental(tab)).lifetime == 5 * HOUR
    await town.ask(f"down {tab}", actor=ANN)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DOWN and not await town.life.store.orphans.unfinished()


async def test_when_it_is_lost_no_other_machine_is_rented_in_its_place(town: SmallTown):
    """Nobody confirmed a price: it was this machine or none."""
    tab = await _adopted(town)
    town.world.vanish(town.world.alive()[0].id)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.FAILED and "vanished" in rental.ending_note
    assert not town.world.calls.get("launch") and len(rental.attempts) == 1


async def test_nobody_has_a_key_to_it_and_that_is_said(town: SmallTown):
    """A key that was lost with its database opens nothing."""
    tab = await _adopted(town)
    for line, told in (("ssh", "nobody here has a key"), ("logs", "no log"), ("pull", "nothing to pull")):
        reply = await town.ask(f"{line} {tab}", actor=BEN)
        assert reply.kind is Kind.REFUSED and told in reply.title, line
    assert (await town.ask(f"status {tab}", actor=BEN)).kind is Kind.ANSWER


async def test_an_id_that_is_taken_is_not_given_twice(town: SmallTown):
    """A rental here has it already; a label without an id gives none."""
    first = await _adopted(town)
    second = await _adopted(town, OURS.replace("-1-", "-2-"))
    third = await _adopted(town, "lc-test-box")
    assert first == "zzzzzz" and len({first, second, third}) == 3
    assert {one.id for one in await town.life.store.rentals.open_ones()} == {first, second, third}
    town.clock.advance(20 * MINUTE)
    assert await sweep(town, 2) == []


async def test_it_never_lives_longer_than_its_label_says(town: SmallTown):
    """That time is a promise to the reaper, also when it is extended."""
    tab = await _adopted(town, "lc-test-zzzzzz-1-20260302T1001Z")
    assert (await town.rental(tab)).lifetime == HOUR
    refusal = await town.ask(f"extend {tab} 1h", actor=BEN)
    assert refusal.kind is Kind.REFUSED and "10:01 UTC" in refusal.title


@pytest.mark.parametrize(
    ("label", "hourly", "told"),
    [
        ("lc-test-zzzzzz-1-20260302T0910Z", "0.20", "until 09:10 UTC and no longer"),
        (OURS, "40", "The usual budget of $5.00 does not pay for"),
        (f"lc-test-{'x' * 60}", "0.20", "more than 60 characters"),
    ],
)
async def test_what_cannot_be_kept_on_the_usual_terms_is_told(
    town: SmallTown, label: str, hourly: str, told: str
):
    """Nothing is opened; it waits out its grace as before."""
    town.town.hosts[0].hourly = Usd.of(hourly)
    machine = put(town, label)
    await sweep(town)
    refusal = await town.ask(f"orphans adopt {machine.id}")
    assert refusal.kind is Kind.REFUSED and told in refusal.title
    assert not await town.life.store.rentals.open_ones() and (await row(town, machine)).fate is None


async def test_a_dear_one_is_adopted_for_as_long_as_the_budget_lasts(town: SmallTown):
    """Five dollars at ten an hour, with the time that a teardown may take."""
    town.town.hosts[0].hourly = Usd.of(10)
    rental = await town.rental(await _adopted(town))
    assert rental.lifetime == 25 * MINUTE and rental.worst_case == Usd.of(5)


async def test_one_that_was_stopped_is_not_adopted(town: SmallTown):
    """The engine would take it for lost and end it."""
    machine = put(town)
    town.clock.advance(2 * MINUTE)
    town.world.stop(machine.id)
    await sweep(town)
    refusal = await town.ask(f"orphans adopt {machine.id}")
    assert refusal.kind is Kind.REFUSED and "does not run: it is stopped" in refusal.title


async def test_of_two_under_one_label_one_can_be_adopted(town: SmallTown):
    """A label belongs to one machine: the other one waits out its grace, and its end leaves the first alone."""
    first, second = put(town), put(town)
    await sweep(town)
    assert (await town.ask(f"orphans adopt {first.id}")).kind is Kind.ANSWER
    refusal = await town.ask(f"orphans adopt {second.id}")
    assert refusal.kind is Kind.REFUSED and "label of zzzzzz's machine" in refusal.title
    town.clock.advance(14 * MINUTE)
    assert await sweep(town) == [second.id]
    await sweep(town, 3)
    assert [one.id for one in town.world.alive()] == [first.id]


async def test_an_adoption_that_is_delivered_again_opens_one_rental(town: SmallTown):
    """By the same press, by another, by somebody else."""
    machine = put(town)
    await sweep(town)
    replies = [
        await town.ask(f"orphans adopt world/{machine.id}", key=key, actor=who)
        for key, who in (("press-1", BEN), ("press-1", BEN), ("press-2", ANN))
    ]
    assert {one.rental for one in replies} == {"zzzzzz"}
    [rental] = await town.life.store.rentals.open_ones()
    assert rental.owner == BEN
    for verb in ("kill", "ignore"):
        refusal = await town.ask(f"orphans {verb} world/{machine.id}")
        assert refusal.kind is Kind.REFUSED and "down zzzzzz" in words(refusal)


async def test_one_that_comes_back_after_its_rental_is_ended_and_told_there(town: SmallTown):
    """It is a rental's machine now, as any other."""
    tab = await _adopted(town)
    await town.ask(f"down {tab}", actor=BEN)
    await town.until_closed(tab)
    machine = put(town)
    assert await sweep(town) == [machine.id]
    assert town.notices("stray:") and not town.world.alive()
