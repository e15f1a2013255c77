"""What people do to a tab: each request has one effect or none, however often and from wherever it comes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal
from bot.domain.talk import Actor
from bot.store import Store
from bot.store.rows import OUTBOX, REQUESTS, Entry
from tests.store.tabs import (
    ANN,
    ASKED,
    HOUR,
    MINUTE,
    T0,
    begun,
    claimed,
    count,
    found,
    opened,
    say,
    tab,
    texts,
)

BEN = Actor("sim", "acme", "ben", "ben")


async def test_a_tab_is_opened_with_its_card_and_its_line(store: Store, other: Store):
    """Row, journal and card are there together, and the row is due at once."""
    await store.rentals.open(tab(), key="k", entry=ASKED, says=[say("card:abc234")])
    assert await found(other) == tab()
    assert await texts(other, "abc234") == [ASKED.text]
    assert await other.outbox.unsaid() == 1
    assert await other.claims.next_wake() == T0
    assert await other.rentals.get("nobody") is None


async def test_the_same_request_opens_one_tab(store: Store):
    """A request that is delivered again returns the tab that it opened, and opens nothing."""
    first = await store.rentals.open(tab(), key="k", entry=ASKED, says=[say("card:abc234")])
    again = await store.rentals.open(tab("xyz789"), key="k", entry=ASKED, says=[say("card:xyz789")])
    assert first == again == "abc234"
    assert [each.id for each in await store.rentals.open_ones()] == ["abc234"]
    assert await count(store.engine, OUTBOX) == 1


async def test_the_same_request_at_two_bots_at_once_opens_one_tab(store: Store, other: Store):
    """Both deliveries get the same tab, whichever bot was first."""
    ids = [f"tab{number:03d}" for number in range(6)]
    answers = await asyncio.gather(
        *(
            bot.rentals.open(tab(name), key="k", entry=ASKED, says=[say(f"card:{name}")])
            for name, bot in zip(ids, (store, other) * 3, strict=True)
        )
    )
    assert len(set(answers)) == 1
    assert [each.id for each in await store.rentals.open_ones()] == [answers[0]]
    assert await texts(store) == [ASKED.text]
    assert await count(store.engine, OUTBOX) == 1


async def test_two_confirm_at_once_and_one_has_done_it(store: Store, other: Store):
    """Both ask for the same goal; it rises once, one name and one line stand for it."""
    await opened(store)
    done = await asyncio.gather(
        *(
            bot.rentals.raise_goal(
                "abc234",
                Goal.READY,
                now=T0 + MINUTE,
                key=who,
                entry=Entry("asked", who, who),
                confirmed_by=who,
            )
            for bot, who in ((store, "ann"), (other, "ben"))
        )
    )
    assert sorted(done) == [False, True]
    winner = "ann" if done[0] else "ben"
    rental = await found(store)
    assert (rental.goal, rental.rev, rental.confirmed_by) == (Goal.READY, 1, winner)
    assert rental.confirmed_at == T0 + MINUTE
    assert await texts(store) == [ASKED.text, winner]


async def test_a_goal_never_falls(store: Store):
    """A confirm that comes after the end changes nothing: not the goal, not the ending, not the journal."""
    await opened(store)
    assert await store.rentals.raise_goal(
        "abc234", Goal.GONE, now=T0, key="down", entry=ASKED, ending=Ending.DOWN, note="ann"
    )
    before = await found(store)
    assert not await store.rentals.raise_goal(
        "abc234", Goal.READY, now=T0, key="yes", entry=ASKED, confirmed_by="ben"
    )
    assert not await store.rentals.raise_goal(
        "abc234", Goal.GONE, now=T0, key="down 2", entry=ASKED, ending=Ending.CANCELLED, note="ben"
    )
    assert await found(store) == before
    assert len(await texts(store)) == 2
    assert not await store.rentals.raise_goal("nobody", Goal.GONE, now=T0, key="x", entry=ASKED)


async def test_a_raised_goal_wakes_the_row(store: Store):
    """Nobody waits for the next tick of a sleeping rental."""
    await begun(store)
    assert await store.claims.due(now=T0 + MINUTE, until=T0 + HOUR, token="a", limit=1) == []
    await store.rentals.raise_goal("abc234", Goal.GONE, now=T0 + MINUTE, key="down", entry=ASKED)
    assert (await claimed(store, now=T0 + MINUTE)).rental.goal is Goal.GONE


async def test_two_extend_at_once_and_one_has_done_it(store: Store, other: Store):
    """Both checked the budget against the same state; the second is refused rather than paid for unchecked."""
    await begun(store)
    done = await asyncio.gather(
        *(
            bot.rentals.extend("abc234", by=HOUR, budget=Usd.of("0.20"), now=T0, key=who, entry=ASKED, rev=0)
            for bot, who in ((store, "ann"), (other, "ben"))
        )
    )
    assert sorted(done) == [False, True]
    rental = await found(store)
    assert (rental.lifetime, rental.budget, rental.rev) == (5 * HOUR, Usd.of("5.20"), 1)
    assert rental.worst_case == Usd.of("1.20")


async def test_extending_an_unpriced_tab_leaves_it_unpriced(store: Store):
    """What was never computed stays unknown rather than becoming the extension alone."""
    await opened(store)
    assert await store.rentals.extend(
        "abc234", by=HOUR, budget=Usd.of(1), now=T0, key="more", entry=ASKED, rev=0
    )
    assert (await found(store)).worst_case is None


async def test_the_same_extension_delivered_twice_is_one(store: Store, other: Store):
    """A redelivery, even with the new revision, adds nothing."""
    await begun(store)
    for bot, rev in ((store, 0), (other, 1)):
        await bot.rentals.extend(
            "abc234", by=HOUR, budget=Usd.of(1), now=T0, key="more", entry=ASKED, rev=rev
        )
    assert (await found(store)).lifetime == 5 * HOUR


async def test_an_extension_after_the_end_is_refused(store: Store):
    """What is being torn down gets no more time."""
    await begun(store)
    await store.rentals.raise_goal("abc234", Goal.GONE, now=T0, key="down", entry=ASKED)
    assert not await store.rentals.extend(
        "abc234", by=HOUR, budget=Usd.of(1), now=T0, key="more", entry=ASKED, rev=1
    )
    assert (await found(store)).lifetime == 4 * HOUR


@pytest.mark.parametrize(("by", "budget"), [(-timedelta(microseconds=1), Usd(0)), (timedelta(0), Usd(-1))])
async def test_an_extension_never_shortens(store: Store, by: timedelta, budget: Usd):
    """Less time or less money than was promised is a fault of the caller."""
    await begun(store)
    with pytest.raises(ValueError, match="never shortened"):
        await store.rentals.extend("abc234", by=by, budget=budget, now=T0, key="less", entry=ASKED, rev=0)
    assert await found(store) == replace(await found(store), lifetime=4 * HOUR, budget=Usd.of(5))


async def test_done_before_tells_an_effect_from_a_vain_try(store: Store):
    """Only a request that changed something was done; one that came too late was not, and stays without effect when
    it is delivered again, so that nobody who heard "no" pays later."""
    await begun(store)
    more = {"by": HOUR, "budget": Usd.of(1), "now": T0, "entry": ASKED}
    assert not await store.rentals.done_before("good")
    assert await store.rentals.extend("abc234", **more, key="good", rev=0)
    assert not await store.rentals.extend("abc234", **more, key="late", rev=0)
    assert await store.rentals.done_before("good")
    assert not await store.rentals.done_before("late")
    assert not await store.rentals.extend("abc234", **more, key="late", rev=1)
    assert await store.rentals.done_before("open-abc234")
    assert (await found(store)).lifetime == 5 * HOUR
    assert await count(store.engine, REQUESTS) == 3


async def test_everybody_sees_their_own(store: Store):
    """Lists are by who owns the tab: open ones oldest first, closed ones newest first, as many as asked for."""
    for number, (name, owner) in enumerate({"aaaaa2": ANN, "bbbbb2": BEN, "ccccc2": ANN}.items()):
        await opened(store, name, owner=owner, created_at=T0 - number * MINUTE)
    mine = await store.rentals.open_ones(owner=ANN.key)
    assert [each.id for each in mine] == ["ccccc2", "aaaaa2"]
    for number, claim in enumerate(await store.claims.due(now=T0, until=T0 + HOUR, token="a", limit=9)):
        gone = replace(claim.rental, closed_at=T0 + number * MINUTE)
        await store.claims.apply(claim, gone, now=T0, wake_at=T0)
    assert [each.id for each in await store.rentals.closed_ones(limit=2)] == ["aaaaa2", "bbbbb2"]
    assert [each.id for each in await store.rentals.closed_ones(limit=9, owner=BEN.key)] == ["bbbbb2"]
