"""Claims: who works on a row, and what is left of a pass that came too late."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.errors import ClaimLost
from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal
from bot.store import Store
from bot.store.claims import Rising, risen
from bot.store.rows import ATTEMPTS, OUTBOX, Entry
from tests.store.tabs import (
    ASKED,
    HOUR,
    LEASE,
    MINUTE,
    SECOND,
    T0,
    attempt,
    begun,
    claimed,
    count,
    found,
    offer,
    opened,
    say,
    texts,
)


async def test_a_row_that_is_claimed_is_nobody_elses(store: Store, other: Store):
    """A new tab is due at once; while one process holds it, no other gets it, up to the claim's last moment."""
    await opened(store)
    claim = await claimed(store)
    assert claim.rental.id == "abc234"
    assert claim.until == T0 + LEASE
    for moment in (T0, T0 + LEASE):
        assert await other.claims.due(now=moment, until=moment + LEASE, token="theirs", limit=9) == []


async def test_a_row_worked_is_not_due_before_it_wants_to_wake(store: Store):
    """After ``apply`` the row is free and sleeps until ``wake_at``."""
    await opened(store)
    claim = await claimed(store)
    await store.claims.apply(claim, claim.rental, now=T0, wake_at=T0 + HOUR)
    assert await store.claims.due(now=T0 + HOUR - SECOND, until=T0 + 2 * HOUR, token="b", limit=9) == []
    assert (await claimed(store, now=T0 + HOUR)).rental.id == "abc234"


async def test_a_claim_that_ended_is_taken_over(store: Store, other: Store):
    """A process that died says nothing; after the end of its claim the row is somebody else's."""
    await opened(store)
    await claimed(store)
    late = T0 + LEASE + SECOND
    assert (await claimed(other, now=late, token="theirs")).rental.id == "abc234"


async def test_a_late_apply_leaves_nothing(store: Store, other: Store):
    """A pass that lost its claim touches no row: no fact, no attempt, no journal line, no message."""
    await opened(store)
    lost = await claimed(store)
    await claimed(other, now=T0 + 2 * LEASE, token="theirs")
    after = replace(lost.rental, note="I was here", attempts=(attempt(),), closed_at=T0)
    with pytest.raises(ClaimLost):
        await store.claims.apply(
            lost, after, now=T0, wake_at=T0, rising=Rising(Goal.GONE, Ending.FAILED, "late"),
            entries=[Entry("late", "late")], says=[say("late")],
        )  # fmt: skip
    assert await found(store) == lost.rental
    assert await texts(store) == [ASKED.text]
    assert await count(store.engine, ATTEMPTS) == await count(store.engine, OUTBOX) == 0


async def test_late_holding_and_recording_are_refused_and_late_release_does_nothing(
    store: Store, other: Store
):
    """Every write of a lost claim raises, above all the written intent before a paid call; the new holder keeps it."""
    await opened(store)
    lost = await claimed(store)
    theirs = await claimed(other, now=T0 + 2 * LEASE, token="theirs")
    until = T0 + HOUR
    with pytest.raises(ClaimLost):
        await store.claims.hold(lost, until=until)
    with pytest.raises(ClaimLost):
        await store.claims.record(lost, replace(lost.rental, attempts=(attempt(),)), now=T0, until=until)
    await store.claims.release(lost, now=T0)
    assert await count(store.engine, ATTEMPTS) == 0
    assert (await other.claims.hold(theirs, until=until)).id == "abc234"


async def test_an_apply_that_fails_in_the_middle_leaves_nothing(store: Store):
    """Row, attempts, journal and outbox are one transaction: when an attempt cannot be written, nothing is."""
    taken = attempt(1, rental="other2")
    await opened(store, "other2")
    first = await claimed(store)
    await store.claims.apply(first, replace(first.rental, attempts=(taken,)), now=T0, wake_at=T0 + HOUR)
    await opened(store)
    claim = await claimed(store)
    same_label = replace(claim.rental, note="worked", attempts=(replace(attempt(), label=taken.label),))
    with pytest.raises(IntegrityError):
        await store.claims.apply(claim, same_label, now=T0, wake_at=T0, entries=[ASKED], says=[say("a")])
    assert await found(store) == claim.rental
    assert len(await texts(store, "abc234")) == 1
    assert await count(store.engine, OUTBOX) == 0
    await store.claims.apply(claim, replace(claim.rental, note="worked"), now=T0, wake_at=T0)
    assert (await found(store)).note == "worked"


