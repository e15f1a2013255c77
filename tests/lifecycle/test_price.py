"""The price that was shown is the price that is paid: checked again at the launch, and asked about when it rose."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.machine import SimHost
from adapters.simulators.provider import WorldProvider
from bot.domain.ladder import QUOTE_LIFE
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Ending, Rental
from tests.support.small_town import MINUTE, TRAIN, SmallTown
from tests.support.towns import Found


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """A town where every price is asked about and may drift by 5 % unasked; one host at $0.20."""
    small = await found(auto_confirm=ZERO)
    small.town.provider = WorldProvider(small.world, drift=5)
    small.again()
    small.world.hosts.clear()
    small.world.add_host(SimHost("a", "RTX 3090", Usd.of("0.20"), capacity=3))
    return small


async def _quoted(town: SmallTown) -> str:
    tab = await town.rent(TRAIN + " for 1h")
    await town.until(tab, lambda rental: rental.quoted_at)
    return tab


def _price(town: SmallTown, dollars: str) -> None:
    town.world.hosts["offer-a"].hourly = Usd.of(dollars)


async def test_a_price_that_rose_by_more_than_5_percent_is_asked_about_again(town: SmallTown):
    """Nothing is rented at $0.30 before somebody has said yes to it; then it is, and costs at most what was shown."""
    tab = await _quoted(town)
    _price(town, "0.30")
    await town.ask(f"confirm {tab}")
    asked = await town.until(tab, lambda rental: rental.asks_again)
    assert asked.offer is not None
    assert asked.offer.hourly == Usd.of("0.30")
    assert town.world.ever() == []
    await town.say_all()
    assert "The price rose since it was confirmed" in town.card(tab)
    assert (await town.ask(f"confirm {tab}")).title.endswith(f"{asked.worst_case}.")
    done = await town.until_closed(tab)
    assert done.ending is Ending.DONE
    assert done.worst_case is not None
    assert town.world.bill() <= done.worst_case


async def test_a_price_that_rose_by_less_is_paid_within_what_was_shown(town: SmallTown):
    """4 % are no question, and the worst case that was confirmed holds all the same."""
    tab = await _quoted(town)
    shown = (await town.rental(tab)).worst_case
    _price(town, "0.208")
    await town.ask(f"confirm {tab}")
    done = await town.until_closed(tab)
    assert (done.ending, done.worst_case, done.reasked_at) == (Ending.DONE, shown, None)
    assert done.attempts[-1].offer.hourly == Usd.of("0.208"), (
        "what the vendor says it costs is what is counted"
    )


async def test_a_cheaper_one_elsewhere_needs_no_question(town: SmallTown):
    """The offer became dearer, and another one costs what was confirmed."""
    tab = await _quoted(town)
    _price(town, "0.30")
    town.world.add_host(SimHost("b", "RTX 3090", Usd.of("0.20")))
    await town.ask(f"confirm {tab}")
    done = await town.until_closed(tab)
    assert done.reasked_at is None
    assert done.attempts[-1].offer.host == "b"


@pytest.mark.parametrize("answer", ["cancel", "down"])
async def test_a_no_to_the_new_price_rents_nothing(town: SmallTown, answer: str):
    """Whichever word is used."""
    tab = await _risen(town)
    await town.ask(f"{answer} {tab}")
    closed = await town.until_closed(tab)
    assert closed.ending is not None
    assert town.world.ever() == []


async def test_a_new_price_that_nobody_confirms_expires(town: SmallTown):
    """As the first one would have."""
    tab = await _risen(town)
    before = town.clock.now()
    assert (await town.until_closed(tab)).ending is Ending.EXPIRED
    assert QUOTE_LIFE <= town.clock.now() - before <= QUOTE_LIFE + timedelta(minutes=2)


async def test_a_confirm_that_is_delivered_twice_confirms_one_price(town: SmallTown):
    """The second delivery of the first yes is no yes to the new price."""
    tab = await _quoted(town)
    _price(town, "0.30")
    await town.ask(f"confirm {tab}", key="once")
    await town.until(tab, lambda rental: rental.asks_again)
    await town.ask(f"confirm {tab}", key="once")
    assert (await town.rental(tab)).asks_again


async def test_a_button_of_the_old_price_does_not_confirm_the_new_one(town: SmallTown):
    """The first card is still there to be pressed; what it says is not what it would cost now."""
    tab = await _quoted(town)
    await town.say_all()
    old = town.chat.said_once(f"card:{tab}").reply.buttons[0].command
    _price(town, "0.30")
    await town.ask(old)
    await town.until(tab, lambda rental: rental.asks_again)
    refused = await town.ask(old)
    assert "can cost up to" in refused.title
    assert (await town.rental(tab)).asks_again
    assert town.world.ever() == []


async def test_an_extension_has_to_wait_for_the_new_price(town: SmallTown):
    """At which rate it would be reckoned is not known before."""
    tab = await _risen(town)
    before = await town.rental(tab)
    answer = await town.ask(f"extend {tab} 10h")
    assert "waits for a yes" in answer.title
    assert (await town.rental(tab)).worst_case == before.worst_case


async def test_a_machine_that_turns_out_dearer_than_agreed_is_given_back(town: SmallTown):
    """A vendor without a price cap may rent at another price than it listed: nobody said yes to that."""
    tab = await _quoted(town)
    await town.ask(f"confirm {tab}")
    await town.until(tab, lambda rental: rental.attempts)
    rental = await town.until(tab, lambda rental: rental.attempts[-1].machine_id)
    _price(town, "0.40")
    closed = await _no(town, tab)
    assert closed.attempts[0].condemned is not None
    assert "$0.40/h where $0.20/h was agreed" in closed.attempts[0].condemned
    assert rental.attempts[0].machine_id == closed.attempts[0].machine_id


async def test_a_price_that_is_raised_while_the_machine_runs_is_told_and_counted(town: SmallTown):
    """Once, loudly, with the way out; from then on the meter goes by the new rate."""
    asked = await town.ask("up world 3090 for 2h")
    tab = asked.rental
    await town.until(tab, lambda rental: rental.quoted_at)
    await town.ask(f"confirm {tab}")
    await town.until(tab, lambda rental: rental.attempt and rental.attempt.ready_at)
    _price(town, "0.30")
    await town.pass_time(10 * MINUTE)
    await town.say_all()
    assert town.rungs(tab) == ["dearer-1-300000:1"]
    await town.ask(f"snooze {tab}")
    await town.pass_time(MINUTE)
    await town.say_all()
    [told] = [one for one in town.chat.said() if one.key.startswith(f"alert:{tab}:dearer")]
    assert "$0.30/h now, $0.20/h was agreed" in told.text and not told.reply.buttons, (
        "who keeps it has answered"
    )
    assert (await town.rental(tab)).attempts[0].offer.hourly == Usd.of("0.30")


async def test_a_host_that_failed_somebody_is_avoided_by_the_next_rental(town: SmallTown):
    """Another rental, another person: the host that is another card than it says is not tried a second time while
    there are others; where it is the only one, it is."""
    town.world.hosts.clear()
    town.world.add_host(SimHost("bad", "RTX 3090", Usd.of("0.20"), real_gpu="RTX 3060"))
    good = town.world.add_host(SimHost("good", "RTX 3090", Usd.of("0.20"), capacity=4))
    first = await _done(town)
    assert [one.offer.host for one in first.attempts] == ["bad", "good"]
    second = await _done(town)
    assert [one.offer.host for one in second.attempts] == ["good"]
    good.withdrawn = True
    third = await town.rent(TRAIN + " for 1h")
    quoted = await town.until(third, lambda rental: rental.quoted_at)
    assert quoted.offer is not None
    assert quoted.offer.host == "bad"


async def _risen(town: SmallTown) -> str:
    tab = await _quoted(town)
    _price(town, "0.30")
    await town.ask(f"confirm {tab}")
    await town.until(tab, lambda rental: rental.asks_again)
    return tab


async def _no(town: SmallTown, tab: str) -> Rental:
    await town.until(tab, lambda rental: rental.attempts[0].condemned)
    await town.ask(f"down {tab}")
    return await town.until_closed(tab)


async def _done(town: SmallTown) -> Rental:
    tab = await _quoted(town)
    await town.ask(f"confirm {tab}")
    return await town.until_closed(tab)
