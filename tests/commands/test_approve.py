"""Approval: above a threshold somebody else has to agree, and nothing is rented before."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.allowance import Defaults
from bot.domain.approval import LIFE
from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal
from bot.domain.talk import Actor, Kind
from tests.support.small_town import MINUTE, SmallTown
from tests.support.town import ANN, BEN
from tests.support.towns import Found

BOSS = Actor("sim", ANN.team, "boss", "boss")
CHIEF = Actor("sim", ANN.team, "chief", "chief")


@pytest.fixture
async def asked(found: Found) -> tuple[SmallTown, str]:
    """A town in which everything above 10 cents needs approval, and a rental of ann's that waits for one."""
    town = await found(auto_confirm=Usd(0), defaults=Defaults(admins=frozenset({BOSS.key, CHIEF.key})))
    await town.ask("budget set approval total 10c", actor=BOSS)
    tab = await town.rent("up world 3090 for 2h")
    await town.until(tab, lambda rental: rental.quoted_at)
    reply = await town.ask(f"confirm {tab}")
    assert reply.title == f"{tab} waits for an approval: it can cost more than $0.10."
    return town, tab


async def test_a_confirm_becomes_a_card_for_the_approvers(asked: tuple[SmallTown, str]):
    """With the price and two buttons; nothing is rented, and asked twice it is one card."""
    town, tab = asked
    await town.ask(f"confirm {tab}")
    await town.say_all()
    cards = [
        reply for reply in (one.reply for one in town.chat.said()) if reply.title.endswith(": to approve")
    ]
    assert len(cards) == 1
    assert [button.command.split()[0] for button in cards[0].buttons] == ["approve", "decline"]
    assert [(button.asks, button.danger) for button in cards[0].buttons] == [("", False), ("Reason", True)]
    rental = await town.rental(tab)
    assert (rental.goal, rental.attempts) == (Goal.QUOTED, ())


async def test_an_admin_approves_and_it_is_rented(asked: tuple[SmallTown, str]):
    """The card loses its buttons and says who; the journal has it, too."""
    town, tab = asked
    worst = (await town.rental(tab)).worst_case
    reply = await town.ask(f"approve {tab} budget {worst}", actor=BOSS)
    assert reply.title == f"Approved: {tab} cannot cost more than {worst}."
    rental = await town.until(tab, lambda rental: rental.attempts)
    assert rental.confirmed_by == BOSS.key
    await town.say_all()
    card = [
        reply
        for reply in (one.reply for one in town.chat.said())
        if reply.rental == tab and "Approved by boss." in reply.lines
    ]
    assert len(card) == 1 and card[0].buttons == ()


async def test_nobody_approves_their_own_and_members_not_at_all(asked: tuple[SmallTown, str]):
    """Not the owner, even as an admin; not a teammate."""
    town, tab = asked
    assert "Only an admin" in (await town.ask(f"approve {tab}", actor=BEN)).title
    await town.ask(f"budget role @{ANN.id} admin", actor=BOSS)
    assert "Nobody approves their own" in (await town.ask(f"approve {tab}")).title
    assert "waits for an approval" in (await town.ask(f"confirm {tab}")).title
    assert (await town.rental(tab)).goal is Goal.QUOTED


async def test_a_decline_ends_it_with_its_reason(asked: tuple[SmallTown, str]):
    """The owner reads who and why; a later approve comes too late."""
    town, tab = asked
    await town.ask(f"decline {tab} too dear  for a test", actor=BOSS)
    rental = await town.until_closed(tab)
    assert (rental.ending, rental.ending_note) == (Ending.DECLINED, "by boss: too dear for a test")
    assert "declined already by boss" in (await town.ask(f"approve {tab}", actor=CHIEF)).title


async def test_an_approval_after_its_time_is_refused_and_the_quote_is_over(asked: tuple[SmallTown, str]):
    """It lives for four hours, longer than a quote of its own would."""
    town, tab = asked
    town.clock.advance(LIFE - MINUTE)
    await town.life.engine.run_due()
    assert (await town.rental(tab)).closed_at is None
    town.clock.advance(2 * MINUTE)
    assert "too old" in (await town.ask(f"approve {tab}", actor=BOSS)).title
    assert (await town.until_closed(tab)).ending is Ending.EXPIRED