async def test_hold_moves_the_end_and_shows_the_row_as_it_is_now(store: Store, other: Store):
    """A long pass keeps its claim and learns what a person asked for meanwhile."""
    await opened(store)
    claim = await claimed(store)
    await other.rentals.raise_goal("abc234", Goal.GONE, now=T0, key="down", entry=ASKED, ending=Ending.DOWN)
    fresh = await store.claims.hold(claim, until=T0 + HOUR)
    assert fresh.goal is Goal.GONE
    assert await other.claims.due(now=T0 + HOUR, until=T0 + 2 * HOUR, token="b", limit=9) == []


async def test_record_is_committed_and_keeps_the_claim(store: Store, other: Store):
    """The written intent is there for everybody before the paid call, and the pass goes on with its claim."""
    await opened(store)
    claim = await claimed(store)
    intent = replace(claim.rental, began_at=T0, attempts=(attempt(),))
    kept = await store.claims.record(
        claim, intent, now=T0, entries=[Entry("launch", "asks")], until=T0 + HOUR
    )
    assert kept.rental == intent == await found(other)
    assert await texts(other) == [ASKED.text, "asks"]
    assert await other.claims.due(now=T0 + HOUR, until=T0 + 2 * HOUR, token="b", limit=9) == []
    there = replace(intent, attempts=(attempt(machine_id="m-1"),))
    await store.claims.apply(kept, there, now=T0, wake_at=T0 + HOUR)
    assert await found(other) == there


async def test_released_is_due_at_once(store: Store):
    """A pass that was overtaken gives its row back in the middle."""
    await opened(store)
    await store.claims.release(await claimed(store), now=T0 + SECOND)
    assert await store.claims.next_wake() == T0 + SECOND
    assert (await claimed(store, now=T0 + SECOND, token="b")).rental.id == "abc234"


async def test_a_command_that_came_meanwhile_makes_the_row_due_at_once(store: Store):
    """A pass that began before the command does not sleep through it, nor does it overwrite what the person decided."""
    await opened(store, goal=Goal.READY, began_at=T0)
    claim = await claimed(store)
    await store.rentals.extend(
        "abc234", by=HOUR, budget=Usd.of(1), now=T0 + SECOND, key="more", entry=ASKED, rev=0
    )
    late = T0 + 2 * SECOND
    await store.claims.apply(claim, replace(claim.rental, note="n"), now=late, wake_at=T0 + HOUR)
    rental = await found(store)
    assert (rental.lifetime, rental.budget, rental.note) == (5 * HOUR, Usd.of(6), "n")
    assert await store.claims.next_wake() == late
    again = await claimed(store, now=late, token="b")
    await store.claims.apply(again, again.rental, now=late, wake_at=T0 + HOUR)
    assert await store.claims.next_wake() == T0 + HOUR


async def test_a_moment_of_another_zone_wakes_the_row_at_that_moment(store: Store):
    """``wake_at`` is kept as the moment that it is, whatever zone it was told in."""
    await opened(store)
    claim = await claimed(store)
    elsewhere = (T0 + HOUR).astimezone(timezone(timedelta(hours=9)))
    await store.claims.apply(claim, claim.rental, now=T0, wake_at=elsewhere)
    assert await store.claims.next_wake() == T0 + HOUR


