"""Two commands at once on one rental: one effect, and both people are told the truth."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.money import Usd
from bot.domain.rental import Ending, Goal, Step
from bot.domain.talk import Actor, Kind, Reply
from tests.support.small_town import HOUR, MINUTE, SmallTown
from tests.support.town import ANN, BEN
from tests.support.towns import Found


@pytest.fixture
async def town(found: Found) -> SmallTown:
    """One whose statements may come between each other."""
    return await found(threads=True)


async def _quoted(found: Found) -> tuple[SmallTown, str]:
    town = await found(auto_confirm=Usd(0), threads=True)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.quoted_at)
    return town, tab


async def _ready(town: SmallTown) -> str:
    tab = await town.rent("up world 3090 for 2h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    return tab


async def _both(
    town: SmallTown, *lines: str, actors: tuple[Actor, ...] = (ANN, ANN), key: str = ""
) -> list[Reply]:
    """Both lines at the same moment."""
    asked = [town.ask(line, actor=actor, key=key) for line, actor in zip(lines, actors, strict=True)]
    return list(await asyncio.gather(*asked))


@pytest.mark.parametrize("lines", [("confirm {}", "cancel {}"), ("cancel {}", "confirm {}")])
async def test_confirm_and_cancel_at_once_end_in_one_of_the_two(found: Found, lines: tuple[str, str]):
    """Whichever was first; whoever was too late is told so, and nothing is left."""
    town, tab = await _quoted(found)
    replies = await _both(town, *(line.format(tab) for line in lines))
    rental = await town.until_closed(tab)
    assert rental.ending in (Ending.DONE, Ending.CANCELLED)
    if rental.ending is Ending.CANCELLED and rental.attempts == ():
        confirm = replies[lines.index("confirm {}")]
        assert confirm.kind is Kind.REFUSED or "Confirmed" in confirm.title


async def test_a_confirm_twice_with_the_same_key_is_one(found: Found):
    """The chat delivered it again: the same answer, one line in the journal."""
    town, tab = await _quoted(found)
    first = await town.ask(f"confirm {tab}", key="click")
    second = await town.ask(f"confirm {tab}", key="click")
    assert (first.kind, second.kind) == (Kind.ANSWER, Kind.ANSWER)
    await town.until_closed(tab)
    assert len([text for text in await town.told(tab, "asked") if text.startswith("confirmed")]) == 1


async def test_a_confirm_twice_with_different_keys_rents_once(found: Found):
    """Two clicks."""
    town, tab = await _quoted(found)
    replies = await _both(town, f"confirm {tab}", f"confirm {tab}")
    assert {reply.kind for reply in replies} == {Kind.ANSWER}
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DONE and len(town.world.ever()) == 1
    assert len([text for text in await town.told(tab, "asked") if text.startswith("confirmed")]) == 1


async def test_down_twice_is_one_down(town: SmallTown):
    """The second one is told the same."""
    tab = await _ready(town)
    replies = await _both(town, f"down {tab}", f"down {tab}", actors=(ANN, BEN))
    assert all(reply.kind is Kind.ANSWER for reply in replies)
    rental = await town.until_closed(tab)
    assert rental.ending is Ending.DOWN
    assert (await town.ask(f"down {tab}")).title == f"{tab} is closed already."


@pytest.mark.parametrize("lines", [("down {}", "extend {} 1h"), ("extend {} 1h", "down {}")])
async def test_down_and_extend_at_once_is_down(town: SmallTown, lines: tuple[str, str]):
    """A goal only rises: more time does not bring it back."""
    tab = await _ready(town)
    await _both(town, *(line.format(tab) for line in lines))
    assert (await town.until_closed(tab)).ending is Ending.DOWN


async def test_two_extensions_at_once_are_one_and_the_other_is_told(town: SmallTown):
    """What was checked is what was extended; nobody gets past it by being quick."""
    tab = await _ready(town)
    replies = await _both(town, f"extend {tab} 1h", f"extend {tab} 1h")
    kinds = sorted(reply.kind for reply in replies)
    lifetime = (await town.rental(tab)).lifetime
    assert (kinds, lifetime) in (
        ([Kind.ANSWER, Kind.REFUSED], 3 * HOUR),
        ([Kind.ANSWER, Kind.ANSWER], 4 * HOUR),  # one after the other
    )


async def test_an_extension_delivered_twice_is_one(town: SmallTown):
    """Also when the second delivery would not be allowed any more."""
    tab = await _ready(town)
    first = await town.ask(f"extend {tab} 21h", key="click")
    second = await town.ask(f"extend {tab} 21h", key="click")
    assert (first.kind, second.kind) == (Kind.ANSWER, Kind.ANSWER)
    assert (await town.rental(tab)).lifetime == 23 * HOUR


async def test_only_the_owner_extends(town: SmallTown):
    """A teammate may end it, not make it dearer."""
    tab = await _ready(town)
    reply = await town.ask(f"extend {tab} 1h", actor=BEN)
    assert reply.kind is Kind.REFUSED and "ann" in reply.title


async def test_a_rental_asked_for_twice_with_one_key_is_one(town: SmallTown):
    """The answer was lost, the chat delivers again."""
    first = await town.ask("up world 3090", key="same")
    second = await town.ask("up world 3090", key="same")
    assert first.rental == second.rental
    assert len(await town.life.store.rentals.open_ones()) == 1


async def test_a_command_in_the_middle_of_a_pass_is_not_slept_through(town: SmallTown):
    """The pass writes what it found, and the row is due at once."""
    tab = await town.rent("up world 3090 for 2h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    now = town.clock.now()
    claims = await town.life.store.claims.due(now=now + HOUR, until=now + HOUR, token="t", limit=9)
    await town.ask(f"down {tab}")
    claim = claims[0]
    await town.life.store.claims.apply(claim, claim.rental, now=now, wake_at=now + 9 * HOUR)
    rental = await town.until_closed(tab, within=MINUTE)
    assert rental.ending is Ending.DOWN


async def test_a_goal_that_a_command_raised_is_not_lowered_by_a_pass(found: Found):
    """Down came while the quote was being made."""
    town, tab = await _quoted(found)
    now = town.clock.now()
    claim = (await town.life.store.claims.due(now=now + HOUR, until=now + HOUR, token="t", limit=9))[0]
    await town.ask(f"cancel {tab}")
    await town.life.store.claims.apply(claim, claim.rental, now=now, wake_at=now)
    rental = await town.until_closed(tab)
    assert rental.goal is Goal.GONE and rental.ending is Ending.CANCELLED and rental.step is Step.CHOOSE