async def test_a_price_that_rose_meanwhile_is_not_approved(asked: tuple[SmallTown, str]):
    """The live price is looked at when the approver clicks."""
    town, tab = asked
    for host in town.town.hosts:
        host.hourly = Usd(host.hourly.micros * 2)
    reply = await town.ask(f"approve {tab}", actor=BOSS)
    assert reply.kind is Kind.REFUSED and "by now" in reply.title
    assert (await town.rental(tab)).goal is Goal.QUOTED


async def test_a_button_approves_only_the_price_that_it_showed(asked: tuple[SmallTown, str]):
    """An old card's click does not agree to more."""
    town, tab = asked
    reply = await town.ask(f"approve {tab} budget 5c", actor=BOSS)
    assert reply.kind is Kind.REFUSED and "asks for up to" in reply.title


async def test_two_approvers_at_once_rent_once(asked: tuple[SmallTown, str]):
    """One of them hears that somebody was faster, or that it is approved; there is one machine."""
    town, tab = asked
    await asyncio.gather(*(town.ask(f"approve {tab}", actor=actor) for actor in (BOSS, CHIEF)))
    rental = await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    assert len(rental.attempts) == 1


async def test_approving_is_held_to_the_budgets(asked: tuple[SmallTown, str]):
    """A yes does not make money; the request stays open."""
    town, tab = asked
    await town.ask("budget set team month 10c", actor=BOSS)
    assert "The team's budget" in (await town.ask(f"approve {tab}", actor=BOSS)).title
    await town.ask("budget set team month off", actor=BOSS)
    assert (await town.ask(f"approve {tab}", actor=BOSS)).kind is Kind.ANSWER


async def test_an_extension_past_the_threshold_needs_an_admin(asked: tuple[SmallTown, str]):
    """The owner is told so; the admin may."""
    town, tab = asked
    await town.ask(f"approve {tab}", actor=BOSS)
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    refused = await town.ask(f"extend {tab} 1h")
    assert refused.kind is Kind.REFUSED and "somebody else has to agree" in refused.title
    before = (await town.rental(tab)).lifetime
    assert (await town.ask(f"extend {tab} 1h", actor=BOSS)).kind is Kind.ANSWER
    assert (await town.rental(tab)).lifetime == before + timedelta(hours=1)


@pytest.mark.parametrize("word", ["cancel", ""])
async def test_a_request_that_was_overtaken_asks_nobody_any_more(asked: tuple[SmallTown, str], word: str):
    """Cancelled, or nobody decided in time: the card loses its buttons, once, and a late click is told why."""
    town, tab = asked
    await town.say_all()
    if word:
        await town.ask(f"{word} {tab}")
    await town.pass_time(LIFE + 2 * MINUTE)
    await town.say_all()
    card = town.chat.said(f"approval:{tab}")[-1].reply
    assert card.title.endswith(": over")
    assert card.buttons == ()
    assert card.lines[-1].startswith("Nobody has to decide any more: ")
    assert len(await town.told(tab, "approval")) == 2
    late = await town.ask(f"approve {tab}", actor=BOSS)
    assert late.title.startswith(f"{tab} is over: ")


async def test_an_admin_finds_what_waits_on_the_opening_page(asked: tuple[SmallTown, str]):
    """With its buttons, until it is decided; who asked, and who may not decide, find none."""
    town, tab = asked

    async def to_approve(actor: Actor) -> list[str]:
        return [one.rental for one in await town.life.desk.home(actor) if one.title.endswith(": to approve")]

    assert (await to_approve(BOSS), await to_approve(ANN), await to_approve(BEN)) == ([tab], [], [])
    await town.ask(f"decline {tab} too dear", actor=CHIEF)
    assert await to_approve(BOSS) == []