async def test_a_goal_only_rises_and_the_first_ending_stays(store: Store):
    """A person's end and a failure found at the same time: whoever wrote first says why."""
    await opened(store)
    claim = await claimed(store)
    await store.rentals.raise_goal(
        "abc234", Goal.GONE, now=T0, key="down", entry=ASKED, ending=Ending.CANCELLED, note="ann"
    )
    failing = Rising(Goal.GONE, Ending.FAILED, "no machine")
    await store.claims.apply(claim, claim.rental, now=T0, wake_at=T0, rising=failing)
    rental = await found(store)
    assert (rental.goal, rental.ending, rental.ending_note) == (Goal.GONE, Ending.CANCELLED, "ann")
    claim = await claimed(store)
    await store.claims.apply(claim, claim.rental, now=T0, wake_at=T0, rising=Rising(Goal.READY))
    assert (await found(store)).goal is Goal.GONE


@pytest.mark.parametrize(
    "rising", [Rising(Goal.READY), Rising(Goal.GONE, Ending.FAILED, "why"), Rising(Goal.QUOTED)]
)
async def test_the_card_shows_the_goal_that_the_row_gets(store: Store, rising: Rising):
    """``risen`` foretells what ``apply`` writes."""
    await opened(store)
    claim = await claimed(store)
    await store.claims.apply(claim, claim.rental, now=T0, wake_at=T0, rising=rising)
    assert await found(store) == risen(claim.rental, rising)


async def test_who_waits_longest_comes_first(store: Store):
    """Claims come in the order of ``wake_at``, also when not all that is due fits."""
    minutes = {"aaaaa2": 3, "bbbbb2": 1, "ccccc2": 4, "ddddd2": 2}
    for name, minute in minutes.items():
        await opened(store, name, created_at=T0 + minute * MINUTE)
    assert await store.claims.next_wake() == T0 + MINUTE
    many = await store.claims.due(now=T0 + HOUR, until=T0 + 2 * HOUR, token="a", limit=3)
    assert [claim.rental.id for claim in many] == ["bbbbb2", "ddddd2", "aaaaa2"]
    rest = await store.claims.due(now=T0 + HOUR, until=T0 + 2 * HOUR, token="b", limit=3)
    assert [claim.rental.id for claim in rest] == ["ccccc2"]


async def test_a_closed_row_is_never_due(store: Store):
    """Closed is the end: nothing wakes the row, and no command reaches it."""
    await opened(store)
    claim = await claimed(store)
    await store.claims.apply(claim, replace(claim.rental, closed_at=T0), now=T0, wake_at=T0)
    assert await store.claims.next_wake() is None
    assert await store.claims.due(now=T0 + HOUR, until=T0 + 2 * HOUR, token="b", limit=9) == []
    assert not await store.rentals.raise_goal("abc234", Goal.GONE, now=T0, key="down", entry=ASKED)
    assert [each.id for each in await store.rentals.closed_ones(limit=5)] == ["abc234"]
    assert await store.rentals.open_ones() == []


async def test_attempts_are_rewritten_in_place_and_keep_their_order(store: Store):
    """A later pass changes one attempt and adds the next; the first stays as it was."""
    await begun(store)
    claim = await claimed(store, now=T0 + HOUR)
    one, two = attempt(1, condemned="bad host"), attempt(2, offer=offer(id="offer-2"))
    claim = await store.claims.record(
        claim, replace(claim.rental, attempts=(one,)), now=T0, until=T0 + 2 * HOUR
    )
    both = replace(claim.rental, attempts=(replace(one, gone_at=T0), two))
    await store.claims.apply(claim, both, now=T0, wake_at=T0)
    assert (await found(store)).attempts == (replace(one, gone_at=T0), two)
    assert await store.rentals.labels() == {one.label: False, two.label: True}


async def test_claimers_at_the_same_time_never_share_a_row(store: Store, other: Store):
    """Eight claimers of two bots take forty rows at once: every row goes to exactly one of them."""
    ids = [f"row{number:03d}" for number in range(40)]
    await asyncio.gather(*(opened(store, one) for one in ids))

    async def take(bot: Store, token: str) -> list[str]:
        mine: list[str] = []
        while some := await bot.claims.due(now=T0, until=T0 + LEASE, token=token, limit=3):
            mine += [claim.rental.id for claim in some]
        return mine

    taken = await asyncio.gather(*(take(bot, f"{bot}{n}") for n in range(4) for bot in (store, other)))
    assert sorted(one for mine in taken for one in mine) == ids
